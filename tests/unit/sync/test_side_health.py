"""Two instances, each with a memory of the sides that is some seconds old: neither takes back what the other said."""

from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.foundation.errors import Throttled
from shared.sync.ports import SideState
from shared.sync.retry.side_health import pause_side, restore_side
from tests.unit.sync.harness import Harness, Instance

SIDE = Side.PARTNER_CENTER


@pytest.fixture
def late(harness: Harness) -> Instance:
    """An instance that knows how the side was before another one paused it for ten minutes."""
    late = harness.instance()
    harness.store.write_side_state(SIDE, SideState(parallelism=4))
    late.ctx.store.side_state(SIDE)
    harness.store.write_side_state(SIDE, paused(harness))
    assert late.ctx.store.side_state(SIDE).paused_until is None
    return late


def paused(harness: Harness) -> SideState:
    return SideState(harness.now() + timedelta(minutes=10), "throttled", 2)


def test_a_run_without_failure_leaves_a_pause_that_it_did_not_know(harness: Harness, late: Instance) -> None:
    restore_side(late.ctx, SIDE)
    assert harness.store.side_state(SIDE, fresh=True) == paused(harness)


def test_a_shorter_wish_does_not_shorten_a_pause(harness: Harness, late: Instance) -> None:
    pause_side(late.ctx, SIDE, Throttled("slow down", after=60))
    state = harness.store.side_state(SIDE, fresh=True)
    assert (state.paused_until, state.parallelism) == (paused(harness).paused_until, 1)
