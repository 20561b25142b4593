"""Which pairs get a plan, and what a pair at rest, a lead or an interrupted run has instead or before."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.deal import Deal, Status
from shared.domain.help_request import HelpRequest
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.domain.link_states import Mark, State
from shared.domain.plan_lead import ACCEPTED_LEAD, OPEN_LEAD
from shared.domain.records import Opportunity, Referral
from shared.sync.decide_pair import end_rest, leave_sync, make_plan
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, Entry
from tests.unit.sync.harness import START, Harness

OPEN, PENDING, LOST = Status("Active", "Accepted"), Status("New", "Pending"), Status("Closed", "Lost")
TICKED = Opportunity("006", Deal(notes="same", status=OPEN), flagged=True, modified=START, referral_id="ref")
UNTICKED = replace(TICKED, flagged=False)
REFERRAL = Referral("ref", "7", Deal(notes="same", status=OPEN), START, OPEN, raw={})
LIVE = Link("006", referral_id="ref", base=Deal(notes="same", status=OPEN), mark=Mark.SYNCED)
PAUSED, CLOSED = replace(LIVE, state=State.PAUSED), replace(LIVE, state=State.CLOSED)
WAITING = {"notes": Difference("x", "y", START)}
HELP = HelpRequest("Workload", "x", START)


def pair_of(link: Link, opportunity: Opportunity = TICKED, referral: Referral | None = REFERRAL) -> Pair:
    return Pair("006", Entry(link, "etag", timedelta()), link, START, opportunity=opportunity, referral=referral)


def planned(harness: Harness, pair: Pair) -> Pair:
    make_plan(harness.first.ctx, pair)
    return pair


def codes_of(pair: Pair) -> list[str]:
    """The lines that wait for the next write of the row."""
    return [line.code for line in pair.pending.recovered]


# --- rest


def test_a_live_deal_has_a_plan_and_one_that_is_ticked_again_is_live(harness: Harness) -> None:
    for link in (LIVE, PAUSED, replace(PAUSED, state=State.GONE)):
        pair = planned(harness, pair_of(link))
        assert (pair.plan is not None, pair.link.state, pair.outcome) == (True, State.LIVE, None)


@pytest.mark.parametrize(("is_unwritten", "outcome"), [(False, RECONCILED), (True, None)])
def test_an_unticked_deal_pauses_and_shows_what_it_has_not_shown(
    harness: Harness, outcome: object, *, is_unwritten: bool
) -> None:
    link = replace(LIVE, mark=None, unwritten=is_unwritten)
    pair = planned(harness, pair_of(link, UNTICKED))
    assert (pair.plan, pair.link.state, pair.outcome) == (None, State.PAUSED, outcome)


def test_a_closed_deal_has_no_plan_and_says_what_was_edited_on_either_side(harness: Harness) -> None:
    pair = planned(harness, pair_of(CLOSED))
    assert (pair.plan, pair.outcome, codes_of(pair)) == (None, None, [])
    edited = replace(TICKED, deal=Deal(notes="here")), replace(REFERRAL, deal=Deal(notes="there"))
    assert len(codes_of(planned(harness, pair_of(CLOSED, edited[0])))) == 1
    assert len(codes_of(planned(harness, pair_of(CLOSED, TICKED, edited[1])))) == 1
    assert len(codes_of(planned(harness, pair_of(CLOSED, edited[0], None)))) == 1


def test_without_its_referral_a_live_deal_is_left_as_it_is(harness: Harness) -> None:
    pair = planned(harness, pair_of(PAUSED, TICKED, None))
    assert (pair.plan, pair.link) == (None, PAUSED)


@pytest.mark.parametrize(
    ("link", "opportunity", "state"),
    [
        (PAUSED, UNTICKED, State.PAUSED),
        (replace(PAUSED, lead=OPEN_LEAD), UNTICKED, State.LIVE),
        (replace(LIVE, state=State.GONE, before=State.PAUSED), UNTICKED, State.PAUSED),
        (replace(LIVE, state=State.GONE, before=State.PAUSED), TICKED, State.LIVE),
        (replace(LIVE, state=State.GONE, before=State.PARKED), TICKED, State.PARKED),
    ],
)
def test_a_rest_ends_with_the_tick_or_when_the_opportunity_is_there_again(
    harness: Harness, link: Link, opportunity: Opportunity, state: State
) -> None:
    pair = pair_of(link, opportunity)
    end_rest(harness.first.ctx, pair, opportunity)
    assert (pair.link.state, pair.link.referral_id) == (state, "ref")


def test_a_deal_that_does_not_rest_goes_on_as_it_is(harness: Harness) -> None:
    pair = pair_of(replace(LIVE, state=State.PARKED, agreed=True))
    before = pair.link
    end_rest(harness.first.ctx, pair, TICKED)
    assert pair.link is before


@pytest.mark.parametrize("link", [Link("006", waiting=WAITING), replace(LIVE, waiting=WAITING)])
def test_an_unticked_deal_waits_for_nothing(harness: Harness, link: Link) -> None:
    pair = pair_of(link, UNTICKED)
    leave_sync(harness.first.ctx, pair)
    assert dict(pair.link.waiting) == {}
    assert (pair.link.state is State.PAUSED) is (link.referral_id is not None)


def test_that_nobody_looks_for_the_help_of_an_unticked_deal_is_told(harness: Harness) -> None:
    pair = pair_of(Link("006", help=HELP), UNTICKED)
    leave_sync(harness.first.ctx, pair)
    assert (pair.link.help, len(codes_of(pair))) == (HELP, 1)


def test_an_unticked_deal_without_anything_that_waits_is_left_as_it_is(harness: Harness) -> None:
    pair = pair_of(Link("006", cause=None, base=Deal(notes="x")), UNTICKED)
    before = pair.link
    leave_sync(harness.first.ctx, pair)
    assert pair.link is before


# --- what another plan of the run put on record


def test_what_nobody_stored_was_not_told_so_a_new_plan_begins_with_what_is_stored(harness: Harness) -> None:
    until = AnswerTime(START + timedelta(days=9))
    stored = replace(LIVE, reported=("a",), refused=WAITING, answer_by=until)
    pair = pair_of(replace(LIVE, reported=("b",), waiting=WAITING))
    pair.entry = Entry(stored, "etag", timedelta())
    planned(harness, pair)
    link = pair.link
    assert (link.reported, link.refused, link.waiting, link.answer_by) == (("a",), WAITING, {}, until)


def test_a_referral_from_the_base_is_read_only_for_a_whole_list(harness: Harness) -> None:
    pair = pair_of(LIVE, replace(TICKED, deal=Deal(notes="new", status=OPEN)))
    pair.take_referral(REFERRAL, is_from_base=True)
    planned(harness, pair)
    assert pair.plan is not None
    assert [change.new for change in pair.plan.to_partner_center] == ["new"]
    assert "partner_center.get" not in harness.first.process.calls


# --- a stage that nobody chose


@pytest.mark.parametrize(
    ("by_us", "status", "is_new", "is_question"),
    [(True, LOST, False, True), (False, LOST, False, False), (True, OPEN, False, False), (True, LOST, True, False)],
)
def test_a_stage_that_the_sync_itself_saved_is_a_question(
    harness: Harness, status: Status, *, by_us: bool, is_new: bool, is_question: bool
) -> None:
    user = harness.first.ctx.salesforce.user_id() if by_us else "005000000000001AAA"
    pair = pair_of(LIVE, replace(TICKED, deal=Deal(status=status), stage="A", modified_by=user))
    pair.decide_create(is_wanted=is_new)
    planned(harness, pair)
    assert pair.plan is not None
    assert (pair.plan.cause is not None) is is_question


# --- counted changes


@pytest.mark.parametrize(("granted", "count"), [(None, None), ((), 1)])
def test_a_later_plan_is_counted_once_the_changes_of_the_run_are_counted(
    harness: Harness, granted: tuple[()] | None, count: int | None
) -> None:
    pair = pair_of(LIVE, replace(TICKED, deal=Deal(notes="new", status=OPEN)))
    if granted is not None:
        pair.take_granted(granted)
    planned(harness, pair)
    assert pair.plan is not None
    assert [change.new for change in pair.plan.to_partner_center] == ["new"]
    assert (pair.granted if pair.granted is None else len(pair.granted)) == count


# --- leads


def test_an_open_lead_is_planned_as_a_lead(harness: Harness) -> None:
    lead = replace(REFERRAL, is_lead=True, status=PENDING, deal=Deal(notes="same", status=PENDING))
    pair = planned(harness, pair_of(replace(LIVE, lead=OPEN_LEAD), UNTICKED, lead))
    assert (pair.plan is not None, pair.link.lead, codes_of(pair)) == (True, OPEN_LEAD, [])


@pytest.mark.parametrize(
    ("lead", "opportunity", "after", "codes"),
    [
        (OPEN_LEAD, UNTICKED, ACCEPTED_LEAD, ["lead_accepted"]),
        (OPEN_LEAD, TICKED, None, ["lead_accepted"]),
        (ACCEPTED_LEAD, TICKED, None, []),
        (ACCEPTED_LEAD, UNTICKED, ACCEPTED_LEAD, []),
    ],
)
def test_an_accepted_lead_is_a_deal_and_says_so_once(
    harness: Harness, lead: str, opportunity: Opportunity, after: str | None, codes: list[str]
) -> None:
    pair = planned(harness, pair_of(replace(LIVE, lead=lead), opportunity))
    assert (pair.plan is not None, pair.link.lead, codes_of(pair)) == (True, after, codes)


# --- an interrupted run


def test_a_recovered_write_of_an_end_names_the_end_of_the_referral(harness: Harness) -> None:
    pair = pair_of(replace(LIVE, base=Deal(status=OPEN)), replace(TICKED, deal=Deal(status=LOST)))
    end = Status("Closed", "Expired")
    pair.take_referral(replace(REFERRAL, status=end, deal=Deal(status=LOST)))
    pair.interrupted = Intent((Effect(EffectKind.WRITE_OPPORTUNITY, Deal(status=LOST), Deal(status=OPEN), "v"),))
    planned(harness, pair)
    assert pair.interrupted == Intent()
    assert [line.after for line in pair.pending.recovered] == ["Closed/Expired"]
