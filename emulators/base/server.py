"""Serve a handler over HTTP on the loopback address, with or without TLS.

A handler is a function from `Request` to `Response`. Tests call it directly, without a socket. The local Functions host
uses this server too.

A connection is closed if its next request does not begin within `IDLE_SECONDS`, or is not complete `REQUEST_SECONDS`
after its first byte. So clients that send nothing, or send slowly, do not hold threads for ever.
"""

import io
import json
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Buffer, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 100.0
"""Longest pause between two requests. It is not a multiple of a minute: a timer would reuse a connection as it ends."""
REQUEST_SECONDS = 30.0
"""Longest time from the first byte of a request to its last one."""
_HANDSHAKE_SECONDS = 10.0
_WAKE_SECONDS = 1.0
_DRAIN_SECONDS = 1.0
_MAX_BODY = 100 * 2**20  # bytes, more than any of the emulated services accepts
_MAX_LINE = 64 * 1024  # bytes
_MAX_TRAILERS = 100


@lru_cache(maxsize=64)  # clients send the same queries again and again; one may have 16 kB
def _read_target(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The path and the query parameters of a target, unquoted."""
    parts = urlsplit(target)
    return unquote(parts.path), tuple(parse_qsl(parts.query, keep_blank_values=True)) if parts.query else ()


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
        path, query = _read_target(target)
        lower_case = {name.lower(): value for name, value in headers.items()}
        return cls(method.upper(), path, dict(query), lower_case, body)

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


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a time that can be moved. Raises TimeoutError after it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = 0.0

    def allow(self, seconds: float) -> None:
        """Let all reads from now on take `seconds` together."""
        self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this request is up")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    handle_request: Callable[[Request], Response]
    idle_seconds: float
    request_seconds: float

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._reader = _TimedReader(self.connection)
        self.rfile = self._buffered_reader = io.BufferedReader(self._reader)

    def handle_one_request(self) -> None:
        self._reader.allow(self.idle_seconds)
        try:
            self._buffered_reader.peek(1)
        except TimeoutError:
            self.close_connection = True
            return
        self._reader.allow(self.request_seconds)
        super().handle_one_request()

    def _handle_http_request(self) -> None:
        try:
            request = Request.of(self.command, self.path, self.headers, self._read_body())
        except ValueError:  # the end of this request is unknown, so the connection cannot serve another one
            self.close_connection = True
            self._send_response(Response(400, b"Bad Request", {"Content-Type": "text/plain", "Connection": "close"}))
            self._drain()
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
        """Read the body. Raises ValueError before it reads anything if the headers do not say where the body ends."""
        encodings = [value.strip().lower() for value in self.headers.get_all("Transfer-Encoding", [])]
        lengths = {value.strip() for value in self.headers.get_all("Content-Length", [])}
        if len(encodings) + len(lengths) > 1:
            raise ValueError("a request has more than one length")
        if not encodings:
            return self._read_exactly(_parse_length(next(iter(lengths), "") or "0", 10))
        if encodings != ["chunked"]:
            raise ValueError("the transfer encoding is not chunked")
        return b"".join(self._read_chunks())

    def _read_chunks(self) -> Iterator[bytes]:
        total = 0
        while size := _parse_length(self._read_line().decode("ascii").split(";")[0].strip(), 16):
            total += size
            if total > _MAX_BODY:
                raise ValueError("the chunks are longer than a body may be")
            yield self._read_exactly(size)
            if self._read_line().strip():
                raise ValueError("a chunk is longer than its size")
        for _ in range(_MAX_TRAILERS):  # header lines after the body; nothing of ours needs them
            if not self._read_line().strip():
                return
        raise ValueError("there are too many trailers")

    def _read_line(self) -> bytes:
        line = self.rfile.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("a line is too long, or the request ends within it")
        return line

    def _read_exactly(self, size: int) -> bytes:
        body = self.rfile.read(size)
        if len(body) < size:
            raise ValueError("the request ends before its body")
        return body

    def _drain(self) -> None:
        """Read what the client still sends, for a moment: unread bytes would reset the connection under the answer."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self._reader.allow(_DRAIN_SECONDS)
            while self.rfile.read1(_MAX_LINE):
                pass

    def _send_response(self, response: Response) -> None:
        self.connection.settimeout(self.request_seconds)
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
            request.settimeout(_HANDSHAKE_SECONDS)
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
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
        self,
        handle: Callable[[Request], Response],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        idle_seconds: float = IDLE_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        """Bind the port now, so that the address is known before the first request."""
        members = {
            "handle_request": staticmethod(handle), "idle_seconds": idle_seconds, "request_seconds": request_seconds,
        }  # fmt: skip
        handler = type("Handler", (_Handler,), members)
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
        stop = threading.Thread(target=self._server.shutdown)
        stop.start()
        # The server looks for the end at each connection, or else after its interval.
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), _WAKE_SECONDS):
            stop.join()
        stop.join()
        self._server.server_close()
        self._thread.join(5)
