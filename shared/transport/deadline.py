"""Limit the total time of one call: connecting, sending, every read, and every wait between tries.

HTTP libraries limit each socket operation separately, so they never time out a server that sends one byte a second.
Here a context variable holds the deadline of the current call, and each socket operation gets the time that is left.
Deadlines nest: an inner one never ends after the outer one (a sign-in within a call, a secret within a sign-in).

The system's resolver has no timeout, and each address of a name may take as long as the first one. Therefore code that
connects to a name does so through `run_in_time`.

The rule comes from docs/protocol.md#time-and-deadlines.
"""

import io
import socket
import threading
import time
from collections.abc import Buffer, Callable
from contextvars import ContextVar
from typing import Self

CONNECT_SECONDS = 10.0
"""Longest time to open one connection. A host that needs more will not answer in time either."""

PIECE = 16 * 1024
"""Bytes sent at once. A TLS socket restarts its timeout with each record, so each record gets the time that is left."""

_SHORTEST_TIMEOUT = 0.001
"""Seconds. Zero would tell a socket not to block at all, so this value replaces it."""


class NoTimeLeft(TimeoutError):
    """A request was not sent, because its call has no time left."""


class Deadline:
    """The time at which a call must end, on a monotonic clock.

    In a `with` block it is the current deadline, which the sockets obey (`current_deadline`).
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The call ends `seconds` from now. `clock` is monotonic, in seconds."""
        self.clock = clock
        self._end = clock() + seconds

    def __enter__(self) -> Self:
        """Make this the current deadline."""
        self._outer = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Make the outer deadline the current one again."""
        _current.reset(self._outer)

    def seconds_left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self.clock())

    def seconds_to_send(self) -> float:
        """Seconds left for a request that is about to be sent. Raises NoTimeLeft."""
        left = self.seconds_left()
        if left <= 0:
            raise NoTimeLeft("no time was left for this request")
        return left

    def socket_timeout(self, at_most: float | None = None) -> float:
        """The seconds left, limited to `at_most`, as the timeout of a socket: never zero."""
        left = max(self.seconds_left(), _SHORTEST_TIMEOUT)
        return left if at_most is None else min(left, at_most)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    """The deadline of the current call; None outside a call."""
    return _current.get()


def seconds_left() -> float | None:
    """Seconds left for the current call; None outside a call."""
    deadline = _current.get()
    return None if deadline is None else deadline.seconds_left()


def call_deadline(seconds: float, clock: Callable[[], float] | None = None) -> Deadline:
    """A deadline of `seconds`, or the outer deadline's end if that is earlier. `with` makes it the current one.

    Without a `clock` the deadline uses the clock of the outer one, so that all deadlines of a call have one clock.
    """
    outer = _current.get()
    if outer is None:
        return Deadline(seconds, clock or time.monotonic)
    return Deadline(min(seconds, outer.seconds_left()), clock or outer.clock)


def run_in_time[T](seconds: float | None, work: Callable[[], T], release: Callable[[T], object] = lambda _: None) -> T:
    """The result of `work`, or its error. Raises TimeoutError after `seconds`; None means no limit and no thread.

    After a timeout `work` goes on in its thread. `release` gets the result if there still is one.
    """
    if seconds is None:
        return work()
    from concurrent.futures import Future  # noqa: PLC0415 - most importers of this module never connect

    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True, name="in time").start()
    try:
        return future.result(seconds)
    except TimeoutError:
        # If the result has arrived in the meantime, the callback runs at once.
        future.add_done_callback(lambda late: None if late.exception() else release(late.result()))
        raise


class TimedReader(io.RawIOBase):
    """Reads from a socket, each time with the time that is left. Raises TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: Deadline, raw: io.RawIOBase | None = None) -> None:
        """`raw` reads from `sock`; pass it if a library has already made it."""
        super().__init__()
        self._sock, self._deadline = sock, deadline
        # This reader counts as a user of the socket, so the socket stays open after a library has released it.
        self._raw = raw or sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        """Read into `buffer` as the base class does. Raises TimeoutError after the deadline."""
        if self._deadline.seconds_left() <= 0:
            raise TimeoutError("the total time is up")
        self._sock.settimeout(self._deadline.socket_timeout())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Release the socket."""
        self._raw.close()
        super().close()
