"""One suite over the embedded queues and Azurite's, through the host's port."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from local.azurite import Azurite
from local.host.queues import EmbeddedQueues, MessageTooLarge, Queues
from local.host.storage_queues import StorageQueues

A_WHILE = 300.0


@pytest.fixture(params=["memory", "file", pytest.param("azurite", marks=pytest.mark.node)])
def queues(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Queues]:
    opened: Queues
    if request.param == "azurite":
        opened = StorageQueues(request.getfixturevalue("running_azurite").connection_string)
    else:
        opened = EmbeddedQueues(":memory:" if request.param == "memory" else tmp_path / "queues.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def queue() -> str:
    return f"q{uuid4().hex}"


def test_a_message_is_taken_once_and_then_hidden(queues: Queues, queue: str) -> None:
    queues.put(queue, "Grüße, 東京")

    (taken,) = queues.take(queue, 16, A_WHILE)

    assert (taken.body, taken.dequeue_count, taken.readable) == ("Grüße, 東京", 1, True)
    assert queues.take(queue, 16, A_WHILE) == []
    assert queues.count(queue) == 1


def test_a_deleted_message_is_gone(queues: Queues, queue: str) -> None:
    queues.put(queue, "x")
    (taken,) = queues.take(queue, 1, A_WHILE)

    assert queues.delete(queue, taken)
    assert queues.count(queue) == 0
    assert not queues.delete(queue, taken)


def test_a_message_given_back_is_taken_again_and_counts_its_tries(queues: Queues, queue: str) -> None:
    queues.put(queue, "x")
    (first,) = queues.take(queue, 1, A_WHILE)

    assert queues.give_back(queue, first, 0)
    (second,) = queues.take(queue, 1, A_WHILE)

    assert (second.id, second.dequeue_count) == (first.id, 2)
    assert second.pop_receipt != first.pop_receipt


def test_who_lost_a_message_can_neither_delete_nor_give_it_back(queues: Queues, queue: str) -> None:
    queues.put(queue, "x")
    (loser,) = queues.take(queue, 1, A_WHILE)
    queues.give_back(queue, loser, 0)
    (holder,) = queues.take(queue, 1, A_WHILE)

    assert not queues.delete(queue, loser)
    assert not queues.give_back(queue, loser, 0)
    assert queues.delete(queue, holder)


def test_a_delayed_message_is_not_visible_yet(queues: Queues, queue: str) -> None:
    queues.put(queue, "later", delay=A_WHILE)

    assert queues.take(queue, 1, A_WHILE) == []
    assert queues.count(queue) == 1


def test_no_more_are_taken_than_asked_for(queues: Queues, queue: str) -> None:
    for number in range(5):
        queues.put(queue, str(number))

    taken = [message.body for count in (3, 32) for message in queues.take(queue, count, A_WHILE)]

    assert len(taken) == 5
    assert set(taken) == {"0", "1", "2", "3", "4"}


def test_queues_are_apart(queues: Queues, queue: str) -> None:
    queues.put(queue, "x")

    assert queues.take(f"{queue}-poison", 1, A_WHILE) == []


def test_the_largest_message_fits_and_one_byte_more_does_not(queues: Queues, queue: str) -> None:
    largest = "x" * (48 * 1024)
    queues.put(queue, largest)

    (taken,) = queues.take(queue, 1, A_WHILE)
    assert taken.body == largest
    with pytest.raises(MessageTooLarge, match="65540 bytes"):
        queues.put(queue, largest + "x")


def test_a_message_knows_its_times(queues: Queues, queue: str) -> None:
    queues.put(queue, "x")
    (taken,) = queues.take(queue, 1, A_WHILE)

    assert round((taken.expires - taken.inserted).total_seconds()) == 7 * 24 * 3600
    assert abs((taken.visible - taken.inserted).total_seconds() - A_WHILE) < 10


def test_a_new_message_wakes_who_waits(queues: Queues, queue: str) -> None:
    version = queues.version
    queues.put(queue, "x")
    began = monotonic()

    queues.wait(queue, version, 30)

    assert monotonic() - began < 5


@pytest.mark.node
def test_a_message_that_is_not_base64_is_handed_over_as_unreadable(running_azurite: Azurite, queue: str) -> None:
    connection = running_azurite.connection_string
    plain, encoded = StorageQueues(connection, encoding="none"), StorageQueues(connection)
    try:
        plain.put(queue, "no base64!")
        (taken,) = encoded.take(queue, 1, A_WHILE)
    finally:
        plain.close()
        encoded.close()

    assert (taken.body, taken.readable) == ("no base64!", False)
