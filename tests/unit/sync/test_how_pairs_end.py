"""What each pair of a run ends with, what its row holds then, and which calls a paused side or a fresh save stops."""

from copy import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.cause import Cause
from shared.domain.clones import LOOK_AGAIN
from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Change, Deal, Side, Status
from shared.domain.known_versions import referral_from_base
from shared.domain.link import TRY_AGAIN, Difference, Effect, EffectKind, Intent, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral
from shared.sync.acquire_pair import Work, acquire
from shared.sync.pair_lease import Pair, record_intent
from shared.sync.ports import RECONCILED, WAITING, Outcome, Result, SideState
from shared.sync.reconcile import carry_out, open_pulled, open_pushed
from tests.unit.sync.harness import AFTER_LEASE, START, Harness

OPEN, LOST = Status("Active", "Accepted"), Status("Closed", "Lost")
SHOWN = Opportunity("006", Deal(status=OPEN), flagged=True, modified=START, referral_id="ref")
REFERRAL = Referral("ref", "7", Deal(status=OPEN), START, OPEN, raw={})
SOON, LATER = START + timedelta(minutes=10), START + timedelta(hours=1)
STOPPED = {"notes": Difference("x", MASS_CHANGE, START)}
HELD_BACK = {"notes": Difference("x", "settling", START)}
WRITE = Effect(EffectKind.WRITE_OPPORTUNITY, Deal(notes="new"), Deal(notes="old"), "v")
MARK, FLAG = Effect(EffectKind.MARK_OPPORTUNITY), "Sync_with_Partner_Center__c"
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
    ("state", "asked", "ended", "outcome"),
    [
        (State.HELD, (), None, Outcome(Result.HELD, "held", pushed="006")),
        (State.HELD, ("clone:006",), None, Outcome(Result.HELD, "held", START + LOOK_AGAIN, pushed="006")),
        (State.HELD, (), Outcome(Result.RETRY, "x"), Outcome(Result.RETRY, "x")),
        (State.LIVE, (), None, RECONCILED),
    ],
)
def test_a_held_deal_is_looked_at_by_the_hour_unless_it_is_tried_again(
    harness: Harness, pair: Pair, state: State, asked: tuple[str, ...], ended: Outcome | None, outcome: Outcome
) -> None:
    pair.take_link(replace(pair.link, state=state, reported=asked))
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


@pytest.mark.parametrize(
    ("rests_in", "outcome"),
    [(timedelta(seconds=5), Outcome(Result.RETRY, "just_saved", START + timedelta(seconds=5))), (timedelta(), None)],
)
def test_a_record_that_was_just_saved_is_written_once_no_other_save_is_open(
    harness: Harness, pair: Pair, rests_in: timedelta, outcome: Outcome | None
) -> None:
    pair.take_read_back(replace(SHOWN, rests_in=rests_in))
    planned(pair, to_salesforce=(Change("notes", "Notes", "old", "new"),))
    assert (end_of(harness, pair) == outcome) is (outcome is not None)
    assert harness.first.process.calls.count("salesforce.update_unmodified") == int(outcome is None)


@pytest.mark.parametrize("ended", [RECONCILED, Outcome(Result.PARKED, "x")])
def test_a_record_is_not_looked_at_for_its_rest_once_the_work_has_ended(
    harness: Harness, pair: Pair, ended: Outcome
) -> None:
    pair.take_read_back(replace(SHOWN, rests_in=timedelta(seconds=5)))
    planned(pair, to_salesforce=(Change("notes", "Notes", "old", "new"),))
    pair.outcome = ended
    assert end_of(harness, pair) == ended


# --- deals that are not ticked


@pytest.mark.parametrize(("is_unwritten", "outcome"), [(False, RECONCILED), (True, None)])
def test_a_paused_deal_is_done_once_it_has_shown_all(
    harness: Harness, outcome: Outcome | None, *, is_unwritten: bool
) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{FLAG: False})
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, replace(entry.value, state=State.PAUSED, unwritten=is_unwritten))
    (pair,) = open_pushed(harness.first.ctx, [deal]).pairs
    assert (pair.outcome, pair.link.state) == (outcome, State.PAUSED)


