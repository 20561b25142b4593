"""A slow server on a plain socket, for faults that an HTTP library does not time out, and a clock for their tests."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\n"
SLACK = 30.0
"""Seconds that a call may take longer on a busy machine. A call without a total deadline would take still longer."""

TICK = 60.0
"""Seconds by which a `TickingClock` advances."""

type GoOn = Callable[[], bool]
"""Waits until the next part of an answer is to be sent or read. Returns False when the test is over."""
type Script = Callable[[socket.socket, GoOn], None]


class TickingClock:
    """A monotonic clock that is `TICK` seconds later each time it is read.

    A call reads it before each socket operation. So a deadline of 60 ticks ends after some dozen operations, however
    fast or busy the machine is. By then the connection is open, and the answer has begun. No operation ends by itself:
    the last one before the deadline still has `TICK` seconds of real time.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.reads = threading.Semaphore(0)

    def __call__(self) -> float:
        self.ticks += 1
        self.reads.release()
        return self.ticks * TICK


def send_slowly(first: bytes, drop: bytes) -> Script:
    """Read the request, send `first`, and then one `drop` after the other until the connection ends."""

    def script(peer: socket.socket, go_on: GoOn) -> None:
        peer.recv(65_536)
        peer.sendall(first)
        while go_on():
            peer.sendall(drop)

    return script


def read_slowly(peer: socket.socket, go_on: GoOn) -> None:
    """Read the request in pieces so large that no single send waits long, and never answer."""
    while go_on() and peer.recv(65_536):
        pass


DRIPS: Mapping[str, Script] = {
    "head": send_slowly(OK + b"X-Slow: ", b"x"),
    "headers": send_slowly(OK, b"X-Slow: 1\r\n"),
    "body": send_slowly(OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": send_slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "last body": send_slowly(OK + b"Connection: close\r\nContent-Length: 100000\r\n\r\n", b" "),
    "last body of no length": send_slowly(OK + b"Connection: close\r\n\r\n", b" "),
}
"""Answers that do not end. Each wait for their next byte is short, so only a total deadline ends the call."""

SILENCES: Mapping[str, Script] = {
    "silence": send_slowly(b"", b""),
    "continue": send_slowly(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
}
"""Answers that do not come. Only real time ends the wait for them."""


@contextmanager
def slow_server(
    script: Script, tls: ssl.SSLContext | None = None, *, shake_hands: bool = True, clock: TickingClock | None = None
) -> Iterator[str]:
    """Serve one connection by the script; yields the address. Without `shake_hands` the server never begins TLS.

    With a `clock`, the server sends one drop each time the clock is read, so that it is never ahead of the client.
    Without one, it sends a drop every few milliseconds.
    """
    stopped = threading.Event()

    def go_on() -> bool:
        if clock is None:
            return not stopped.wait(0.01)
        clock.reads.acquire()
        return not stopped.is_set()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):  # the client closed the connection, as the test expects
                raw, _ = listener.accept()
                with tls.wrap_socket(raw, server_side=True) if tls and shake_hands else raw as peer:
                    script(peer, go_on)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}/"
        finally:
            stopped.set()
            if clock is not None:
                clock.reads.release()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # a client whose time ended early has not connected
            thread.join(SLACK)
