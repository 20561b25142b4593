"""When an instance acquires a lease: the row is free, or its lease has ended (docs/protocol.md#lease-and-intent)."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Deal
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.domain.transitions import Transition
from shared.sync.acquire_pair import acquire, hold, open_free
from shared.sync.pair_lease import Pair, record_intent, release
from shared.sync.ports import BUSY, RECONCILED, Outcome, Policy, Result
from shared.sync.reconcile import open_pulled
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
    return opened(harness)


def opened(harness: Harness) -> Pair | Outcome:
    """What a pull gets of the row."""
    work = open_free(harness.first.ctx, ["006"])
    return work.pairs[0] if work.pairs else work.ended["006"]


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
    left = acquired_after(harness, None, SECOND, State.PAUSED)
    assert isinstance(left, Pair)
    assert [one.outcome for one in open_pulled(harness.first.ctx, ["006"]).pairs] == [RECONCILED]
    assert left.is_free
    paused = acquire(harness.first.ctx, "006")
    assert isinstance(paused, Pair)
    assert paused.link == Link("006", State.PAUSED, intent=Intent())
    harness.advance_time(POLICY.lease.total_seconds())
    assert isinstance(opened(harness), Pair)


def test_a_new_row_is_inserted_once_it_is_held(harness: Harness) -> None:
    pair = opened(harness)
    assert isinstance(pair, Pair)
    assert harness.store.link("006") is None
    assert hold(harness.first.ctx, pair)
    assert harness.stored_link("006") == pair.link == Link("006", intent=Intent())
    assert acquire(harness.new_instance().ctx, "006") == BUSY


def test_a_free_row_is_held_only_once_it_is_known_that_there_is_work(harness: Harness) -> None:
    pair = acquired_after(harness, None, SECOND)
    assert isinstance(pair, Pair)
    assert pair.is_free
    assert harness.stored_link("006").intent is None
    assert hold(harness.first.ctx, pair)
    assert harness.stored_link("006").intent == Intent()
    assert acquire(harness.new_instance().ctx, "006") == BUSY


def test_who_has_left_a_row_free_loses_it_to_whoever_is_first(harness: Harness) -> None:
    """What was read meanwhile counts as read under the lease only if nobody else had the row since."""
    slow = acquired_after(harness, None, SECOND)
    fast = acquire(harness.new_instance().ctx, "006")
    assert isinstance(slow, Pair)
    assert isinstance(fast, Pair)
    release(harness.first.ctx, fast)
    assert not hold(harness.first.ctx, slow)
    assert slow.outcome == BUSY
    assert harness.stored_link("006").intent is None


def test_a_row_that_the_run_has_read_is_not_read_again(harness: Harness) -> None:
    harness.store.insert_link(Link("006"))
    known = {"006": harness.store.link("006"), "007": None}
    harness.first.process.calls.clear()
    assert isinstance(acquire(harness.first.ctx, "006", known), Pair)
    assert isinstance(acquire(harness.first.ctx, "007", known), Pair)
    assert harness.first.process.calls == ["store.replace_link", "store.insert_link"]


@pytest.mark.parametrize("is_held", [True, False])
def test_a_row_that_changed_since_it_was_read_is_read_again(harness: Harness, is_held: bool) -> None:
    harness.store.insert_link(Link("006"))
    known = {"006": harness.store.link("006"), "007": None}
    for key in known:
        pair = acquire(harness.new_instance().ctx, key)
        assert isinstance(pair, Pair)
        if not is_held:
            release(harness.first.ctx, pair)
    found = [acquire(harness.first.ctx, key, known) for key in known]
    assert found == [BUSY, BUSY] if is_held else all(isinstance(one, Pair) for one in found)


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
