"""A total deadline for one call: connecting, sending, every read, every wait between tries.

HTTP libraries limit each socket operation by itself, so a peer that sends one byte a second is never too slow for them.
Here the deadline of the present call stands in a context variable, and whoever touches a socket gives the operation
what is left of it. Deadlines nest: the inner one never outlives the outer one (a sign-in within a call, a secret within
a sign-in).

The system's resolver takes no timeout, and each address of a name is tried for as long as the first one: whoever
connects to a name does so `in_time`.

Source: protocol.md section 3, "Every remote call has a total deadline of 60 s".
"""

import io
import socket
import threading
import time
from collections.abc import Buffer, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CONNECT_SECONDS = 10.0
"""For one connection to come about: a host that takes longer will not answer in time either."""

PIECE = 16 * 1024
"""Bytes sent at once: a TLS socket starts its timeout anew with each record, so each record gets what is left."""

_SHORTEST = 0.001
"""Zero would mean "do not block" to a socket: the shortest real wait stands for it."""


class Deadline:
    """A moment on a monotonic clock."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """End `seconds` from now."""
        self._clock = clock
        self._end = clock() + seconds

    def seconds_left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self._clock())

    def socket_timeout(self, at_most: float | None = None) -> float:
        """What is left, `at_most` that long, as the timeout of a socket: never zero."""
        left = max(self.seconds_left(), _SHORTEST)
        return left if at_most is None else min(left, at_most)


_present: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    """The deadline of the present call; None outside any."""
    return _present.get()


def seconds_left() -> float | None:
    """Seconds left of the present call; None outside any."""
    deadline = _present.get()
    return None if deadline is None else deadline.seconds_left()


@contextmanager
def call_deadline(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[Deadline]:
    """Run the block under a deadline of at most `seconds`, less if an outer one ends earlier."""
    outer = seconds_left()
    deadline = Deadline(seconds if outer is None else min(seconds, outer), clock)
    token = _present.set(deadline)
    try:
        yield deadline
    finally:
        _present.reset(token)


def run_in_time[T](seconds: float | None, work: Callable[[], T], release: Callable[[T], object] = lambda _: None) -> T:
    """What `work` gives, or its error; after `seconds` it is left behind in a thread, and what it still gives let go.

    None is no limit, and no thread. Raises TimeoutError.
    """
    if seconds is None:
        return work()
    from concurrent.futures import Future  # noqa: PLC0415 - late: most who import this module never connect

    box: Future[T] = Future()

    def run() -> None:
        try:
            made = work()
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            box.set_exception(error)
        else:
            box.set_result(made)

    threading.Thread(target=run, daemon=True, name="in time").start()
    try:
        return box.result(seconds)
    except TimeoutError:
        # At once, where it has come in between.
        box.add_done_callback(lambda late: None if late.exception() else release(late.result()))
        raise


class TimedReader(io.RawIOBase):
    """The bytes that a socket receives, each read with the time that is left. Raises TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: Deadline, raw: io.RawIOBase | None = None) -> None:
        """`raw` is what reads from `sock`, where a library has already made it."""
        super().__init__()
        self._sock, self._deadline = sock, deadline
        # It counts as a user of the socket, which so stays open for the answer after a library has let go of it.
        self._raw = raw or sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        """As the base class's."""
        if self._deadline.seconds_left() <= 0:
            raise TimeoutError("the total time is up")
        self._sock.settimeout(self._deadline.socket_timeout())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
