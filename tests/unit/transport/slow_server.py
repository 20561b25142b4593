"""A slow server on a plain socket, for faults that an HTTP library does not time out."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

PAUSE = 0.01
OK = b"HTTP/1.1 200 OK\r\n"
Script = Callable[[socket.socket, threading.Event], None]


def send_slowly(first: bytes, drop: bytes) -> Script:
    """Read the request, send `first`, then one `drop` every few milliseconds until the connection ends."""

    def script(peer: socket.socket, stopped: threading.Event) -> None:
        peer.recv(65_536)
        peer.sendall(first)
        while not stopped.wait(PAUSE):
            peer.sendall(drop)

    return script


def read_slowly(peer: socket.socket, stopped: threading.Event) -> None:
    """Read the request in pieces so large that no single send waits long, and never answer."""
    while not stopped.wait(PAUSE) and peer.recv(65_536):
        pass


ANSWERS: Mapping[str, Script] = {
    "silence": send_slowly(b"", b""),
    "head": send_slowly(OK + b"X-Slow: ", b"x"),
    "headers": send_slowly(OK, b"X-Slow: 1\r\n"),
    "continue": send_slowly(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "body": send_slowly(OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": send_slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "last body": send_slowly(OK + b"Connection: close\r\nContent-Length: 100000\r\n\r\n", b" "),
    "last body of no length": send_slowly(OK + b"Connection: close\r\n\r\n", b" "),
}


@contextmanager
def slow_server(script: Script, tls: ssl.SSLContext | None = None, *, shake_hands: bool = True) -> Iterator[str]:
    """Serve one connection by the script; yields the address. Without `shake_hands` the server never begins TLS."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError):  # the client closed the connection, as the test expects
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
