"""When an instance acquires a lease: the row is free, or its lease has ended (docs/protocol.md#lease-and-intent)."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Deal
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.domain.transitions import Transition
from shared.sync.pair_lease import Pair, acquire, record_intent
from shared.sync.ports import BUSY, RECONCILED, Outcome, Policy, Result
from shared.sync.write_opportunity import store_coming_write
from tests.unit.sync.harness import Harness

POLICY = Policy()
CREATION = Effect(EffectKind.CREATE_REFERRAL, Deal(name="Atlas"))
MARK = Effect(EffectKind.MARK_OPPORTUNITY)
SECOND = timedelta(seconds=1)


def acquired_after(harness: Harness, intent: Intent | None, age: timedelta, state: State = State.LIVE) -> object:
    """What a pull gets that finds such a row."""
    harness.store.insert_link(Link("006", state, intent=intent))
    harness.advance_time(age.total_seconds())
    return acquire(harness.first.ctx, "006", leaves_paused=True)


@pytest.mark.parametrize("effects", [(), (MARK,), (CREATION,)])
def test_a_lease_holds_until_its_end(harness: Harness, effects: tuple[Effect, ...]) -> None:
    assert acquired_after(harness, Intent(effects), POLICY.lease - SECOND) == BUSY


@pytest.mark.parametrize("effects", [(), (MARK,)])
def test_from_its_end_on_another_instance_takes_the_lease_over(harness: Harness, effects: tuple[Effect, ...]) -> None:
    pair = acquired_after(harness, Intent(effects), POLICY.lease)
    assert isinstance(pair, Pair)
    assert (pair.interrupted, pair.link.intent) == (Intent(effects), Intent(effects))


def test_a_create_of_unknown_outcome_settles_first_because_lists_show_a_new_referral_late(harness: Harness) -> None:
    age = POLICY.lease + POLICY.settle_time - SECOND
    until = harness.now() + POLICY.lease + POLICY.settle_time
    assert acquired_after(harness, Intent((CREATION,)), age) == Outcome(Result.RETRY, "settling", until)
    harness.advance_time(1.0)
    pair = acquire(harness.first.ctx, "006")
    assert isinstance(pair, Pair)
    assert pair.interrupted == Intent((CREATION,))


def test_a_pull_leaves_a_paused_pair_alone_unless_its_work_was_interrupted(harness: Harness) -> None:
    assert acquired_after(harness, None, SECOND, State.PAUSED) == RECONCILED
    paused = acquire(harness.first.ctx, "006")
    assert isinstance(paused, Pair)
    assert paused.link == Link("006", State.PAUSED, intent=Intent())
    harness.advance_time(POLICY.lease.total_seconds())
    assert isinstance(acquire(harness.first.ctx, "006", leaves_paused=True), Pair)


def test_a_new_row_is_held_at_once(harness: Harness) -> None:
    pair = acquire(harness.first.ctx, "006", leaves_paused=True)
    assert isinstance(pair, Pair)
    assert harness.stored_link("006") == pair.link == Link("006", intent=Intent())
    assert acquire(harness.new_instance().ctx, "006") == BUSY


# --- before a write-back


def pair_with_intent(harness: Harness, *effects: Effect) -> Pair:
    pair = acquire(harness.first.ctx, "006")
    assert isinstance(pair, Pair)
    record_intent(harness.first.ctx, pair, *effects)
    return pair


def test_a_write_with_less_than_two_deadlines_of_the_lease_left_renews_it_first(harness: Harness) -> None:
    pair = pair_with_intent(harness, MARK)
    before = pair.entry
    harness.advance_time((POLICY.lease - 2 * POLICY.deadline).total_seconds())
    store_coming_write(harness.first.ctx, pair)
    assert pair.entry is before
    harness.advance_time(1.0)
    store_coming_write(harness.first.ctx, pair)
    assert (pair.renewed_at, pair.entry.etag != before.etag) == (harness.now(), True)
    assert pair.link == Link("006", intent=Intent((MARK,)), unwritten=True)


@pytest.mark.parametrize(("effects", "stored"), [((), (MARK,)), ((CREATION,), (CREATION,))])
def test_a_line_is_stored_before_it_is_written_and_the_intent_of_a_create_stays(
    harness: Harness, effects: tuple[Effect, ...], stored: tuple[Effect, ...]
) -> None:
    pair = pair_with_intent(harness, *effects)
    line = Line(harness.now(), "text", values={"text": "Hello."})
    pair.take_recovery(Transition(pair.link, (line,)))
    store_coming_write(harness.first.ctx, pair, is_whole=False)
    assert harness.stored_link("006") == Link("006", intent=Intent(stored), unwritten=True)
    assert [one.text for one in harness.store.audit("006")] == [line.text]


@pytest.mark.parametrize("is_unwritten", [False, True])
def test_a_mark_in_the_name_leaves_what_is_not_written_as_it_is(harness: Harness, *, is_unwritten: bool) -> None:
    pair = pair_with_intent(harness)
    pair.take_link(replace(pair.link, unwritten=is_unwritten))
    store_coming_write(harness.first.ctx, pair, is_whole=False)
    assert harness.stored_link("006") == Link("006", intent=Intent((MARK,)), unwritten=is_unwritten)
