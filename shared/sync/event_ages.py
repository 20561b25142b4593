"""Tells an event of a burst from one that came alone, by the age of its message.

Source: docs/protocol.md#bursts.
"""

import threading
from datetime import UTC, datetime, timedelta

OLD = timedelta(seconds=5)
"""A message that is older waited behind others."""
RESTED = timedelta(minutes=1)
"""After so long without a message, an instance may have had to start: that makes its first message old too."""


class EventAges:
    """The memory of one instance: when it last took a message. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: datetime | None = None

    def take_message(self, inserted: datetime | None, now: datetime) -> bool:
        """Take a message that was put into the queue at `inserted`; returns whether it is one of many.

        `inserted` is UTC where it has no time zone; one of unknown age stands alone.
        """
        with self._lock:
            before, self._taken = self._taken, now
        is_first = before is None or now - before >= RESTED
        if is_first or inserted is None:
            return False
        return now - (inserted if inserted.tzinfo else inserted.replace(tzinfo=UTC)) > OLD


AGES = EventAges()
"""That of this process."""
