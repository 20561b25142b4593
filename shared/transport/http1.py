"""One HTTP/1.1 connection for small requests. It reads the whole answer, and strictly (RFC 9112).

httpcore's own connection checks and copies each header several times. That takes four times as long as all the rest of
a small call. This one takes what our services send: one length, or chunks.

Each socket operation ends with the deadline of the current call. All methods raise the errors of httpcore.
"""

import re
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpcore
from msgspec import Struct

from shared.transport.connections import KEEPALIVE_SECONDS, DeadlineBackend
from shared.transport.deadline import CONNECT_SECONDS
from shared.transport.proxy import Proxy, current_proxy

MAX_HEAD_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
_TEXT = r"[\t\x20-\x7e\x80-\xff]*"
_STATUS_LINE = re.compile(rf"HTTP/1\.([01]) (\d{{3}})(?: {_TEXT})?")
_FIELD = re.compile(rf"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*({_TEXT})")
_LENGTH = re.compile(r"\d{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?")
_FINAL, _SWITCHING, _NO_BODY, _SUCCESS = 200, 101, (204, 304), range(200, 300)


class Answer(Struct, frozen=True):
    """An answer: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def open_connection(host: str, port: int, context: ssl.SSLContext | None) -> "Connection":
    """Open a connection whose TLS is verified by `context`, through the proxy of the command line if it has one.

    Without a context it has neither TLS nor a proxy.
    """
    proxy = current_proxy() if context else None
    at = urlsplit(proxy.address) if proxy else None
    target = (host, port) if at is None else (at.hostname or "", at.port or 80)
    stream = DeadlineBackend().connect_tcp(*target, timeout=CONNECT_SECONDS, socket_options=())
    try:
        if proxy is not None:
            _open_tunnel(stream, proxy, f"{host}:{port}")
        if context is not None:
            stream = stream.start_tls(context, host, CONNECT_SECONDS)
    except BaseException:
        stream.close()
        raise
    return Connection(stream)


def _open_tunnel(stream: httpcore.NetworkStream, proxy: Proxy, target: str) -> None:
    headers = {"Host": target}
    if proxy.credentials is not None:
        headers["Proxy-Authorization"] = f"Basic {b64encode(':'.join(proxy.credentials).encode()).decode()}"
    connection = Connection(stream)
    connection.send("CONNECT", target, headers, None)
    status, _ = connection.read_head()
    if status not in _SUCCESS:
        raise httpcore.ProxyError(f"the proxy answered {status}")


class Connection:
    """An open connection, used by one call at a time."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._unread = bytearray()
        self._is_idle = False
        self._unused_since = 0.0

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, most: int) -> Answer:
        """Send a request and read the answer, whose body has `most` bytes at most."""
        self._is_idle = False
        self.send(method, target, headers, body)
        status, found = self.read_head()
        content, has_end = self._read_body(status, found, most)
        self._is_idle = has_end and not self._unread and not _says_close(found)
        self._unused_since = time.monotonic()
        return Answer(status, found, content)

    def is_idle(self) -> bool:
        """Whether the last call has ended as it should, and the next one may follow."""
        return self._is_idle

    def has_expired(self) -> bool:
        """Whether it was unused for too long, or the server has sent or ended something meanwhile."""
        is_old = time.monotonic() - self._unused_since > KEEPALIVE_SECONDS
        return is_old or bool(self._stream.get_extra_info("is_readable"))

    def close(self) -> None:
        """Close it."""
        self._is_idle = False
        self._stream.close()

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> None:
        """Send a request."""
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if not all(map(str.isprintable, lines)) or " " in target:
            raise httpcore.LocalProtocolError("a line of the request holds a character that is not allowed")
        head = "\r\n".join([*lines, "", ""]).encode()
        try:
            self._stream.write(head + body if body else head)
        except httpcore.WriteError:
            # The server may have refused the request before it had read it all, so its answer counts.
            return

    def read_head(self) -> tuple[int, dict[str, str]]:
        """Read the status and the headers of the answer, after those that only announce one."""
        while True:
            first, *lines = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            found = _STATUS_LINE.fullmatch(first)
            if found is None:
                raise httpcore.RemoteProtocolError("the answer does not begin with a status")
            status, headers = int(found[2]), _headers_of(lines)
            if status >= _FINAL:
                return status, headers if found[1] == "1" else {**headers, "connection": "close"}
            if status == _SWITCHING:
                raise httpcore.RemoteProtocolError("the server changes the protocol")

    def _read_body(self, status: int, headers: Mapping[str, str], most: int) -> tuple[bytes, bool]:
        """Return the body, and whether the answer states its end."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None and (coding.lower() != "chunked" or length is not None):
            raise httpcore.RemoteProtocolError("the answer has an encoding that is not supported")
        if length is not None and not _LENGTH.fullmatch(length):
            raise httpcore.RemoteProtocolError("the answer has no valid length")
        if status in _NO_BODY:
            return b"", True
        if coding is not None:
            return self._read_chunks(most), True
        if length is None:
            return self._read_to_the_end(most), False
        return self._read_exactly(_limited(int(length), most)), True

    def _read_chunks(self, most: int) -> bytes:
        pieces, total = list[bytes](), 0
        while True:
            size = _CHUNK_SIZE.fullmatch(self._read_until(b"\r\n"))
            if size is None:
                raise httpcore.RemoteProtocolError("the answer has a chunk without a valid length")
            if (count := int(size[1], 16)) == 0:
                break
            total = _limited(total + count, most)
            pieces.append(self._read_exactly(count))
            if self._read_exactly(2) != b"\r\n":
                raise httpcore.RemoteProtocolError("the answer has a chunk of another length")
        while self._read_until(b"\r\n"):  # fields after the chunks are not used
            pass
        return b"".join(pieces)

    def _read_to_the_end(self, most: int) -> bytes:
        while piece := self._stream.read(_READ_BYTES):
            self._unread += piece
            _limited(len(self._unread), most)
        return self._cut(_limited(len(self._unread), most))

    def _read_exactly(self, count: int) -> bytes:
        while len(self._unread) < count:
            self._fill()
        return self._cut(count)

    def _read_until(self, mark: bytes) -> bytes:
        while (end := self._unread.find(mark)) < 0:
            if len(self._unread) > MAX_HEAD_BYTES:
                raise httpcore.RemoteProtocolError("the answer has too many headers")
            self._fill()
        found = self._cut(end + len(mark))
        return found[:end]

    def _fill(self) -> None:
        piece = self._stream.read(_READ_BYTES)
        if not piece:
            raise httpcore.RemoteProtocolError("the answer breaks off")
        self._unread += piece

    def _cut(self, count: int) -> bytes:
        found = bytes(self._unread[:count])
        del self._unread[:count]
        return found


def _headers_of(lines: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise httpcore.RemoteProtocolError("the answer has a header that cannot be read")
        name, value = field[1].lower(), field[2].rstrip(" \t")
        # A second length makes the value invalid, as it must be.
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _says_close(headers: Mapping[str, str]) -> bool:
    return "close" in headers.get("connection", "").lower()


def _limited(count: int, most: int) -> int:
    if count > most:
        raise httpcore.ReadError("answer too large")
    return count
