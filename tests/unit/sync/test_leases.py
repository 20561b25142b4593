"""When an instance acquires a lease: the row is free, or its lease has ended (docs/protocol.md#lease-and-intent)."""

from datetime import timedelta

import pytest

from shared.domain.deal import Deal
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.sync.pair_lease import Pair, acquire
from shared.sync.ports import BUSY, RECONCILED, Outcome, Policy, Result
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
