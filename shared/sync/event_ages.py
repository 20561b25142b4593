"""Tells an event of a burst from one that came alone, by the age of its message.

Source: docs/protocol.md#events.
"""

import threading
from datetime import datetime, timedelta

OLD = timedelta(seconds=5)
"""A message that is older waited behind others."""
RESTED = timedelta(minutes=1)
"""After so long without a message, an instance may have had to start: that makes its first message old too."""


class EventAges:
    """The memory of one instance: when it last took a message. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: datetime | None = None

    def is_of_burst(self, inserted: datetime | None, now: datetime) -> bool:
        """Whether a message, taken `now` and put into the queue at `inserted`, is one of many; False if unknown."""
        with self._lock:
            before, self._taken = self._taken, now
        is_first = before is None or now - before >= RESTED
        return not is_first and inserted is not None and now - inserted > OLD
