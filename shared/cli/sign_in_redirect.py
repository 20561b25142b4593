"""Where the browser comes back to after a sign-in: one address of the loopback, open while a person signs in."""

import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

LOOPBACK = "127.0.0.1"
MAX_FORM_BYTES = 64 * 1024  # bytes of a form
DONE = "You are back from the sign-in: close this window and look at the terminal."
STRANGE = "Nobody here waits for this."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Two commands at once must not share a port.
    allow_reuse_address = False
    state: str | None = None
    answer: dict[str, str] | None = None

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.answered = threading.Event()
        self.once = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds; browsers open connections that they never use

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - the only one that has this handler
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() and int(length) <= MAX_FORM_BYTES else b""
        query = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        with server.once:
            is_ours = server.answer is None and _is_answer(query, server.state)
            if is_ours:
                server.answer = query
        self._page(200 if is_ours else 404, DONE if is_ours else STRANGE)
        if is_ours:
            server.answered.set()

    def do_GET(self) -> None:
        self._page(404, STRANGE)

    def _page(self, status: int, text: str) -> None:
        body = f"<!doctype html><meta charset=utf-8><title>cosell</title><p>{text}</p>".encode()
        self.send_response_only(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: nobody asked for a web server's log."""


def _is_answer(query: dict[str, str], state: str | None) -> bool:
    """Only the sign-in that was begun here knows the state; whatever else comes by is left alone."""
    knows = state is not None and hmac.compare_digest(query.get("state", "").encode(), state.encode())
    return knows and ("code" in query or "error" in query)


class RedirectListener:
    """Listens on the loopback, on `port` or a free one. Raises OSError if the port is taken."""

    def __init__(self, port: int = 0) -> None:
        """Bind now, so that the address is known before the sign-in begins."""
        self._server = _Server(port)
        self.url = f"http://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def expect_state(self, state: str) -> None:
        """From now on the browser that brings this state back is the one."""
        self._server.state = state

    def wait_for_answer(self, seconds: float) -> dict[str, str] | None:
        """What the browser brought back: `code` or `error`, and `state`; None if nobody came in time."""
        self._server.answered.wait(seconds)
        return self._server.answer
