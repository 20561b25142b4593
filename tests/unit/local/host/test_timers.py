import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.host.function_index import Function
from local.host.invocations import InvocationFailed, Invocations
from local.host.timers import StatusFile, Timer, Timers
from local.host.worker import Call
from tests.unit.local.host.doubles import ScriptedRunner, SteppedClock


def function(schedule: str = "0 * * * * *", **more: object) -> Function:
    binding = {"type": "timerTrigger", "direction": "IN", "name": "timer", "schedule": schedule, **more}
    return Function("tick", "id", (binding,))


def told(call: Call) -> Any:  # noqa: ANN401 - decoded JSON
    return json.loads(call.value.json or "null")


def refuse(_: Call) -> None:
    raise ValueError("boom")


def test_a_timer_runs_when_it_is_due_and_not_before(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    timer = Timer(function(), invocations, clock, StatusFile())
    assert not timer.tick()

    clock.advance(30)

    assert timer.tick()
    assert not timer.tick()
    assert [told(call)["IsPastDue"] for call in runner.calls] == [False]
    assert timer.next == clock() + timedelta(minutes=1)


def test_missed_ticks_are_run_once(clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations) -> None:
    timer = Timer(function(), invocations, clock, StatusFile())

    clock.advance(3600)

    assert timer.tick()
    assert not timer.tick()
    assert len(runner.calls) == 1


def test_a_run_missed_while_no_host_ran_is_caught_up_as_past_due(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations, tmp_path: Path
) -> None:
    statuses = StatusFile(tmp_path / "state" / "timers.json")
    earlier = Timer(function(), invocations, clock, statuses)
    clock.advance(30)
    earlier.tick()
    clock.advance(600)

    later = Timer(function(), invocations, clock, statuses)

    assert later.tick()
    assert not later.tick()
    past = told(runner.calls[-1])
    assert past["IsPastDue"]
    assert datetime.fromisoformat(past["ScheduleStatus"]["Last"]) == datetime.fromisoformat("2026-11-22T12:01:00+00:00")
    assert datetime.fromisoformat(past["ScheduleStatus"]["Next"]) == datetime.fromisoformat("2026-11-22T12:02:00+00:00")


@pytest.mark.parametrize("unmonitored", [function("*/10 * * * * *"), function(useMonitor=False)])
def test_an_unmonitored_timer_catches_nothing_up(
    unmonitored: Function, clock: SteppedClock, invocations: Invocations, tmp_path: Path
) -> None:
    statuses = StatusFile(tmp_path / "timers.json")
    earlier = Timer(unmonitored, invocations, clock, statuses)
    clock.advance(60)
    earlier.tick()
    clock.advance(600)

    assert not Timer(unmonitored, invocations, clock, statuses).tick()


def test_a_failed_run_waits_for_the_next_tick(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.act = refuse
    timer = Timer(function(), invocations, clock, StatusFile())
    clock.advance(30)

    assert timer.tick()
    assert not timer.tick()

    assert [(f.function, f.error_type, f.message) for f in invocations.failures] == [("tick", "ValueError", "boom")]


def test_a_timer_fired_by_hand_tells_its_failure_and_keeps_its_schedule(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.act = refuse
    timer = Timer(function(), invocations, clock, StatusFile())
    due = timer.next

    with pytest.raises(InvocationFailed, match="tick failed: ValueError: boom"):
        timer.fire()

    assert timer.next == due


def test_a_timer_that_wants_it_runs_at_the_start(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    timer = Timer(function(runOnStartup=True), invocations, clock, StatusFile())

    assert timer.tick()
    assert len(runner.calls) == 1


def test_two_runs_of_one_timer_never_overlap(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    running, most = 0, 0
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Call) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        begun.set()
        go_on.wait(5)
        running -= 1

    runner.act = slow
    timer = Timer(function(), invocations, clock, StatusFile())
    clock.advance(30)
    scheduled = threading.Thread(target=timer.tick)
    by_hand = threading.Thread(target=timer.fire)
    scheduled.start()
    begun.wait(5)
    by_hand.start()
    by_hand.join(0.02)
    assert by_hand.is_alive()

    go_on.set()
    scheduled.join(5)
    by_hand.join(5)

    assert (len(runner.calls), most) == (2, 1)


def test_started_timers_keep_time_until_they_are_stopped(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    ran = threading.Event()
    runner.act = lambda _: ran.set()
    timers = Timers([Timer(function(), invocations, clock, StatusFile())])
    clock.advance(30)

    timers.start()
    assert ran.wait(5)
    timers.stop()
    clock.advance(3600)

    assert len(runner.calls) == 1
