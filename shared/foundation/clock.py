"""The machine's clock, which goes by the store's where the two differ.

All instances share the store, and so its time: a wrong clock of one of them must neither shorten a wait that another
began, nor hide what another made. Source: docs/protocol.md#time-and-deadlines.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.foundation.logs import log

TOLERANCE = timedelta(minutes=2)
"""A smaller difference is left alone: a reply may be a call's deadline old, and its `Date` has whole seconds."""


class SystemClock:
    """The machine's clock. `now` returns the time, UTC; it is asked so often that it calls the library directly.

    Tests pass another `machine`.
    """

    now: Callable[[], datetime] = staticmethod(partial(datetime.now, UTC))

    def __init__(self, machine: Callable[[], datetime] | None = None) -> None:
        self._machine = machine
        if machine is not None:
            self.now = machine

    def sleep(self, duration: timedelta) -> None:
        """Wait."""
        time.sleep(duration.total_seconds())

    def compare(self, at: datetime) -> None:
        """Compare with a time that the store's clock has just shown, and go by that clock where they differ."""
        if abs(at - self.now()) <= TOLERANCE:
            return
        machine = self._machine or type(self).now
        ahead = at - machine()
        is_right = abs(ahead) <= TOLERANCE
        self.now = machine if is_right else partial(_moved, machine, ahead)
        log("clock_differs", seconds=0 if is_right else -round(ahead.total_seconds()))


def _moved(machine: Callable[[], datetime], ahead: timedelta) -> datetime:
    return machine() + ahead
