"""What each pair of a run ends with, what its row holds then, and which calls a paused side or a fresh save stops."""

from copy import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Change, Deal, Side, Status
from shared.domain.link import TRY_AGAIN, Difference, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral
from shared.sync.pair_lease import Pair, acquire
from shared.sync.ports import RECONCILED, WAITING, Outcome, Result, SideState
from shared.sync.reconcile import Work, carry_out, open_pulled, open_pushed
from tests.unit.sync.harness import START, Harness

OPEN, LOST = Status("Active", "Accepted"), Status("Closed", "Lost")
SHOWN = Opportunity("006", Deal(status=OPEN), flagged=True, modified=START, referral_id="ref")
REFERRAL = Referral("ref", "7", Deal(status=OPEN), START, OPEN, raw={})
SOON, LATER = START + timedelta(minutes=10), START + timedelta(hours=1)
STOPPED = {"notes": Difference("x", MASS_CHANGE, START)}
HELD_BACK = {"notes": Difference("x", "settling", START)}
LINE = Line(START, "created_referral")
THERE = Side.PARTNER_CENTER


@pytest.fixture
def pair(harness: Harness) -> Pair:
    """A pair under its lease of which both sides agree, and show so."""
    pair = acquire(harness.first.ctx, "006")
    assert isinstance(pair, Pair)
    pair.take_link(Link("006", intent=pair.link.intent, referral_id="ref", base=Deal(status=OPEN), mark=Mark.SYNCED))
    pair.take_read_back(SHOWN)
    pair.take_referral(REFERRAL)
    return pair


def end_of(harness: Harness, pair: Pair) -> Outcome:
    return carry_out(harness.first.ctx, Work([pair], {}))[pair.id]


def planned(pair: Pair, **values: object) -> None:
    pair.take_plan(Plan(pair.link.base, **values))  # type: ignore[arg-type] # values of a plan


# --- outcomes


@pytest.mark.parametrize(("due", "outcome"), [(None, RECONCILED), (LATER, Outcome(Result.RETRY, WAITING, LATER))])
def test_a_pair_is_done_unless_something_of_its_plan_is_due_later(
    harness: Harness, pair: Pair, due: datetime | None, outcome: Outcome
) -> None:
    planned(pair, due=due)
    assert end_of(harness, pair) == outcome


PARKED = Outcome(Result.PARKED, "x", LATER)


@pytest.mark.parametrize(
    ("ended", "due", "at"),
    [
        (PARKED, SOON, SOON),
        (PARKED, START, LATER),
        (PARKED, LATER + timedelta(hours=1), LATER),
        (PARKED, None, LATER),
        (replace(PARKED, at=None), SOON, SOON),
        (Outcome(Result.RETRY, "x", LATER), SOON, LATER),
    ],
)
def test_what_was_refused_does_not_stop_what_is_due_before_its_next_try(
    harness: Harness, pair: Pair, ended: Outcome, due: datetime | None, at: datetime
) -> None:
    planned(pair, due=due)
    plan = pair.plan
    pair.end(ended)
    if plan is not None:
        pair.take_plan(plan)
    assert end_of(harness, pair) == replace(ended, at=at)


@pytest.mark.parametrize(
    ("state", "ended", "outcome"),
    [
        (State.HELD, None, Outcome(Result.HELD, "held")),
        (State.HELD, Outcome(Result.RETRY, "x"), Outcome(Result.RETRY, "x")),
        (State.LIVE, None, RECONCILED),
    ],
)
def test_a_held_deal_is_looked_at_by_the_hour_unless_it_is_tried_again(
    harness: Harness, pair: Pair, state: State, ended: Outcome | None, outcome: Outcome
) -> None:
    pair.take_link(replace(pair.link, state=state))
    if ended:
        pair.end(ended)
    assert end_of(harness, pair) == outcome


