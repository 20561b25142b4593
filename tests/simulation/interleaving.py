"""Runs of several instances, interleaved at their port calls.

Each run has a thread of its own, but only one thread works at any time: the driver gives a run so many turns, and the
run gives control back. So the seed decides every order, and the same seed gives the same order.

A turn ends before or after a call that another instance or a person may notice: a call of a remote side, or a change of
the store. A call that only reads the store is not a turn, so that a change of their number changes no seed.
"""

import threading
from collections.abc import Callable

from tests.simulation.events import Event
from tests.unit.sync.harness import Instance
from tests.unit.sync.instances import Crash, Interruption

STORE_CHANGES = frozenset(
    f"store.{name}"
    for name in (
        "insert_link", "replace_link", "delete_link", "insert_pointer", "replace_pointer", "delete_pointer",
        "claim_account", "release_account", "put_retry_entry", "write_retry_entry", "remove_retry_entry",
        "write_side_state", "move_cursor", "move_cursors",
    )
)  # fmt: skip
READ = "salesforce.opportunities"
WRITES = frozenset({
    "partner_center.create", "partner_center.patch",
    "salesforce.create", "salesforce.update", "salesforce.update_unmodified", "salesforce.update_with_rows",
})  # fmt: skip
"""The calls that change one of the two sides."""
NO_REQUESTS = frozenset({"salesforce.organization_id", "salesforce.api_usage"})
LONG_PAUSES = frozenset({READ, "partner_center.get", "partner_center.changed_since", "partner_center.changed_between"})
"""Reads at which an instance may stand still for longer than its lease, because it looks at its lease again before each
write. Elsewhere the protocol promises nothing to a frozen process (docs/protocol.md#the-guarantee)."""
MOST_IDLE = 90
"""Seconds that a run may stand still, all its pauses since the last of `LONG_PAUSES` together."""
TO_THE_END = 1_000_000
"""Turns."""


def taken_lock() -> threading.Lock:
    """A lock that one thread waits for until another one releases it. It is much cheaper than a semaphore."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class Crossing(Interruption):
    """Every call at which a run may give control back."""

    call = ""
    is_before = True

    def is_reached(self, name: str, *, after: bool) -> bool:
        self.call, self.is_before = name, not after
        return name in STORE_CHANGES or (not name.startswith("store.") and name not in NO_REQUESTS)


class Run:
    """One run of an instance: a push, a sweep or the message of an event."""

    def __init__(
        self, name: str, instance: Instance, work: Callable[[Instance], object], message: Event | None = None
    ) -> None:
        """Start nothing yet: the first `resume` does. The queue keeps `message` until the run has ended."""
        self.name, self.instance, self.message = name, instance, message
        self.is_over, self.is_crashed = False, False
        self.error: BaseException | None = None
        self.idle = self.stood = 0.0
        self.is_aimed_at = False
        self._turns, self._stops_at_writes, self._is_doomed = 0, False, False
        self._work = work
        self._mine, self._drivers = taken_lock(), taken_lock()
        self._crossing = Crossing("", self._cross)
        instance.process.interruptions = [self._crossing]
        threading.Thread(target=self._main, daemon=True, name=name).start()

    @property
    def place(self) -> str:
        """The call at which the run gave control back."""
        return self._crossing.call

    @property
    def is_before(self) -> bool:
        """Whether it stands before that call, and not after it."""
        return self._crossing.is_before

    @property
    def is_at_a_write(self) -> bool:
        """Whether the run stands right before or after a write to one of the two sides."""
        return self.place in WRITES

    @property
    def may_stand_still(self) -> bool:
        """Whether hours may pass now."""
        return self.place in LONG_PAUSES

    def resume(self, turns: int = TO_THE_END, *, to_a_write: bool = False) -> None:
        """Let the run work for so many turns, or to its end, or to the next write to one of the two sides."""
        self._turns, self._stops_at_writes = turns, to_a_write
        self.stood, self.is_aimed_at = 0.0, False
        self._mine.release()
        self._drivers.acquire()
        if self.may_stand_still:
            self.idle = 0.0

    def crash(self) -> None:
        """Stop the process at the place where it stands."""
        self._is_doomed = True
        self.resume()

    def _main(self) -> None:
        self._mine.acquire()
        try:
            self._work(self.instance)
        except Crash:
            self.is_crashed = True
        except BaseException as error:  # noqa: BLE001 - the driver raises it
            self.error = error
        self.is_over = True
        self._drivers.release()

    def _cross(self) -> None:
        self._turns -= 1
        is_stop = self._turns <= 0 or (self._stops_at_writes and self.is_at_a_write)
        if is_stop and not self._is_doomed:
            self._drivers.release()
            self._mine.acquire()
        if self._is_doomed:
            self.instance.process.crash()
