"""Plans come to rest, break no latch, write only what changed, and report each edit that they discard.

Sources: docs/protocol.md#rule-1-no-loss, docs/protocol.md#rule-3-convergence-and-quiescence,
docs/protocol.md#rule-4-only-what-changed, docs/protocol.md#rule-5-no-forbidden-move.
"""

from copy import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deal import Change, Deal, Side, Status, display_text
from shared.domain.field_rules import Rule, Rules
from shared.domain.latches import SUBSTATUSES, TRANSITIONS
from shared.domain.link_states import State
from shared.domain.planned import Plan
from tests.property.pair_model import FIELDS, VALUES, WAIT, Edit, PairModel, any_edits, any_pair, apply_edit

HISTORIES = st.lists(any_edits(), min_size=1, max_size=3)


def all_writes(plan: Plan) -> list[tuple[Side, Change]]:
    return [
        *((Side.PARTNER_CENTER, change) for change in plan.to_partner_center),
        *((Side.SALESFORCE, change) for change in plan.to_salesforce),
    ]


def reconcile_to_the_end(pair: PairModel) -> None:
    """Reconcile at once, and after the wait of what cannot be undone; then once more, for a close after an accept."""
    pair.reconcile()
    pair.advance_time(WAIT)
    pair.reconcile()
    pair.reconcile()


# --- rest -------------------------------------------------------------------------------------------------------------


@given(any_pair(ignores_writes=True), HISTORIES)
def test_one_more_round_after_the_wait_writes_and_reports_nothing(pair: PairModel, history: list[list[Edit]]) -> None:
    for edits in history:
        for edit in edits:
            apply_edit(pair, edit)
        reconcile_to_the_end(pair)
    pair.advance_time()
    plan = pair.plan()
    assert (all_writes(plan), plan.lines, plan.losses, plan.waiting) == ([], (), (), {})


@given(any_pair(ignores_writes=True), any_edits())
def test_every_difference_that_remains_is_recorded_as_refused(pair: PairModel, edits: list[Edit]) -> None:
    for edit in edits:
        apply_edit(pair, edit)
    reconcile_to_the_end(pair)
    for rule in pair.rules:
        if pair.salesforce[rule.field] != pair.partner_center[rule.field]:
            assert {f"{side}.{rule.field}" for side in Side} & set(pair.link.refused)
        else:
            assert pair.plan().base[rule.field] == pair.salesforce[rule.field]


@given(any_pair())
def test_a_second_plan_right_after_the_first_writes_nothing(pair: PairModel) -> None:
    pair.reconcile()
    again = pair.plan()
    assert all_writes(again) == []


@given(any_pair())
def test_two_plans_from_the_same_state_are_equal(pair: PairModel) -> None:
    assert pair.plan() == pair.plan()


# --- latches ----------------------------------------------------------------------------------------------------------


@given(any_pair(), HISTORIES)
def test_no_plan_breaks_a_latch(pair: PairModel, history: list[list[Edit]]) -> None:
    for edits in history:
        for edit in edits:
            apply_edit(pair, edit)
        plan, current = pair.plan(), pair.status
        sent = {change.field: change.new for change in plan.to_partner_center}
        if current.is_final:
            assert sent == {}
        new_status = sent.pop("status", current)
        assert isinstance(new_status, Status)
        if new_status != current:
            assert new_status.status in TRANSITIONS[current.status]
            assert new_status.substatus in SUBSTATUSES[new_status.status]
        if current.is_unanswered and new_status.status != "Active":
            assert sent == {}, "nothing else may be sent before the answer"
        reconcile_to_the_end(pair)


@given(any_pair())
def test_a_close_is_sent_only_after_its_wait(pair: PairModel) -> None:
    plan = pair.reconcile()
    assert not any(isinstance(change.new, Status) and change.new.is_final for change in plan.to_partner_center)
    if not plan.waiting:
        return
    assert plan.due == pair.now + WAIT
    pair.advance_time(WAIT - timedelta(seconds=1))
    assert pair.plan().to_partner_center == ()
    pair.advance_time(timedelta(seconds=1))
    first, *others = pair.plan().to_partner_center
    assert first.is_step or (first.new == pair.salesforce["status"] and not others)


@given(any_pair())
def test_a_close_that_is_taken_back_within_the_wait_is_not_sent(pair: PairModel) -> None:
    pair.reconcile()
    pair.seller_sets("status", pair.partner_center["status"])
    pair.advance_time(WAIT)
    assert not any(isinstance(change.new, Status) for change in pair.plan().to_partner_center)
    assert pair.plan().waiting == {}


@given(any_pair())
def test_edits_made_before_the_answer_are_sent_with_the_accept(pair: PairModel) -> None:
    sent = {change.field for change in pair.plan().to_partner_center}
    pair.reconcile()
    if "status" in sent and pair.status.status == "Active":
        assert not [record for record in pair.link.refused.values() if record.code == "not_answered"]
        assert pair.link.state is State.LIVE


# --- only what changed ------------------------------------------------------------------------------------------------


