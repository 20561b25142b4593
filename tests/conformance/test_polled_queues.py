"""The host's poller applies a message once, or moves it to the poison queue after the last attempt, on both queues."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest

from local.host.function_index import Function
from local.host.host_json import HostSettings
from local.host.invocations import Invocations
from local.host.queue_poller import QueuePoller
from local.host.queues import EmbeddedQueues, Queues
from local.host.storage_queues import StorageQueues
from local.host.worker import Call
from tests.unit.local.host.doubles import ScriptedRunner


@pytest.fixture(params=["embedded", pytest.param("azurite", marks=pytest.mark.node)])
def queues(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Queues]:
    opened: Queues
    if request.param == "azurite":
        opened = StorageQueues(request.getfixturevalue("running_azurite").connection_string)
    else:
        opened = EmbeddedQueues(tmp_path / "queues.sqlite")
    yield opened
    opened.close()


def fail_for_bad(call: Call) -> None:
    if call.value.string == "bad":
        raise ValueError("boom")


def test_good_messages_are_applied_once_and_bad_ones_move_to_the_poison_queue(queues: Queues) -> None:
    queue = f"q{uuid4().hex}"
    binding = {"type": "queueTrigger", "direction": "IN", "name": "message", "queueName": queue}
    runner = ScriptedRunner(fail_for_bad)
    invocations = Invocations(runner, queues, timeout=5)
    settings = HostSettings(max_dequeue_count=3, max_polling_interval=0.1)
    poller = QueuePoller(Function("apply", "id", (binding,)), queues, settings, invocations)
    bodies = ["one", "bad", "Grüße"]

    poller.start()
    for body in bodies:
        queues.put_message(queue, body)
    deadline = monotonic() + 60
    while queues.count_messages(queue) and monotonic() < deadline:
        sleep(0.005)
    poller.stop()

    assert sorted(str(call.value.string) for call in runner.calls) == sorted([*bodies, "bad", "bad"])
    (poison,) = queues.take_messages(f"{queue}-poison", 16, 30)
    assert poison.body == "bad"
    assert [failure.message for failure in invocations.failures] == ["boom"] * 3
