import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep

import pytest

from local.host import queue_poller as polling_module
from local.host.function_index import Function
from local.host.host_json import HostSettings
from local.host.invocations import Invocations
from local.host.queue_poller import Poller
from local.host.queues import EmbeddedQueues, Message
from local.host.worker import Call
from tests.unit.local.host.doubles import ScriptedRunner, SteppedClock

SETTINGS = HostSettings(
    function_timeout=60, batch_size=2, new_batch_threshold=1, max_dequeue_count=3, visibility_timeout=30
)


def function(queue: str) -> Function:
    return Function("apply", "id", ({"type": "queueTrigger", "direction": "IN", "name": "m", "queueName": queue},))


@contextmanager
def polling(queues: EmbeddedQueues, invocations: Invocations, queue: str = "events") -> Iterator[None]:
    poller = Poller(function(queue), queues, SETTINGS, invocations)
    poller.start()
    yield
    poller.stop()


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.002)


def refuse(_: Call) -> None:
    raise ValueError("boom")


def tries(runner: ScriptedRunner) -> list[str | None]:
    return [call.metadata["DequeueCount"].json for call in runner.calls]


def test_a_message_is_handed_over_at_once_and_deleted(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_module, "_SHORTEST_PAUSE", 60.0)  # polling alone would never see it in time
    handed = threading.Event()
    runner.act = lambda _: handed.set()
    with polling(queues, invocations):
        sleep(0.01)  # the poller found nothing and pauses by now
        queues.put("events", "hello")
        assert handed.wait(5)
        until(lambda: queues.count("events") == 0)

    (call,) = runner.calls
    assert (call.value.string, call.metadata["DequeueCount"].json) == ("hello", "1")


def test_a_failed_message_comes_back_after_the_visibility_timeout_and_then_is_poison(
    queues: EmbeddedQueues, clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.act = refuse
    queues.put("events", "bad")
    with polling(queues, invocations):
        until(lambda: len(runner.calls) == 1)
        sleep(0.08)
        assert len(runner.calls) == 1
        for _ in range(2):
            until(lambda: invocations.activity.running == 0)
            clock.advance(30)
            until(partial(runner.called_more_than, len(runner.calls)))
        until(lambda: queues.count("events") == 0)

    assert tries(runner) == ["1", "2", "3"]
    (poison,) = queues.take("events-poison", 16, 1)
    assert poison.body == "bad"
    assert [failure.error_type for failure in invocations.failures] == ["ValueError"] * 3


def test_a_message_tried_too_often_elsewhere_is_poison_without_another_try(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    queues.put("events", "worn")
    for _ in range(3):
        (taken,) = queues.take("events", 1, 60)
        queues.give_back("events", taken, 0)

    with polling(queues, invocations):
        until(lambda: queues.count("events-poison") == 1)

    assert runner.calls == []


def test_a_poison_queue_has_no_poison_queue(
    queues: EmbeddedQueues, clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.act = refuse
    queues.put("events-poison", "bad")
    with polling(queues, invocations, "events-poison"):
        for number in range(5):
            until(partial(runner.called_more_than, min(number, 2)))
            until(lambda: invocations.activity.running == 0)
            clock.advance(SETTINGS.function_timeout + 31)
        sleep(0.08)

    assert tries(runner) == ["1", "2", "3"]
    assert queues.count("events-poison") == 1
    assert queues.count("events-poison-poison") == 0


def test_no_more_messages_are_in_work_than_batch_and_threshold_allow(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    go_on = threading.Event()
    runner.act = lambda _: go_on.wait(5)
    for number in range(10):
        queues.put("events", str(number))
    with polling(queues, invocations):
        until(lambda: len(runner.calls) >= SETTINGS.batch_size)
        sleep(0.03)
        assert len(runner.calls) <= SETTINGS.concurrency
        go_on.set()
        until(lambda: queues.count("events") == 0)

    assert len(runner.calls) == 10


def test_a_queue_service_that_fails_for_a_while_does_not_end_the_polling(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, failures = queues.take, iter([OSError("away"), OSError("away")])

    def flaky(queue: str, count: int, hidden: float) -> list[Message]:
        for error in failures:
            raise error
        return take(queue, count, hidden)

    monkeypatch.setattr(queues, "take", flaky)
    queues.put("events", "x")
    with polling(queues, invocations):
        until(lambda: len(runner.calls) == 1)


def test_stopping_waits_for_what_is_in_work(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    begun = threading.Event()
    ended: list[str] = []

    def slow(_: Call) -> None:
        begun.set()
        sleep(0.02)
        ended.append("done")

    runner.act = slow
    queues.put("events", "x")
    with polling(queues, invocations):
        assert begun.wait(5)

    assert ended == ["done"]
    assert queues.count("events") == 0
