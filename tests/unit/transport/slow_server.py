"""A server on a bare socket that answers as slowly as one can: the faults that an HTTP library does not time out."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

PAUSE = 0.01
OK = b"HTTP/1.1 200 OK\r\n"
Script = Callable[[socket.socket, threading.Event], None]


def drip(first: bytes, drop: bytes) -> Script:
    """Read the request, send `first`, then one `drop` every few milliseconds for as long as anybody listens."""

    def script(peer: socket.socket, stopped: threading.Event) -> None:
        peer.recv(65_536)
        peer.sendall(first)
        while not stopped.wait(PAUSE):
            peer.sendall(drop)

    return script


def read_slowly(peer: socket.socket, stopped: threading.Event) -> None:
    """Take the request in draughts large enough that no single send waits long, and never answer."""
    while not stopped.wait(PAUSE) and peer.recv(65_536):
        pass


ANSWERS: Mapping[str, Script] = {
    "silence": drip(b"", b""),
    "head": drip(OK + b"X-Slow: ", b"x"),
    "headers": drip(OK, b"X-Slow: 1\r\n"),
    "continue": drip(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "body": drip(OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "last body": drip(OK + b"Connection: close\r\nContent-Length: 100000\r\n\r\n", b" "),
    "last body of no length": drip(OK + b"Connection: close\r\n\r\n", b" "),
}


@contextmanager
def slow_server(script: Script, tls: ssl.SSLContext | None = None, *, shake_hands: bool = True) -> Iterator[str]:
    """Serve one connection by the script; gives the address. Without `shake_hands` TLS is promised and never begun."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError):  # the caller hung up: what the test wants
                raw, _ = listener.accept()
                with tls.wrap_socket(raw, server_side=True) if tls and shake_hands else raw as peer:
                    script(peer, stopped)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}/"
        finally:
            stopped.set()
            thread.join(6)
