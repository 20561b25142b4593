"""Receive the browser's redirect after a sign-in, on a loopback address that is open only during the sign-in.

Entra ID posts its answer as a form, which stays out of the history of the browser. Salesforce has no such form: its
answer is the query of an address (docs/reference/salesforce.md#sign-in-in-the-browser).
"""

import hmac
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

LOOPBACK = "127.0.0.1"
MAX_FORM_BYTES = 64 * 1024
CALLBACK_PATH = "/callback"
"""The path of the address for an answer in a query."""
DONE_PAGE = "The sign-in is finished. You can close this window and return to the terminal."
REFUSED_PAGE = "This address does not expect your request."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A command must be able to use the port of the command before it. Only Windows would let two share it by this.
    allow_reuse_address = sys.platform != "win32"
    state: str | None = None
    answer: dict[str, str] | None = None

    def __init__(self, port: int, *, in_query: bool) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.in_query = in_query
        self.answered = threading.Event()
        self.answer_lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds; browsers open connections that they never use

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() and int(length) <= MAX_FORM_BYTES else b""
        self._take_answer(body.decode("utf-8", "replace"), in_query=False)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self._take_answer(address.query if address.path == CALLBACK_PATH else "", in_query=True)

    def _take_answer(self, text: str, *, in_query: bool) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - only _Server has this handler
        form = {name: values[-1] for name, values in parse_qs(text).items()} if in_query == server.in_query else {}
        with server.answer_lock:
            is_accepted = server.answer is None and _answers_this_sign_in(form, server.state)
            if is_accepted:
                server.answer = form
        self._send_page(200 if is_accepted else 404, DONE_PAGE if is_accepted else REFUSED_PAGE)
        if is_accepted:
            server.answered.set()

    def _send_page(self, status: int, text: str) -> None:
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
        """Log nothing: the lines of a web server would disturb the output of the command."""


def _answers_this_sign_in(form: dict[str, str], state: str | None) -> bool:
    """Return whether a form belongs to this sign-in. Only the service's answer contains the state."""
    knows_state = state is not None and hmac.compare_digest(form.get("state", "").encode(), state.encode())
    return knows_state and ("code" in form or "error" in form)


class RedirectListener:
    """A listener on the loopback, on `port` or on a free port (0), for a form or an answer `in_query`.

    Raises OSError if the port is in use.
    """

    def __init__(self, port: int = 0, *, in_query: bool = False) -> None:
        """Bind the port now, because the sign-in needs the address before it begins."""
        self._server = _Server(port, in_query=in_query)
        self.url = f"http://localhost:{self._server.server_address[1]}{CALLBACK_PATH if in_query else ''}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def expect_state(self, state: str) -> None:
        """Accept only the answer that carries this state."""
        self._server.state = state

    def wait_for_answer(self, seconds: float) -> dict[str, str] | None:
        """Return the browser's answer (`code` or `error`, and `state`), or None if none arrives in time."""
        self._server.answered.wait(seconds)
        return self._server.answer
