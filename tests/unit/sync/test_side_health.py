"""An instance whose copy of a side's state is some seconds old does not undo what another instance wrote meanwhile."""

from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.foundation.errors import Throttled
from shared.sync.ports import SideState
from shared.sync.retry_queue import forget_ended_pauses, pause_side
from tests.unit.sync.harness import Harness, Instance

SIDE = Side.PARTNER_CENTER


@pytest.fixture
def outdated(harness: Harness) -> Instance:
    """An instance that read the side's state before another one paused the side for ten minutes."""
    outdated = harness.new_instance()
    harness.store.write_side_state(SIDE, SideState())
    outdated.ctx.store.side_state(SIDE)
    harness.store.write_side_state(SIDE, ten_minute_pause(harness))
    assert outdated.ctx.store.side_state(SIDE).paused_until is None
    return outdated


def ten_minute_pause(harness: Harness) -> SideState:
    return SideState(harness.now() + timedelta(minutes=10), "throttled")


def test_a_run_without_a_failure_keeps_a_pause_that_it_has_not_read(harness: Harness, outdated: Instance) -> None:
    forget_ended_pauses(outdated.ctx)
    assert harness.store.side_state(SIDE, fresh=True) == ten_minute_pause(harness)


def test_a_shorter_requested_wait_does_not_shorten_a_pause(harness: Harness, outdated: Instance) -> None:
    pause_side(outdated.ctx, SIDE, Throttled("slow down", after=60))
    state = harness.store.side_state(SIDE, fresh=True)
    assert state.paused_until == ten_minute_pause(harness).paused_until
