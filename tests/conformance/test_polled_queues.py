"""The host's poller on the embedded queues and on Azurite's: applied once, or poison after the last try."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest

from local.host.function_index import Function
from local.host.host_json import HostSettings
from local.host.invocations import Invocations
from local.host.queue_poller import Poller
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


def refuse_bad(call: Call) -> None:
    if call.value.string == "bad":
        raise ValueError("boom")


def test_good_messages_are_applied_once_and_bad_ones_end_as_poison(queues: Queues) -> None:
    queue = f"q{uuid4().hex}"
    binding = {"type": "queueTrigger", "direction": "IN", "name": "message", "queueName": queue}
    runner = ScriptedRunner(refuse_bad)
    invocations = Invocations(runner, queues, timeout=5)
    settings = HostSettings(max_dequeue_count=3, max_polling_interval=0.1)
    poller = Poller(Function("apply", "id", (binding,)), queues, settings, invocations)
    bodies = ["one", "bad", "Grüße"]

    poller.start()
    for body in bodies:
        queues.put(queue, body)
    deadline = monotonic() + 20
    while queues.count(queue) and monotonic() < deadline:
        sleep(0.005)
    poller.stop()

    assert sorted(str(call.value.string) for call in runner.calls) == sorted([*bodies, "bad", "bad"])
    (poison,) = queues.take(f"{queue}-poison", 16, 30)
    assert poison.body == "bad"
    assert [failure.message for failure in invocations.failures] == ["boom"] * 3
