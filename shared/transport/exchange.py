"""Send a small request and read its whole answer, without the models of `httpx`: they take half of such a call's time.

    exchange = Exchange("https://stcosell.table.core.windows.net", ca_bundle)
    with call_deadline(60.0):
        answer = exchange.send("GET", "/cosell()", {"Accept": "application/json"})

Importing this module imports `httpcore`, so import it only where it is needed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpcore
from msgspec import Struct

from shared.transport.connections import Connections
from shared.transport.deadline import CONNECT_SECONDS, Deadline, call_deadline
from shared.transport.proxy import noting_reachability
from shared.transport.trust import tls_context

_NOT_CONNECTED = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError)
_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)


class Answer(Struct, frozen=True):
    """An answer: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The network failed. `was_sent` is False if the service surely has not seen the request."""

    def __init__(self, kind: str, *, was_sent: bool) -> None:
        """`kind` names the failure, without an address."""
        super().__init__(kind)
        self.was_sent = was_sent


class Service(Protocol):
    """What sends a request to one service. Only tests have another one than `Exchange`."""

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """As `Exchange.send`."""

    def close(self) -> None:
        """As `Exchange.close`."""


class Exchange:
    """Sends requests to one service, which `origin` names: scheme, host and port. Safe for many threads."""

    def __init__(self, origin: str, ca_bundle: Path | str | None, *, seconds: float, max_bytes: int) -> None:
        """`seconds` is the longest time of a call; a longer answer than `max_bytes` is refused.

        Raises ConfigurationError if the file of the roots cannot be read.
        """
        parts = urlsplit(origin)
        self._scheme, self._host, self._port = parts.scheme.encode(), (parts.hostname or "").encode(), parts.port
        self._host_header = (b"Host", parts.netloc.rpartition("@")[2].encode())
        self._seconds, self._max_bytes = seconds, max_bytes
        self._connections = Connections(tls_context(ca_bundle) if parts.scheme == "https" else None)

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Send one request; `target` is its path with the query, encoded. Raises NoAnswer."""
        with call_deadline(self._seconds) as deadline:
            request = self._build(method, target, headers, body, deadline)
            try:
                with noting_reachability(self._host.decode(), _is_connection_error):
                    return self._read(self._connections.handle_request(request), deadline)
            except _ERRORS as error:
                raise NoAnswer(type(error).__name__, was_sent=not _is_connection_error(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _build(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> httpcore.Request:
        lines = [self._host_header, *((name.encode(), value.encode()) for name, value in headers.items())]
        if body is not None:
            lines.append((b"Content-Length", b"%d" % len(body)))
        url = httpcore.URL(scheme=self._scheme, host=self._host, port=self._port, target=target.encode())
        timeouts = {"connect": deadline.socket_timeout(CONNECT_SECONDS)}  # the sockets obey the deadline itself
        return httpcore.Request(method, url, headers=lines, content=body, extensions={"timeout": timeouts})

    def _read(self, response: httpcore.Response, deadline: Deadline) -> Answer:
        body = bytearray()
        try:
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > self._max_bytes:
                    raise httpcore.ReadError("answer too large")
                if deadline.seconds_left() <= 0:
                    raise httpcore.ReadTimeout("answer too slow")
        finally:
            response.close()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, headers, bytes(body))


def _is_connection_error(error: Exception) -> bool:
    """Whether no connection was opened: no host, no proxy, no tunnel, no time, or no TLS."""
    return isinstance(error, _NOT_CONNECTED)
