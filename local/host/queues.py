"""Defines the queues that the host polls, and implements embedded queues in SQLite."""

import base64
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from shared.foundation.errors import CosellError

MAX_ENCODED_BYTES = 64 * 1024  # of a message in base64: docs/reference/azure.md#queues
LIFETIME = timedelta(days=7)  # the service's default time to live

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time, UTC."""
    return datetime.now(UTC)


class MessageTooLarge(CosellError):
    """A message that the real queue service would refuse."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message taken from a queue.

    `pop_receipt` proves that its owner still holds the message. `readable` is False if the body could not be decoded.
    """

    id: str
    body: str
    dequeue_count: int
    pop_receipt: str
    inserted: datetime
    expires: datetime
    visible: datetime
    readable: bool = True


class Queues(Protocol):
    """Queues by name. Using a queue creates it. Messages are delivered at least once, in no promised order."""

    @property
    def change_number(self) -> int:
        """A number that changes with each message put or returned through this object, and with `wake_waiters`."""

    def put_message(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """Add a message that becomes visible after `delay` seconds. Raises MessageTooLarge."""

    def take_messages(self, queue: str, count: int, invisible_for: float) -> list[Message]:
        """Take at most `count` visible messages without waiting. Others do not see them for `invisible_for` seconds."""

    def delete_message(self, queue: str, message: Message) -> bool:
        """Remove a message. Returns False if its receipt is stale, because another consumer holds it now."""

    def return_message(self, queue: str, message: Message, after: float) -> bool:
        """Make a message visible again after `after` seconds. Returns False if its receipt is stale."""

    def count_messages(self, queue: str) -> int:
        """The number of messages in a queue, invisible ones included."""

    def wait_for_change(self, queue: str, last_number: int, timeout: float) -> None:
        """Wait until `change_number` is no longer `last_number`, at most `timeout` seconds."""

    def wake_waiters(self) -> None:
        """Wake all threads that wait for a change."""

    def close(self) -> None:
        """Close files and connections."""


def refuse_too_large(body: str) -> None:
    """Raise MessageTooLarge if a text in base64 does not fit into a message."""
    size = len(base64.b64encode(body.encode()))
    if size > MAX_ENCODED_BYTES:
        raise MessageTooLarge(f"the message has {size} bytes in base64, more than the queue's {MAX_ENCODED_BYTES}")


class ChangeSignal:
    """A counter of changes. Threads can wait for its next change."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._change_number = 0

    @property
    def change_number(self) -> int:
        """The number of calls of `wake_waiters`."""
        return self._change_number

    def wake_waiters(self) -> None:
        """Wake all threads that wait for a change."""
        with self._condition:
            self._change_number += 1
            self._condition.notify_all()

    def wait_for_change(self, last_number: int, timeout: float) -> None:
        """Wait until `change_number` is no longer `last_number`, at most `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._change_number != last_number, timeout)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    dequeue_count INTEGER NOT NULL DEFAULT 0, pop_receipt TEXT NOT NULL DEFAULT '',
    inserted REAL NOT NULL, expires REAL NOT NULL, visible REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_queue ON messages (queue, visible);
"""
_INVISIBLE_CHECK_SECONDS = 0.05  # between checks while a message is invisible: the clock of a test may jump


class EmbeddedQueues:
    """Queues in one SQLite file, or in memory. A new message wakes the pollers of this object at once.

    Another process may use the same file. The pollers find its messages within the polling interval.
    """

    def __init__(self, path: Path | str = ":memory:", *, clock: Clock = utc_now) -> None:
        """Open the file, or create it."""
        self._clock = clock
        self._signal = ChangeSignal()
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)

    @property
    def change_number(self) -> int:
        """See Queues."""
        return self._signal.change_number

    def put_message(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """See Queues."""
        refuse_too_large(body)
        now = self._clock().timestamp()
        row = (queue, str(uuid4()), body, now, now + LIFETIME.total_seconds(), now + delay)
        self._execute(
            "INSERT INTO messages (queue, id, body, inserted, expires, visible) VALUES (?, ?, ?, ?, ?, ?)", *row
        )
        self._signal.wake_waiters()

    def take_messages(self, queue: str, count: int, invisible_for: float) -> list[Message]:
        """See Queues. The oldest messages come first; expired messages are removed."""
        now = self._clock().timestamp()
        self._execute("DELETE FROM messages WHERE queue = ? AND expires <= ?", queue, now)
        rows = self._execute(
            "UPDATE messages SET dequeue_count = dequeue_count + 1, pop_receipt = hex(randomblob(16)), visible = ? "
            "WHERE place IN (SELECT place FROM messages WHERE queue = ? AND visible <= ? ORDER BY place LIMIT ?) "
            "RETURNING place, id, body, dequeue_count, pop_receipt, inserted, expires, visible",
            now + invisible_for, queue, now, count,
        )  # fmt: skip
        return [_message_from_row(row[1:]) for row in sorted(rows)]

    def delete_message(self, queue: str, message: Message) -> bool:
        """See Queues."""
        return self._changes_a_row(
            "DELETE FROM messages WHERE queue = ? AND pop_receipt = ?", queue, message.pop_receipt
        )

    def return_message(self, queue: str, message: Message, after: float) -> bool:
        """See Queues."""
        visible = self._clock().timestamp() + after
        statement = "UPDATE messages SET visible = ? WHERE queue = ? AND pop_receipt = ?"
        changed = self._changes_a_row(statement, visible, queue, message.pop_receipt)
        self._signal.wake_waiters()
        return changed

    def count_messages(self, queue: str) -> int:
        """See Queues."""
        return len(self._execute("SELECT 1 FROM messages WHERE queue = ?", queue))

    def clear_queue(self, queue: str) -> None:
        """Remove every message, also those in work."""
        self._execute("DELETE FROM messages WHERE queue = ?", queue)

    def wait_for_change(self, queue: str, last_number: int, timeout: float) -> None:
        """See Queues. While a message is invisible, it returns after a twentieth of a second."""
        self._signal.wait_for_change(
            last_number, min(timeout, _INVISIBLE_CHECK_SECONDS) if self.count_messages(queue) else timeout
        )

    def wake_waiters(self) -> None:
        """See Queues."""
        self._signal.wake_waiters()

    def close(self) -> None:
        """See Queues."""
        with self._lock:
            self._db.close()

    def _execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _changes_a_row(self, statement: str, *values: object) -> bool:
        with self._lock:
            return self._db.execute(statement, values).rowcount > 0


def _message_from_row(row: tuple[Any, ...]) -> Message:
    identity, body, dequeue_count, receipt, *times = row
    inserted, expires, visible = (datetime.fromtimestamp(moment, UTC) for moment in times)
    return Message(identity, body, dequeue_count, receipt, inserted, expires, visible)
