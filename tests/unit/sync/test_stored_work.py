"""What a pair under its lease stores before a write, after it, and at the end (docs/protocol.md#lease-and-intent)."""

from copy import replace

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.deal import Change, Deal, Status
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral
from shared.domain.transitions import Transition
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair, confirm_effect, record_intent, record_writes, release
from shared.sync.ports import Outcome, Result
from tests.unit.sync.harness import START, Harness, Instance

OPPORTUNITY = Opportunity("006", Deal(notes="there"), flagged=True, modified=START, stamps={"opportunity": "o-7"})
REFERRAL = Referral("ref", "etag-7", Deal(notes="here"), START, Status("Active", "Accepted"))
HERE, THERE = Change("notes", "Notes", "there", "here"), Change("name", "Name", "old", "new")
PATCH = Effect(EffectKind.PATCH_REFERRAL, Deal(notes="here"), Deal(notes="there"), "etag-7")
WRITE = Effect(EffectKind.WRITE_OPPORTUNITY, Deal(name="new"), Deal(name="old"), START.isoformat())
MARK = Effect(EffectKind.MARK_OPPORTUNITY)
LINE = Line(START, "created_referral")
REFUSED = {"salesforce.notes": Difference("x", "refused_by_salesforce", START)}


@pytest.fixture
def run(harness: Harness) -> Instance:
    """An instance in a run with an id."""
    harness.first.ctx = harness.first.ctx.begin_run("the-run")
    return harness.first


@pytest.fixture
def pair(run: Instance) -> Pair:
    """A pair of which both sides are read."""
    pair = acquire(run.ctx, "006")
    assert isinstance(pair, Pair)
    pair.take_link(replace(pair.link, referral_id="ref"))
    pair.take_read_back(OPPORTUNITY)
    pair.take_referral(REFERRAL)
    return pair


def stored_lines(harness: Harness) -> list[tuple[str, str | None]]:
    return [(line.code, line.correlation_id) for line in harness.store.audit("006")]


def test_both_coming_writes_are_stored_with_their_values_versions_and_notes(
    harness: Harness, run: Instance, pair: Pair
) -> None:
    pair.take_plan(Plan(Deal(), (HERE,), (THERE,), lines=(LINE,)))
    record_writes(run.ctx, pair, (HERE,))
    assert harness.stored_link("006") == Link("006", referral_id="ref", intent=Intent((PATCH, WRITE)), unwritten=True)
    assert stored_lines(harness) == [("created_referral", "the-run")]
    assert pair.pending.notes == ()


def test_without_a_value_for_salesforce_only_its_mark_is_about_to_be_written(
    harness: Harness, run: Instance, pair: Pair
) -> None:
    pair.take_plan(Plan(Deal(), (HERE,)))
    record_writes(run.ctx, pair, (HERE,))
    assert harness.stored_link("006") == Link("006", referral_id="ref", intent=Intent((PATCH, MARK)))
    assert stored_lines(harness) == []


def test_a_confirmed_write_leaves_the_others_in_the_intent_and_moves_what_the_plan_knows(
    harness: Harness, run: Instance, pair: Pair
) -> None:
    pair.take_plan(Plan(Deal(), (HERE,), (THERE,)))
    record_writes(run.ctx, pair, (HERE,))
    link = replace(pair.link, base=Deal(notes="here"), refused=REFUSED, reported=("key",))
    harness.advance_time(5.0)
    confirm_effect(run.ctx, pair, EffectKind.PATCH_REFERRAL, link, (LINE,))
    assert harness.stored_link("006") == pair.link == replace(link, intent=Intent((WRITE,)))
    assert pair.plan == Plan(Deal(notes="here"), (HERE,), (THERE,), refused=REFUSED, reported=("key",))
    assert (stored_lines(harness), pair.renewed_at) == ([("created_referral", "the-run")], harness.now())
    confirm_effect(run.ctx, pair, EffectKind.WRITE_OPPORTUNITY, pair.link)
    assert harness.stored_link("006").intent == Intent()


def test_the_end_of_the_work_stores_the_lines_that_wait_and_they_are_not_shown_yet(
    harness: Harness, run: Instance, pair: Pair
) -> None:
    pair.take_recovery(Transition(pair.link, (LINE,)))
    release(run.ctx, pair)
    link = harness.stored_link("006")
    assert (link.intent, link.unwritten, stored_lines(harness)) == (None, True, [("created_referral", "the-run")])


@pytest.mark.parametrize("is_unwritten", [False, True])
def test_the_end_of_the_work_stores_what_is_known_of_both_sides(
    harness: Harness, run: Instance, pair: Pair, *, is_unwritten: bool
) -> None:
    pair.take_link(replace(pair.link, base=Deal(notes="there"), unwritten=is_unwritten))
    pair.take_referral(replace(REFERRAL, deal=Deal(notes="there")))
    record_intent(run.ctx, pair, MARK)
    release(run.ctx, pair)
    link = harness.stored_link("006")
    assert (link.intent, link.unwritten, stored_lines(harness)) == (None, is_unwritten, [])
    assert (dict(link.stamps), link.etag) == ({"opportunity": "o-7"}, "etag-7")


@pytest.mark.parametrize(
    ("status", "is_kept"), [(Status("New", "Pending"), True), (Status("Active", "Accepted"), False)]
)
def test_the_time_to_answer_is_kept_until_the_deal_is_answered(
    harness: Harness, run: Instance, pair: Pair, status: Status, *, is_kept: bool
) -> None:
    until = AnswerTime(START)
    pair.take_link(replace(pair.link, answer_by=until))
    pair.take_referral(replace(REFERRAL, status=status))
    release(run.ctx, pair)
    assert harness.stored_link("006").answer_by == (until if is_kept else None)


@pytest.mark.parametrize("is_unsure", [True, False])
def test_the_intent_of_a_write_that_may_have_taken_effect_stays(
    harness: Harness, run: Instance, pair: Pair, *, is_unsure: bool
) -> None:
    record_intent(run.ctx, pair, MARK)
    pair.end(Outcome(Result.RETRY, "x", unsure=is_unsure))
    release(run.ctx, pair)
    assert harness.stored_link("006").intent == (Intent((MARK,)) if is_unsure else None)
