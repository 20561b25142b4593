"""The plan: it comes to rest, never forces a latch, writes only what changed, and loses no edit without a line."""

from copy import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deal import Deal, Side, Status, display_text
from shared.domain.field_rules import Rule, Rules
from shared.domain.latches import SUBSTATUSES, TRANSITIONS
from shared.domain.link_states import State
from shared.domain.plan import Change, Plan
from tests.property.pair_model import FIELDS, VALUES, WAIT, Edit, PairModel, edits, make, pairs

HISTORIES = st.lists(edits(), min_size=1, max_size=3)


def writes(plan: Plan) -> list[tuple[Side, Change]]:
    return [
        *((Side.PARTNER_CENTER, change) for change in plan.to_partner_center),
        *((Side.SALESFORCE, change) for change in plan.to_salesforce),
    ]


def settled(pair: PairModel) -> None:
    """Two rounds: what is due at once, and what had to stand for a while."""
    pair.settle()
    pair.later(WAIT)
    pair.settle()


# --- rest -------------------------------------------------------------------------------------------------------------


@given(pairs(ignoring=True), HISTORIES)
def test_after_the_waits_one_more_round_writes_and_tells_nothing(pair: PairModel, history: list[list[Edit]]) -> None:
    for some in history:
        for edit in some:
            make(pair, edit)
        settled(pair)
    pair.later()
    plan = pair.plan()
    assert (writes(plan), plan.lines, plan.losses, plan.waiting) == ([], (), (), {})


@given(pairs(ignoring=True), edits())
def test_what_differs_at_rest_is_on_record(pair: PairModel, some: list[Edit]) -> None:
    for edit in some:
        make(pair, edit)
    settled(pair)
    for rule in pair.rules:
        if pair.salesforce[rule.field] != pair.partner_center[rule.field]:
            assert {f"{side}.{rule.field}" for side in Side} & set(pair.link.refused)
        else:
            assert pair.plan().base[rule.field] == pair.salesforce[rule.field]


@given(pairs())
def test_at_once_a_second_plan_writes_nothing(pair: PairModel) -> None:
    pair.settle()
    again = pair.plan()
    assert writes(again) == []


@given(pairs())
def test_planning_is_pure(pair: PairModel) -> None:
    assert pair.plan() == pair.plan()


# --- latches ----------------------------------------------------------------------------------------------------------


@given(pairs(), HISTORIES)
def test_no_plan_forces_a_latch(pair: PairModel, history: list[list[Edit]]) -> None:
    for some in history:
        for edit in some:
            make(pair, edit)
        plan, current = pair.plan(), pair.status
        sent = {change.field: change.new for change in plan.to_partner_center}
        if current.is_final:
            assert sent == {}
        moved = sent.pop("status", current)
        assert isinstance(moved, Status)
        if moved != current:
            assert moved.status in TRANSITIONS[current.status]
            assert moved.substatus in SUBSTATUSES[moved.status]
        if current.is_unanswered and moved.status != "Active":
            assert sent == {}, "before the answer nothing else is sent"
        settled(pair)


@given(pairs())
def test_a_close_is_sent_only_after_it_has_stood(pair: PairModel) -> None:
    first = pair.settle()
    assert not any(isinstance(change.new, Status) and change.new.is_final for change in first.to_partner_center)
    if not first.waiting:
        return
    assert first.due == pair.now + WAIT
    pair.later(WAIT - timedelta(seconds=1))
    assert pair.plan().to_partner_center == ()
    pair.later(timedelta(seconds=1))
    (change,) = pair.plan().to_partner_center
    assert change.new == pair.salesforce["status"]


@given(pairs())
def test_a_close_that_does_not_stand_is_never_sent(pair: PairModel) -> None:
    pair.settle()
    pair.seller_sets("status", pair.partner_center["status"])
    pair.later(WAIT)
    assert not any(isinstance(change.new, Status) for change in pair.plan().to_partner_center)
    assert pair.plan().waiting == {}


@given(pairs())
def test_edits_made_before_the_answer_go_with_the_accept(pair: PairModel) -> None:
    sent = {change.field for change in pair.plan().to_partner_center}
    pair.settle()
    if "status" in sent and pair.status.status == "Active":
        assert not [record for record in pair.link.refused.values() if record.code == "not_answered"]
        assert pair.link.state is State.LIVE


# --- only what changed ------------------------------------------------------------------------------------------------


