"""The embedded queues and Azurite's queues behave alike."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from local.azurite import Azurite
from local.host.queues import EmbeddedQueues, MessageTooLarge, Queues
from local.host.storage_queues import StorageQueues

INVISIBLE_SECONDS = 300.0


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


def test_a_message_is_taken_once_and_then_invisible(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "Grüße, 東京")

    (taken,) = queues.take_messages(queue, 16, INVISIBLE_SECONDS)

    assert (taken.body, taken.dequeue_count, taken.readable) == ("Grüße, 東京", 1, True)
    assert queues.take_messages(queue, 16, INVISIBLE_SECONDS) == []
    assert queues.count_messages(queue) == 1


def test_a_deleted_message_is_gone(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "x")
    (taken,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)

    assert queues.delete_message(queue, taken)
    assert queues.count_messages(queue) == 0
    assert not queues.delete_message(queue, taken)


def test_a_returned_message_is_taken_again_and_counts_its_attempts(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "x")
    (first,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)

    assert queues.return_message(queue, first, 0)
    (second,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)

    assert (second.id, second.dequeue_count) == (first.id, 2)
    assert second.pop_receipt != first.pop_receipt


def test_a_consumer_that_lost_a_message_can_neither_delete_nor_return_it(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "x")
    (loser,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)
    queues.return_message(queue, loser, 0)
    (holder,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)

    assert not queues.delete_message(queue, loser)
    assert not queues.return_message(queue, loser, 0)
    assert queues.delete_message(queue, holder)


def test_a_delayed_message_is_not_visible_yet(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "later", delay=INVISIBLE_SECONDS)

    assert queues.take_messages(queue, 1, INVISIBLE_SECONDS) == []
    assert queues.count_messages(queue) == 1


def test_no_more_messages_are_taken_than_requested(queues: Queues, queue: str) -> None:
    for number in range(5):
        queues.put_message(queue, str(number))

    taken = [message.body for count in (3, 32) for message in queues.take_messages(queue, count, INVISIBLE_SECONDS)]

    assert len(taken) == 5
    assert set(taken) == {"0", "1", "2", "3", "4"}


def test_a_message_is_only_in_its_own_queue(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "x")

    assert queues.take_messages(f"{queue}-poison", 1, INVISIBLE_SECONDS) == []


def test_the_largest_message_fits_and_one_byte_more_does_not(queues: Queues, queue: str) -> None:
    largest = "x" * (48 * 1024)
    queues.put_message(queue, largest)

    (taken,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)
    assert taken.body == largest
    with pytest.raises(MessageTooLarge, match="65540 bytes"):
        queues.put_message(queue, largest + "x")


def test_a_message_has_its_times(queues: Queues, queue: str) -> None:
    queues.put_message(queue, "x")
    (taken,) = queues.take_messages(queue, 1, INVISIBLE_SECONDS)

    assert round((taken.expires - taken.inserted).total_seconds()) == 7 * 24 * 3600
    assert abs((taken.visible - taken.inserted).total_seconds() - INVISIBLE_SECONDS) < 10


def test_a_new_message_wakes_a_waiting_thread(queues: Queues, queue: str) -> None:
    last_number = queues.change_number
    queues.put_message(queue, "x")
    began = monotonic()

    queues.wait_for_change(queue, last_number, 60)

    assert monotonic() - began < 30


@pytest.mark.node
def test_a_message_that_is_not_base64_is_taken_as_unreadable(running_azurite: Azurite, queue: str) -> None:
    connection = running_azurite.connection_string
    plain, encoded = StorageQueues(connection, encoding="none"), StorageQueues(connection)
    try:
        plain.put_message(queue, "not base64!")
        (taken,) = encoded.take_messages(queue, 1, INVISIBLE_SECONDS)
    finally:
        plain.close()
        encoded.close()

    assert (taken.body, taken.readable) == ("not base64!", False)