@pytest.mark.parametrize("is_unwritten", [True, False])
def test_an_unticked_opportunity_without_a_referral_is_done(harness: Harness, *, is_unwritten: bool) -> None:
    deal = harness.seller_creates(**{FLAG: False})
    harness.store.insert_link(Link(deal, reported=("x",), unwritten=is_unwritten))
    (pair,) = open_pushed(harness.first.ctx, [deal]).pairs
    assert pair.outcome == RECONCILED


@pytest.mark.parametrize(
    ("referral_id", "effects", "is_read"),
    [("ref", (MARK,), True), ("ref", (), False), (None, (MARK,), False)],
)
def test_an_unticked_deal_recovers_what_an_interrupted_run_wrote_to_its_referral(
    harness: Harness, referral_id: str | None, effects: tuple[Effect, ...], *, is_read: bool
) -> None:
    deal = harness.seller_creates(**{FLAG: False})
    named = harness.partner_center.portal_creates({"name": "Atlas"}) if referral_id else None
    harness.store.insert_link(Link(deal, reported=("x",), referral_id=named, intent=Intent(effects)))
    harness.advance_time(AFTER_LEASE)
    (pair,) = open_pushed(harness.first.ctx, [deal]).pairs
    assert (pair.referral is not None, pair.outcome is not None) == (is_read, True)


# --- a referral that is known


@pytest.mark.parametrize("status", [OPEN, None])
def test_a_referral_from_the_base_has_the_values_that_were_agreed(harness: Harness, status: Status | None) -> None:
    base = Deal(notes="agreed") if status is None else Deal(notes="agreed", status=status)
    link = Link("006", referral_id="ref", etag="7", base=base)
    referral = referral_from_base(link, SHOWN, harness.translation.rules)
    assert (referral.id, referral.etag, referral.status, referral.updated) == ("ref", "7", status, START)
    assert referral.deal == base


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


@pytest.mark.parametrize(("effect", "is_stored"), [(MARK, True), (WRITE, False)])
def test_after_a_write_of_unknown_outcome_the_row_waits_for_recovery_unless_only_a_mark_was_written(
    harness: Harness, pair: Pair, effect: Effect, *, is_stored: bool
) -> None:
    record_intent(harness.first.ctx, pair, effect)
    pair.take_link(replace(pair.link, reported=("x",)))
    pair.end(Outcome(Result.RETRY, "x", unsure=True))
    end_of(harness, pair)
    link = harness.stored_link("006")
    assert (link.reported, link.intent) == (("x",) if is_stored else (), Intent((effect,)))


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


def test_what_only_salesforce_has_to_take_is_written_while_partner_center_is_paused(
    harness: Harness, pair: Pair
) -> None:
    planned(pair, to_salesforce=(Change("notes", "Notes", "old", "new"),))
    paused(harness)
    assert end_of(harness, pair).cause != "side_paused"
    assert harness.first.process.calls.count("salesforce.update_unmodified") == 1


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_test_referral_is_read_to_be_closed_unless_partner_center_is_paused(*, is_paused: bool) -> None:
    with Harness(tag="staging") as staging:
        deal = staging.shared_deal()
        entry = staging.store.link(deal)
        assert entry is not None
        staging.store.replace_link(entry, replace(entry.value, close_as_test=True))
        if is_paused:
            paused(staging)
        open_pushed(staging.first.ctx, [deal])
        assert (staging.new_calls()["partner_center.get"] > 0) is not is_paused


# --- copies


def test_a_copy_of_a_shared_deal_is_held_and_the_deal_itself_is_not(harness: Harness) -> None:
    deal = harness.shared_deal(Name="Atlas")
    copy = harness.seller_creates(Name="Atlas")
    first, second = open_pushed(harness.first.ctx, [deal, copy]).pairs
    assert (first.link.state, second.link.state) == (State.LIVE, State.HELD)
