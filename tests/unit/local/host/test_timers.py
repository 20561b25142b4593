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


def timer_function(schedule: str = "0 * * * * *", **more: object) -> Function:
    binding = {"type": "timerTrigger", "direction": "IN", "name": "timer", "schedule": schedule, **more}
    return Function("tick", "id", (binding,))


def timer_info(call: Call) -> Any:  # noqa: ANN401 - decoded JSON
    return json.loads(call.value.json or "null")


def raise_value_error(_: Call) -> None:
    raise ValueError("boom")


def test_a_timer_runs_when_it_is_due_and_not_before(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    timer = Timer(timer_function(), invocations, clock, StatusFile())
    assert not timer.run_if_due()

    clock.advance(30)

    assert timer.run_if_due()
    assert not timer.run_if_due()
    assert [timer_info(call)["IsPastDue"] for call in runner.calls] == [False]
    assert timer.next_run == clock() + timedelta(minutes=1)


def test_several_missed_times_cause_one_run(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    timer = Timer(timer_function(), invocations, clock, StatusFile())

    clock.advance(3600)

    assert timer.run_if_due()
    assert not timer.run_if_due()
    assert len(runner.calls) == 1


def test_a_run_missed_while_no_host_ran_happens_at_the_start_as_past_due(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations, tmp_path: Path
) -> None:
    statuses = StatusFile(tmp_path / "state" / "timers.json")
    earlier = Timer(timer_function(), invocations, clock, statuses)
    clock.advance(30)
    earlier.run_if_due()
    clock.advance(600)

    later = Timer(timer_function(), invocations, clock, statuses)

    assert later.run_if_due()
    assert not later.run_if_due()
    past = timer_info(runner.calls[-1])
    assert past["IsPastDue"]
    assert datetime.fromisoformat(past["ScheduleStatus"]["Last"]) == datetime.fromisoformat("2026-11-22T12:01:00+00:00")
    assert datetime.fromisoformat(past["ScheduleStatus"]["Next"]) == datetime.fromisoformat("2026-11-22T12:02:00+00:00")


@pytest.mark.parametrize("unmonitored", [timer_function("*/10 * * * * *"), timer_function(useMonitor=False)])
def test_an_unmonitored_timer_does_not_make_up_for_missed_runs(
    unmonitored: Function, clock: SteppedClock, invocations: Invocations, tmp_path: Path
) -> None:
    statuses = StatusFile(tmp_path / "timers.json")
    earlier = Timer(unmonitored, invocations, clock, statuses)
    clock.advance(60)
    earlier.run_if_due()
    clock.advance(600)

    assert not Timer(unmonitored, invocations, clock, statuses).run_if_due()


def test_a_failed_run_is_not_repeated_before_the_next_scheduled_run(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.action = raise_value_error
    timer = Timer(timer_function(), invocations, clock, StatusFile())
    clock.advance(30)

    assert timer.run_if_due()
    assert not timer.run_if_due()

    assert [(f.function, f.error_type, f.message) for f in invocations.failures] == [("tick", "ValueError", "boom")]


def test_a_timer_that_is_run_by_hand_raises_its_failure_and_keeps_its_schedule(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.action = raise_value_error
    timer = Timer(timer_function(), invocations, clock, StatusFile())
    due = timer.next_run

    with pytest.raises(InvocationFailed, match="tick failed: ValueError: boom"):
        timer.run_now()

    assert timer.next_run == due


def test_a_timer_with_run_on_startup_runs_at_the_start(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    timer = Timer(timer_function(runOnStartup=True), invocations, clock, StatusFile())

    assert timer.run_if_due()
    assert len(runner.calls) == 1


def test_two_runs_of_one_timer_never_overlap(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    running, most = 0, 0
    begun, go_on = threading.Event(), threading.Event()

    def run_slowly(_: Call) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        begun.set()
        go_on.wait(60)
        running -= 1

    runner.action = run_slowly
    timer = Timer(timer_function(), invocations, clock, StatusFile())
    clock.advance(30)
    scheduled = threading.Thread(target=timer.run_if_due)
    by_hand = threading.Thread(target=timer.run_now)
    scheduled.start()
    begun.wait(60)
    by_hand.start()
    by_hand.join(0.02)
    assert by_hand.is_alive()

    go_on.set()
    scheduled.join(60)
    by_hand.join(60)

    assert (len(runner.calls), most) == (2, 1)


def test_started_timers_run_on_schedule_until_they_are_stopped(
    clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    ran = threading.Event()
    runner.action = lambda _: ran.set()
    timers = Timers([Timer(timer_function(), invocations, clock, StatusFile())])
    clock.advance(30)

    timers.start()
    assert ran.wait(60)
    timers.stop()
    clock.advance(3600)

    assert len(runner.calls) == 1