@given(pairs(ignoring=True), HISTORIES)
def test_only_what_changed_is_written_and_only_where_it_may(pair: PairModel, history: list[list[Edit]]) -> None:
    for some in history:
        for edit in some:
            make(pair, edit)
        plan = pair.plan()
        for side, change in writes(plan):
            rule = pair.rules[change.field]
            assert change.old == pair.holds(side, change.field) != change.new
            assert rule.direction.owns(side.other)
            assert change.new is not None or side in rule.clearable
        for changes in (plan.to_partner_center, plan.to_salesforce):
            assert len({change.field for change in changes}) == len(changes)
        settled(pair)


# --- what cannot be read ----------------------------------------------------------------------------------------------


@given(pairs(), st.frozensets(st.sampled_from(FIELDS), min_size=1), edits())
def test_what_cannot_be_read_is_told_once_and_left_alone_until_it_is_mended(
    pair: PairModel, unreadable: frozenset[str], some: list[Edit]
) -> None:
    settled(pair)
    pair.unreadable = unreadable
    for edit in some:
        make(pair, edit)
    plan = pair.plan()
    assert not unreadable & {change.field for _, change in writes(plan)}
    assert plan.cause is not None
    assert sum(plan.cause.reason in line for line in plan.lines) == 1
    settled(pair)
    assert pair.plan().lines == ()
    pair.unreadable = frozenset()
    settled(pair)
    assert pair.plan().cause is None
    assert all(
        pair.salesforce[name] == pair.partner_center[name]
        or {f"{side}.{name}" for side in Side} & set(pair.link.refused)
        for name in unreadable
    )


# --- no loss ----------------------------------------------------------------------------------------------------------


@given(pairs(ignoring=True), HISTORIES)
def test_no_edit_is_written_over_without_a_line_that_has_it(pair: PairModel, history: list[list[Edit]]) -> None:
    for some in history:
        for edit in some:
            make(pair, edit)
        for _ in range(2):
            _keeps_every_edit(pair, pair.plan())
            pair.settle()
            pair.later(WAIT)


def _keeps_every_edit(pair: PairModel, plan: Plan) -> None:
    for side, change in writes(plan):
        is_edit = change.old != pair.link.base.get(change.field) and (change.old or change.field in pair.link.base)
        kept = isinstance(change.old, str) and isinstance(change.new, str) and change.old in change.new
        if is_edit and not kept:
            lost = display_text(change.old, whole=True)
            named = [line for line in plan.losses if line.startswith(change.label)]
            assert any(lost in line for line in named), (side, change)


@given(pairs())
def test_a_long_text_that_is_given_up_stands_whole_in_the_line(pair: PairModel) -> None:
    label, long = pair.rules["notes"].label, "words " * 50 + "end"
    pair.rules = replace(pair.rules, by_field={"notes": replace(pair.rules["notes"], length=len(long), label=label)})
    pair.seller_sets("notes", long)
    pair.colleague_sets("notes", f"other {long[6:]}")
    texts = [pair.salesforce["notes"], pair.partner_center["notes"]]
    plan = pair.plan()
    for _, change in writes(plan):
        assert change.new in texts
        assert any(str(change.old) in line for line in plan.losses) or change.old == pair.link.base.get("notes")


# --- told once --------------------------------------------------------------------------------------------------------


@given(pairs(), st.integers(1, 5))
def test_a_refusal_is_told_once(pair: PairModel, rounds: int) -> None:
    settled(pair)
    told, records = list(pair.told), refusals(pair)
    for _ in range(rounds):
        pair.later()
        pair.settle()
    assert pair.told == told
    assert refusals(pair) == records


def refusals(pair: PairModel) -> dict[str, str]:
    return {key: record.value for key, record in pair.link.refused.items()}


@given(pairs(), st.data())
def test_a_refusal_is_told_again_for_another_value_and_only_then(pair: PairModel, data: st.DataObject) -> None:
    """A closed deal takes nothing: each further value that the seller enters is refused and told, each once."""
    pair.status = Status("Closed", "Won")
    pair.partner_center["status"] = pair.status
    pair.rules = Rules({"money": Rule("money", "Deal value")})
    pair.link = replace(pair.link, base=Deal(money=pair.partner_center["money"]))
    entered = data.draw(st.lists(st.sampled_from(VALUES["money"][:3]), min_size=1, max_size=5))
    expected, last = 0, None
    for value in entered:
        pair.seller_sets("money", value)
        for _ in range(2):
            pair.settle()
            pair.later()
        if value == pair.partner_center["money"]:
            last = None
        elif value != last:
            expected, last = expected + 1, value
    assert sum("the deal is closed" in line for line in pair.told) == expected
