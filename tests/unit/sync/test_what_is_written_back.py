"""Which opportunities do not show the state of the sync, and what follows each answer to a write of values."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal
from shared.domain.link import TRY_AGAIN, Effect, EffectKind, Intent, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.plan_lead import ACCEPTED_LEAD
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral
from shared.domain.repeats import UNREADABLE
from shared.domain.transitions import Transition
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, Entry, Outcome, Result, Write, Written
from shared.sync.write_opportunity import (
    batches_of_write_backs,
    must_be_written_singly,
    prepare_write,
    take_answer,
)
from tests.unit.sync.harness import START, Harness

SHOWN = Opportunity("006", Deal(notes="old"), flagged=True, modified=START, referral_id="ref")
AGREED = Link("006", referral_id="ref", mark=Mark.SYNCED)
CREATING = Intent((Effect(EffectKind.CREATE_REFERRAL, Deal()),))
LINE = Line(START, "created_referral")
UNTIL = AnswerTime(START + timedelta(days=9))
AUDIT, STATUS, LINK, IDENTIFIER = "Audit__c", "Sync_Status__c", "Referral_Link__c", "Referral_Identifier__c"
FLAG, ANSWER_BY = "Sync_with_Partner_Center__c", "Answer_By__c"
NOTES, NAME = Change("notes", "Notes", "old", "new"), Change("name", "Name", "old", "new")


def pair_of(link: Link, opportunity: Opportunity | None = SHOWN) -> Pair:
    return Pair("006", Entry(link, "etag", timedelta()), link, START, opportunity=opportunity)


def is_written_back(harness: Harness, pair: Pair) -> bool:
    return batches_of_write_backs(harness.first.ctx, [pair]) == [[pair]]


def test_an_opportunity_that_shows_all_is_left_alone(harness: Harness) -> None:
    assert not is_written_back(harness, pair_of(AGREED))


@pytest.mark.parametrize(
    ("link", "opportunity"),
    [
        (replace(AGREED, unwritten=True), SHOWN),
        (replace(AGREED, mark=None), SHOWN),
        (replace(AGREED, mark=Mark.FAILED), SHOWN),
        (AGREED, replace(SHOWN, referral_id=None)),
        (AGREED, replace(SHOWN, answer_by=START)),
        (replace(AGREED, state=State.ON_HOLD, answer_by=UNTIL, mark=Mark.WAITING), SHOWN),
        (replace(AGREED, lead=ACCEPTED_LEAD), replace(SHOWN, flagged=False)),
    ],
)
def test_an_opportunity_is_written_for_each_thing_that_it_lacks(
    harness: Harness, link: Link, opportunity: Opportunity
) -> None:
    assert is_written_back(harness, pair_of(link, opportunity))


def test_a_line_that_waits_is_written(harness: Harness) -> None:
    pair = pair_of(AGREED)
    pair.take_plan(Plan(Deal(), lines=(LINE,)))
    assert is_written_back(harness, pair)


@pytest.mark.parametrize(
    ("outcome", "intent", "is_written"),
    [
        (Outcome(Result.PARKED, "x"), None, True),
        (Outcome(Result.RETRY, "x"), None, False),
        (RECONCILED, None, False),
        (Outcome(Result.RETRY, "x"), CREATING, True),
    ],
)
def test_a_pair_that_is_tried_again_reports_nothing_unless_it_is_new(
    harness: Harness, outcome: Outcome, intent: Intent | None, *, is_written: bool
) -> None:
    pair = pair_of(replace(AGREED, intent=intent, unwritten=True))
    pair.end(outcome)
    assert is_written_back(harness, pair) is is_written


def test_without_an_opportunity_nothing_is_written(harness: Harness) -> None:
    assert not is_written_back(harness, pair_of(replace(AGREED, unwritten=True), None))


LACKING = [
    (replace(AGREED, unwritten=True), SHOWN, AUDIT),
    (replace(AGREED, mark=None), SHOWN, STATUS),
    (AGREED, replace(SHOWN, referral_id=None), IDENTIFIER),
    (AGREED, SHOWN, LINK),
    (AGREED, replace(SHOWN, answer_by=START), ANSWER_BY),
    (replace(AGREED, lead=ACCEPTED_LEAD), replace(SHOWN, flagged=False), FLAG),
]


@pytest.mark.parametrize(("link", "opportunity", "column"), LACKING)
def test_a_refused_column_is_tried_again_after_an_hour(
    harness: Harness, link: Link, opportunity: Opportunity, column: str
) -> None:
    pair = pair_of(replace(link, unshown=Unshown((column,), harness.now())), opportunity)
    assert not is_written_back(harness, pair)
    harness.advance_time(TRY_AGAIN.total_seconds())
    assert is_written_back(harness, pair)


@pytest.mark.parametrize(("link", "opportunity", "column"), [row for row in LACKING if row[2] != LINK])
def test_a_refused_column_stops_no_other(harness: Harness, link: Link, opportunity: Opportunity, column: str) -> None:
    del column
    pair = pair_of(replace(link, unshown=Unshown(("Microsoft_Status__c",), harness.now())), opportunity)
    assert is_written_back(harness, pair)


def test_a_refused_column_alone_causes_no_write(harness: Harness) -> None:
    assert not is_written_back(harness, pair_of(replace(AGREED, unshown=Unshown((AUDIT,), harness.now()))))


# --- values


@pytest.fixture
def pair(harness: Harness) -> Pair:
    """A pair under its lease, with a plan to write its notes."""
    pair = acquire(harness.first.ctx, "006")
    assert isinstance(pair, Pair)
    pair.take_link(replace(pair.link, referral_id="ref", mark=Mark.SYNCED))
    pair.take_read_back(SHOWN)
    pair.take_plan(Plan(Deal(notes="old"), (), (NOTES,)))
    return pair


def refused(field: str | None, code: str = "x") -> Cause:
    return Cause(code, field, "No.", "Change it.")


@pytest.mark.parametrize(
    ("changes", "refusal", "is_single"),
    [
        ((NOTES,), refused("Description"), False),
        ((NOTES,), None, False),
        ((NOTES,), refused(AUDIT), True),
        ((NOTES,), refused(None, UNREADABLE), True),
        ((NOTES, NAME), refused("Description"), True),
    ],
)
def test_values_are_written_singly_where_any_may_be_the_refused_one(
    harness: Harness, pair: Pair, changes: tuple[Change, ...], refusal: Cause | None, *, is_single: bool
) -> None:
    pair.take_plan(Plan(Deal(), (), changes))
    answer = Written("006", None, START, refused=refusal)
    assert must_be_written_singly(harness.first.ctx, pair, answer) is is_single
    pair.drop_plan()
    assert not must_be_written_singly(harness.first.ctx, pair, answer)


def test_a_write_has_its_condition_and_shows_the_state_only_if_it_may(harness: Harness, pair: Pair) -> None:
    pair.take_recovery(Transition(pair.link, (LINE,)))
    whole = prepare_write(harness.first.ctx, pair)
    bare = prepare_write(harness.first.ctx, pair, is_shown=False)
    assert bare == Write("006", {"Description": "new"}, START)
    assert whole is not None
    assert whole.values.keys() == {"Description", STATUS, AUDIT}
    assert (whole.values[STATUS], whole.unmodified_since) == ("Synced", START)
    assert "A referral was created" in whole.values[AUDIT]
    assert "Notes" in whole.values[AUDIT]


def test_a_write_without_a_refused_column_shows_nothing_of_ours(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, unshown=Unshown((AUDIT,), START)))
    assert prepare_write(harness.first.ctx, pair) == Write("006", {"Description": "new"}, START)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"lead": ACCEPTED_LEAD}, {FLAG: True}),
        ({"state": State.ON_HOLD, "answer_by": UNTIL}, {ANSWER_BY: UNTIL.until.isoformat(timespec="seconds")}),
        ({"referral_id": "other"}, {IDENTIFIER: "other"}),
    ],
)
def test_a_write_of_values_shows_what_the_opportunity_lacks(
    harness: Harness, pair: Pair, values: dict[str, object], shown: dict[str, object]
) -> None:
    pair.take_link(replace(pair.link, **values))  # type: ignore[arg-type] # values of a link
    pair.take_read_back(replace(SHOWN, flagged="lead" not in values))
    pair.take_plan(Plan(Deal(notes="old"), (), (NOTES,), answer_by=pair.link.answer_by, state=pair.link.state))
    write = prepare_write(harness.first.ctx, pair)
    assert write is not None
    assert write.values.items() >= {"Description": "new", **shown}.items()
    assert write.values.keys() - {LINK} == {"Description", STATUS, AUDIT, *shown}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Written("006", None, START, locked=True), Outcome(Result.RETRY, "locked")),
        (Written("006", None, START), Outcome(Result.RETRY, "not_read_back", unsure=True)),
        (
            Written("006", None, START, refused=refused("Description")),
            Outcome(Result.PARKED, "x", START + TRY_AGAIN, pushed="006"),
        ),
    ],
)
def test_each_answer_has_its_outcome(harness: Harness, pair: Pair, answer: Written, outcome: Outcome) -> None:
    take_answer(harness.first.ctx, pair, answer)
    assert pair.outcome == outcome


@pytest.mark.parametrize("is_last", [True, False])
def test_a_refused_value_is_told_and_not_written_again(harness: Harness, pair: Pair, *, is_last: bool) -> None:
    answer = Written("006", None, START, refused=refused("Description"))
    take_answer(harness.first.ctx, pair, answer, is_last=is_last)
    assert pair.plan is not None
    assert pair.plan.to_salesforce == ()
    assert (pair.outcome is not None, pair.link.state) == (is_last, State.PARKED)
    assert len(harness.store.audit("006")) == 1


@pytest.mark.parametrize(("of_opportunity", "of_referral"), [(5, 0), (0, 5), (-5, -5), (5, 9)])
def test_only_an_edit_after_all_others_lets_a_refused_value_be_written_again(
    harness: Harness, pair: Pair, of_opportunity: int, of_referral: int
) -> None:
    changed = START + timedelta(hours=of_opportunity), START + timedelta(hours=of_referral)
    pair.take_read_back(replace(SHOWN, modified=changed[0]))
    pair.take_referral(Referral("ref", "etag", Deal(), changed[1]))
    take_answer(harness.first.ctx, pair, Written("006", None, START, refused=refused("Description")))
    (known,) = pair.link.refused.values()
    assert known.since == max(START, *changed)