@given(any_pair(ignores_writes=True), HISTORIES)
def test_plans_write_only_changed_values_and_only_where_the_rules_allow_it(
    pair: PairModel, history: list[list[Edit]]
) -> None:
    for edits in history:
        for edit in edits:
            apply_edit(pair, edit)
        plan = pair.plan()
        for side, change in all_writes(plan):
            rule = pair.rules[change.field]
            assert change.old == pair.value_on(side, change.field) != change.new
            assert rule.direction.owns(side.other)
            assert change.new is not None or side in rule.clearable
        for changes in (plan.to_partner_center, plan.to_salesforce):
            assert len({change.field for change in changes}) == len(changes)
        reconcile_to_the_end(pair)


# --- unreadable values ------------------------------------------------------------------------------------------------


@given(any_pair(), st.frozensets(st.sampled_from(FIELDS), min_size=1), any_edits())
def test_an_unreadable_value_is_reported_once_and_left_alone_until_it_is_corrected(
    pair: PairModel, unreadable: frozenset[str], edits: list[Edit]
) -> None:
    reconcile_to_the_end(pair)
    pair.unreadable = unreadable
    for edit in edits:
        apply_edit(pair, edit)
    plan = pair.plan()
    assert not unreadable & {change.field for _, change in all_writes(plan)}
    assert plan.cause is not None
    assert sum(plan.cause.reason in line.text for line in plan.lines) == 1
    reconcile_to_the_end(pair)
    assert pair.plan().lines == ()
    pair.unreadable = frozenset()
    reconcile_to_the_end(pair)
    assert pair.plan().cause is None
    assert all(
        pair.salesforce[name] == pair.partner_center[name]
        or {f"{side}.{name}" for side in Side} & set(pair.link.refused)
        for name in unreadable
    )


# --- no loss ----------------------------------------------------------------------------------------------------------


@given(any_pair(ignores_writes=True), HISTORIES)
def test_every_overwritten_edit_stands_in_an_audit_line(pair: PairModel, history: list[list[Edit]]) -> None:
    for edits in history:
        for edit in edits:
            apply_edit(pair, edit)
        for _ in range(2):
            _assert_every_edit_kept(pair, pair.plan())
            pair.reconcile()
            pair.advance_time(WAIT)


def _assert_every_edit_kept(pair: PairModel, plan: Plan) -> None:
    for side, change in all_writes(plan):
        is_edit = change.old != pair.link.base.get(change.field) and (change.old or change.field in pair.link.base)
        contains_the_edit = isinstance(change.old, str) and isinstance(change.new, str) and change.old in change.new
        if is_edit and not contains_the_edit and change.old is not None:  # an emptiness is told without a value
            discarded = display_text(change.old, whole=True)
            texts = [line.text for line in plan.losses if line.text.startswith(f"Note: {change.label}")]
            assert any(discarded in text for text in texts), (side, change)


@given(any_pair())
def test_a_discarded_long_text_stands_whole_in_the_audit_line(pair: PairModel) -> None:
    label, long_text = pair.rules["notes"].label, "words " * 50 + "end"
    pair.rules = replace(
        pair.rules, by_field={"notes": replace(pair.rules["notes"], length=len(long_text), label=label)}
    )
    pair.seller_sets("notes", long_text)
    pair.colleague_sets("notes", f"other {long_text[6:]}")
    texts = [pair.salesforce["notes"], pair.partner_center["notes"]]
    plan = pair.plan()
    for _, change in all_writes(plan):
        assert change.new in texts
        assert any(str(change.old) in line.text for line in plan.losses) or change.old == pair.link.base.get("notes")


# --- reported once ----------------------------------------------------------------------------------------------------


@given(any_pair(), st.integers(1, 5))
def test_a_refusal_is_reported_once(pair: PairModel, rounds: int) -> None:
    reconcile_to_the_end(pair)
    lines, refusals = list(pair.reported_lines), refused_values(pair)
    for _ in range(rounds):
        pair.advance_time()
        pair.reconcile()
    assert pair.reported_lines == lines
    assert refused_values(pair) == refusals


def refused_values(pair: PairModel) -> dict[str, str]:
    return {key: record.value for key, record in pair.link.refused.items()}


@given(any_pair(), st.data())
def test_a_refusal_is_reported_again_only_for_another_value(pair: PairModel, data: st.DataObject) -> None:
    """A closed deal accepts nothing: each further value that the seller enters is refused, and reported once."""
    pair.status = Status("Closed", "Won")
    pair.partner_center["status"] = pair.status
    pair.rules = Rules({"money": Rule("money", "Deal value")})
    pair.link = replace(pair.link, base=Deal(money=pair.partner_center["money"]))
    entered = data.draw(st.lists(st.sampled_from(VALUES["money"][:3]), min_size=1, max_size=5))
    expected, last = 0, None
    for value in entered:
        pair.seller_sets("money", value)
        for _ in range(2):
            pair.reconcile()
            pair.advance_time()
        if value == pair.partner_center["money"]:
            last = None
        elif value != last:
            expected, last = expected + 1, value
    assert sum("the deal is closed" in line for line in pair.reported_lines) == expected