@pytest.mark.parametrize(
    ("waiting", "ended", "cause"),
    [
        (STOPPED, None, "mass_change"),
        (STOPPED, Outcome(Result.PARKED, "x"), "mass_change"),
        (STOPPED, Outcome(Result.RETRY, "x"), "x"),
        (HELD_BACK, None, ""),
        ({}, None, ""),
    ],
)
def test_what_waits_for_an_operator_is_looked_at_each_hour(
    harness: Harness, pair: Pair, waiting: dict[str, Difference], ended: Outcome | None, cause: str
) -> None:
    mark = Mark.WAITING if waiting else Mark.SYNCED
    pair.take_link(replace(pair.link, waiting=waiting, mark=mark))
    if ended:
        pair.end(ended)
    found = end_of(harness, pair)
    assert (found.cause, found.at is not None) == (cause, cause == "mass_change")


@pytest.mark.parametrize(
    ("since", "due", "at"),
    [
        (START, None, START + TRY_AGAIN),
        (START, SOON, SOON),
        (START - TRY_AGAIN, SOON, SOON),
        (START, START + 2 * TRY_AGAIN, START + TRY_AGAIN),
    ],
)
def test_a_column_that_was_refused_is_tried_after_its_hour_or_with_what_is_due_before(
    harness: Harness, pair: Pair, since: datetime, due: datetime | None, at: datetime
) -> None:
    pair.take_link(replace(pair.link, unshown=Unshown(("Microsoft_Status__c",), since)))
    planned(pair, due=due)
    assert end_of(harness, pair) == Outcome(Result.RETRY, WAITING, at)


# --- rows


def test_a_deal_that_is_lost_on_both_sides_is_closed(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, base=Deal(status=LOST)))
    pair.take_read_back(replace(SHOWN, deal=Deal(status=LOST)))
    pair.take_referral(replace(REFERRAL, status=LOST, deal=Deal(status=LOST)))
    end_of(harness, pair)
    assert harness.stored_link("006").state is State.CLOSED


@pytest.mark.parametrize(
    ("values", "cause", "is_kept"),
    [
        ({}, "", False),
        ({}, "busy", False),
        ({}, "other", True),
        ({"reported": ("x",)}, "", True),
        ({"waiting": HELD_BACK}, "", True),
        ({"cause": Cause("x", None, "No.", "Ask.")}, "", True),
        ({"referral_id": "ref"}, "", True),
    ],
)
def test_a_row_that_was_only_made_for_the_work_is_deleted(
    harness: Harness, values: dict[str, object], cause: str, *, is_kept: bool
) -> None:
    pair = acquire(harness.first.ctx, "006")
    assert isinstance(pair, Pair)
    pair.take_link(replace(pair.link, **values))  # type: ignore[arg-type] # values of a link
    pair.end(Outcome(Result.RETRY, cause) if cause else RECONCILED)
    end_of(harness, pair)
    assert (harness.store.link("006") is not None) is is_kept


# --- a side that is paused


def paused(harness: Harness) -> Outcome:
    until = harness.now() + timedelta(minutes=5)
    harness.first.ctx.store.write_side_state(THERE, SideState(paused_until=until))
    return Outcome(Result.RETRY, "side_paused", until)


def test_no_event_is_read_while_partner_center_is_paused(harness: Harness) -> None:
    deal = harness.shared_deal()
    outcome = paused(harness)
    work = open_pulled(harness.first.ctx, [deal])
    assert [pair.outcome for pair in work.pairs] == [outcome]
    assert harness.new_calls()["partner_center.get"] == 0


def test_no_push_begins_while_partner_center_is_paused(harness: Harness) -> None:
    deal = harness.shared_deal()
    outcome = paused(harness)
    work = open_pushed(harness.first.ctx, [deal])
    assert [pair.outcome for pair in work.pairs] == [outcome]


def test_no_change_is_sent_while_partner_center_is_paused(harness: Harness, pair: Pair) -> None:
    planned(pair, to_partner_center=(Change("notes", "Notes", "old", "new"),))
    outcome = paused(harness)
    assert end_of(harness, pair) == outcome
