"""Serve a handler over HTTP on the loopback address, with or without TLS.

A handler is a function from `Request` to `Response`. Tests call it directly, without a socket.
"""

import json
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

LOOPBACK = "127.0.0.1"
_MAX_BODY = 100 * 2**20  # bytes, more than any of the emulated services accepts


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case, `path` is unquoted and has no query."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str] | Message, body: bytes = b"") -> "Request":
        """Return the request for a target such as `/a/b?c=d`. Of a repeated query parameter the last value counts."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        lower_case = {name.lower(): value for name, value in headers.items()}
        return cls(method.upper(), unquote(parts.path), query, lower_case, body)

    def json(self) -> Any:  # noqa: ANN401 - a decoded body has no static type
        """Return the body as JSON. Raises ValueError, also for half a surrogate pair, which UTF-8 cannot encode."""
        try:
            value = json.loads(self.body.decode("utf-8-sig") or "null")
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if b"\\ud" in self.body.lower():
            json.dumps(value, ensure_ascii=False).encode()
        return value

    def form(self) -> dict[str, str]:
        """Return the body as form fields. Raises ValueError if it is not UTF-8."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. With `close` the connection ends without one; with `cut` only so many bytes of the body are sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    cut: int | None = None

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> "Response":
        """Return a JSON answer; write header names with underscores, such as `Retry_After`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json;charset=UTF-8", **named})

    def json(self) -> Any:  # noqa: ANN401 - as Request.json
        """Return the body as JSON."""
        return json.loads(self.body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    handle_request: Callable[[Request], Response]

    def _handle_http_request(self) -> None:
        try:
            request = Request.of(self.command, self.path, self.headers, self._read_body())
        except ValueError:  # the end of this request is unknown, so the connection cannot serve another one
            self.close_connection = True
            self._send_response(Response(400, b"Bad Request", {"Content-Type": "text/plain", "Connection": "close"}))
            return
        response = self._call_handler(request)
        if response.close:
            self.close_connection = True
            return
        self._send_response(response)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _handle_http_request  # noqa: N815 - the base class calls these names

    def _call_handler(self, request: Request) -> Response:
        try:
            return type(self).handle_request(request)
        except Exception:  # noqa: BLE001 - a defect of the handler is printed, and answered with 500
            traceback.print_exc()
            return Response(500)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        return self.rfile.read(_parse_length(self.headers.get("Content-Length") or "0", 10))

    def _read_chunk(self) -> bytes:
        size = _parse_length(self.rfile.readline().decode("ascii").split(";")[0].strip(), 16)
        chunk = self.rfile.read(size)
        if self.rfile.readline().strip():
            raise ValueError("a chunk is longer than its size")
        return chunk

    def _send_response(self, response: Response) -> None:
        self.send_response_only(response.status)
        headers = {name.lower(): (name, value) for name, value in response.headers.items()}
        for name, value in headers.values():
            self.send_header(name, value)
        if "date" not in headers:
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: response.cut])
        if response.cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing, because the journal records the requests."""


def _parse_length(text: str, base: int) -> int:
    """Return the number of bytes to read. Raises ValueError."""
    length = int(text, base) if text.isalnum() else -1
    if not 0 <= length <= _MAX_BODY:
        raise ValueError(f"{text[:20]!r} is not the length of a body")
    return length


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's signature
        if self.tls is not None:
            # The handshake runs in the connection's own thread, so that a silent client does not block the others.
            request.settimeout(10)
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
            request.settimeout(None)
        try:
            super().finish_request(request, client_address)
        finally:
            if self.tls is not None:
                request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Print a defect. A client that closed the connection is not one."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Server:
    """A handler on the loopback address, served in its own threads; `port` 0 uses a free port."""

    def __init__(
        self, handle: Callable[[Request], Response], *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        """Bind the port now, so that the address is known before the first request."""
        handler = type("Handler", (_Handler,), {"handle_request": staticmethod(handle)})
        self._server = _Server((LOOPBACK, port), handler)
        self._server.tls = tls
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
