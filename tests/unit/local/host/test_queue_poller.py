import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import sleep

import pytest

from local.host import queue_poller
from local.host.function_index import Function
from local.host.host_json import HostSettings
from local.host.invocations import Invocations
from local.host.queue_poller import QueuePoller
from local.host.queues import EmbeddedQueues, Message
from local.host.worker import Call
from tests.unit.local.host.doubles import ScriptedRunner, SteppedClock, wait_until

SETTINGS = HostSettings(
    function_timeout=60, batch_size=2, new_batch_threshold=1, max_dequeue_count=3, visibility_timeout=30
)


def queue_function(queue: str) -> Function:
    return Function("apply", "id", ({"type": "queueTrigger", "direction": "IN", "name": "m", "queueName": queue},))


@contextmanager
def start_polling(queues: EmbeddedQueues, invocations: Invocations, queue: str = "events") -> Iterator[None]:
    poller = QueuePoller(queue_function(queue), queues, SETTINGS, invocations)
    poller.start()
    yield
    poller.stop()


def raise_value_error(_: Call) -> None:
    raise ValueError("boom")


def dequeue_counts(runner: ScriptedRunner) -> list[str | None]:
    return [call.metadata["DequeueCount"].json for call in runner.calls]


def test_a_new_message_is_applied_at_once_and_deleted(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        queue_poller, "_SHORTEST_PAUSE", 60.0
    )  # without the wake-up, the poller would see the message too late
    handed, looked, take = threading.Event(), threading.Event(), queues.take_messages

    def take_and_note(queue: str, count: int, hidden: float) -> list[Message]:
        messages = take(queue, count, hidden)
        looked.set()
        return messages

    monkeypatch.setattr(queues, "take_messages", take_and_note)
    runner.action = lambda _: handed.set()
    with start_polling(queues, invocations):
        assert looked.wait(60)  # by now the poller has found nothing and pauses
        queues.put_message("events", "hello")
        assert handed.wait(60)
        wait_until(lambda: queues.count_messages("events") == 0)

    (call,) = runner.calls
    assert (call.value.string, call.metadata["DequeueCount"].json) == ("hello", "1")


def test_a_failed_message_is_tried_after_each_visibility_timeout_and_then_moves_to_the_poison_queue(
    queues: EmbeddedQueues, clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.action = raise_value_error
    queues.put_message("events", "bad")
    with start_polling(queues, invocations):
        wait_until(lambda: len(runner.calls) == 1)
        sleep(0.08)
        assert len(runner.calls) == 1
        for _ in range(2):
            wait_until(lambda: invocations.activity.running == 0)
            clock.advance(30)
            wait_until(partial(runner.called_more_than, len(runner.calls)))
        wait_until(lambda: queues.count_messages("events") == 0)

    assert dequeue_counts(runner) == ["1", "2", "3"]
    (poison,) = queues.take_messages("events-poison", 16, 1)
    assert poison.body == "bad"
    assert [failure.error_type for failure in invocations.failures] == ["ValueError"] * 3


def test_a_message_that_others_tried_too_often_moves_to_the_poison_queue_without_a_run(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    queues.put_message("events", "worn")
    for _ in range(3):
        (taken,) = queues.take_messages("events", 1, 60)
        queues.return_message("events", taken, 0)

    with start_polling(queues, invocations):
        wait_until(lambda: queues.count_messages("events-poison") == 1)

    assert runner.calls == []


def test_a_message_of_a_poison_queue_is_tried_again_and_stays_in_its_queue(
    queues: EmbeddedQueues, clock: SteppedClock, runner: ScriptedRunner, invocations: Invocations
) -> None:
    runner.action = raise_value_error
    queues.put_message("events-poison", "bad")
    with start_polling(queues, invocations, "events-poison"):
        for number in range(5):
            wait_until(partial(runner.called_more_than, min(number, 2)))
            wait_until(lambda: invocations.activity.running == 0)
            clock.advance(SETTINGS.function_timeout + 31)
        sleep(0.08)

    assert dequeue_counts(runner) == ["1", "2", "3"]
    assert queues.count_messages("events-poison") == 1
    assert queues.count_messages("events-poison-poison") == 0


def test_no_more_messages_are_in_work_than_batch_size_and_threshold_allow(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    go_on = threading.Event()
    runner.action = lambda _: go_on.wait(60)
    for number in range(10):
        queues.put_message("events", str(number))
    with start_polling(queues, invocations):
        wait_until(lambda: len(runner.calls) >= SETTINGS.batch_size)
        sleep(0.03)
        assert len(runner.calls) <= SETTINGS.concurrency
        go_on.set()
        wait_until(lambda: queues.count_messages("events") == 0)

    assert len(runner.calls) == 10


def test_the_polling_goes_on_after_the_queue_service_has_failed(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, failures = queues.take_messages, iter([OSError("away"), OSError("away")])

    def fail_twice_then_take(queue: str, count: int, invisible_for: float) -> list[Message]:
        for error in failures:
            raise error
        return take(queue, count, invisible_for)

    monkeypatch.setattr(queues, "take_messages", fail_twice_then_take)
    queues.put_message("events", "x")
    with start_polling(queues, invocations):
        wait_until(lambda: len(runner.calls) == 1)


def test_stopping_waits_for_the_messages_in_work(
    queues: EmbeddedQueues, runner: ScriptedRunner, invocations: Invocations
) -> None:
    begun = threading.Event()
    ended: list[str] = []

    def apply_slowly(_: Call) -> None:
        begun.set()
        sleep(0.02)
        ended.append("done")

    runner.action = apply_slowly
    queues.put_message("events", "x")
    with start_polling(queues, invocations):
        assert begun.wait(60)

    assert ended == ["done"]
    assert queues.count_messages("events") == 0
