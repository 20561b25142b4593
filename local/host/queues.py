"""The queues a host polls: the port, and the embedded ones in SQLite that hand a message over at once."""

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

MAX_ENCODED_BYTES = 64 * 1024  # of a message in base64 (reference/azure.md 6.6)
LIFETIME = timedelta(days=7)  # the service's default time to live

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class MessageTooLarge(CosellError):
    """A message that the real queue service would refuse."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message taken from a queue; `pop_receipt` proves who holds it; `readable` is False if it does not decode."""

    id: str
    body: str
    dequeue_count: int
    pop_receipt: str
    inserted: datetime
    expires: datetime
    visible: datetime
    readable: bool = True


class Queues(Protocol):
    """Queues by name, made on first use. At least once, in no promised order."""

    @property
    def version(self) -> int:
        """Changes with every message put or given back by this object, and with `ring`."""

    def put(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """Add a message that is visible after `delay` seconds. Raises MessageTooLarge."""

    def take(self, queue: str, count: int, hidden: float) -> list[Message]:
        """Up to `count` visible messages, hidden from others for `hidden` seconds; returns at once."""

    def delete(self, queue: str, message: Message) -> bool:
        """Remove a message; False if its receipt is stale (somebody else holds it now)."""

    def give_back(self, queue: str, message: Message, after: float) -> bool:
        """Make a message visible again after so many seconds; False as in `delete`."""

    def count(self, queue: str) -> int:
        """How many messages there are, hidden ones included."""

    def wait(self, queue: str, version: int, timeout: float) -> None:
        """Sleep until something may be there: `version` is no longer current, or `timeout` seconds are over."""

    def ring(self) -> None:
        """Wake whoever waits."""

    def close(self) -> None:
        """Let go of files and connections."""


def refuse_too_large(body: str) -> None:
    """Raise MessageTooLarge for a text that does not fit into a message once it is base64."""
    size = len(base64.b64encode(body.encode()))
    if size > MAX_ENCODED_BYTES:
        raise MessageTooLarge(f"a message of {size} bytes in base64 is over the queue's limit of {MAX_ENCODED_BYTES}")


class Bell:
    """A counter one can wait for."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every `ring`."""
        return self._version

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._condition:
            self._version += 1
            self._condition.notify_all()

    def wait(self, version: int, timeout: float) -> None:
        """Sleep until `version` is no longer current, `timeout` seconds at most."""
        with self._condition:
            self._condition.wait_for(lambda: self._version != version, timeout)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    dequeue_count INTEGER NOT NULL DEFAULT 0, pop_receipt TEXT NOT NULL DEFAULT '',
    inserted REAL NOT NULL, expires REAL NOT NULL, visible REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_queue ON messages (queue, visible);
"""
_HIDDEN_LOOK = 0.05  # seconds between looks while a message is hidden: the clock may be one that jumps


class EmbeddedQueues:
    """Queues in one SQLite file, or in memory; a message put here is handed over at once.

    Another process may use the same file: its messages are found within the polling interval.
    """

    def __init__(self, path: Path | str = ":memory:", *, clock: Clock = utc_now) -> None:
        """Open or make the file."""
        self._clock = clock
        self._bell = Bell()
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)

    @property
    def version(self) -> int:
        """See Queues."""
        return self._bell.version

    def put(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """See Queues."""
        refuse_too_large(body)
        now = self._clock().timestamp()
        row = (queue, str(uuid4()), body, now, now + LIFETIME.total_seconds(), now + delay)
        self._run("INSERT INTO messages (queue, id, body, inserted, expires, visible) VALUES (?, ?, ?, ?, ?, ?)", *row)
        self._bell.ring()

    def take(self, queue: str, count: int, hidden: float) -> list[Message]:
        """See Queues. Oldest first; expired ones are forgotten."""
        now = self._clock().timestamp()
        self._run("DELETE FROM messages WHERE queue = ? AND expires <= ?", queue, now)
        rows = self._run(
            "UPDATE messages SET dequeue_count = dequeue_count + 1, pop_receipt = hex(randomblob(16)), visible = ? "
            "WHERE place IN (SELECT place FROM messages WHERE queue = ? AND visible <= ? ORDER BY place LIMIT ?) "
            "RETURNING place, id, body, dequeue_count, pop_receipt, inserted, expires, visible",
            now + hidden, queue, now, count,
        )  # fmt: skip
        return [_message(row[1:]) for row in sorted(rows)]

    def delete(self, queue: str, message: Message) -> bool:
        """See Queues."""
        return self._changes("DELETE FROM messages WHERE queue = ? AND pop_receipt = ?", queue, message.pop_receipt)

    def give_back(self, queue: str, message: Message, after: float) -> bool:
        """See Queues."""
        visible = self._clock().timestamp() + after
        statement = "UPDATE messages SET visible = ? WHERE queue = ? AND pop_receipt = ?"
        changed = self._changes(statement, visible, queue, message.pop_receipt)
        self._bell.ring()
        return changed

    def count(self, queue: str) -> int:
        """See Queues."""
        return len(self._run("SELECT 1 FROM messages WHERE queue = ?", queue))

    def clear(self, queue: str) -> None:
        """Remove every message, those in work included."""
        self._run("DELETE FROM messages WHERE queue = ?", queue)

    def wait(self, queue: str, version: int, timeout: float) -> None:
        """See Queues. While a message is hidden it looks again every few hundredths of a second."""
        self._bell.wait(version, min(timeout, _HIDDEN_LOOK) if self.count(queue) else timeout)

    def ring(self) -> None:
        """See Queues."""
        self._bell.ring()

    def close(self) -> None:
        """See Queues."""
        with self._lock:
            self._db.close()

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _changes(self, statement: str, *values: object) -> bool:
        with self._lock:
            return self._db.execute(statement, values).rowcount > 0


def _message(row: tuple[Any, ...]) -> Message:
    identity, body, dequeue_count, receipt, *times = row
    inserted, expires, visible = (datetime.fromtimestamp(moment, UTC) for moment in times)
    return Message(identity, body, dequeue_count, receipt, inserted, expires, visible)
