"""Send a small request and read its whole answer, without `httpx` and with little else.

    exchange = Exchange("https://stcosell.table.core.windows.net", ca_bundle, seconds=60.0, max_bytes=10_000_000)
    answer = exchange.send("GET", "/cosell()", {"Accept": "application/json"})

Importing this module imports `httpcore`, so import it only where it is needed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpcore

from shared.transport.connections import IdleConnections
from shared.transport.deadline import call_deadline
from shared.transport.http1 import Answer as Answer  # noqa: PLC0414 - callers import it with the exchange
from shared.transport.http1 import Connection, open_connection
from shared.transport.proxy import noting_reachability
from shared.transport.trust import tls_context

_NOT_CONNECTED = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError)
_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
_LATE = frozenset({"ReadTimeout", "WriteTimeout"})
_PORTS = {"https": 443, "http": 80}


class NoAnswer(Exception):
    """The network failed. `was_sent` is False if the service surely has not seen the request."""

    def __init__(self, kind: str, *, was_sent: bool) -> None:
        """`kind` names the failure, without an address. `is_late`: the request was sent, and no answer came in time."""
        super().__init__(kind)
        self.was_sent, self.is_late = was_sent, was_sent and kind in _LATE


class Service(Protocol):
    """What sends a request to one service. Only tests have another one than `Exchange`."""

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """As `Exchange.send`."""

    def close(self) -> None:
        """As `Exchange.close`."""


class Exchange:
    """Sends requests to one service, which `origin` names: scheme, host and port. Safe for many threads.

    There are as many connections as calls at once; the setting PARALLELISM limits the calls.
    """

    def __init__(self, origin: str, ca_bundle: Path | str | None, *, seconds: float, max_bytes: int) -> None:
        """`seconds` is the longest time of a call; a longer answer than `max_bytes` is refused.

        Raises ConfigurationError if the file of the roots cannot be read.
        """
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._host_header = {"Host": parts.netloc.rpartition("@")[2]}
        self._context = tls_context(ca_bundle) if parts.scheme == "https" else None
        self._origin = parts.scheme.encode(), self._host.encode(), self._port
        self._idle = IdleConnections[Connection]()
        self._seconds, self._max_bytes = seconds, max_bytes

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Send one request; `target` is its path with the query, encoded. Raises NoAnswer."""
        was_sent = False
        with call_deadline(self._seconds):
            try:
                with noting_reachability(self._host, _is_connection_error):
                    connection = self._idle.take(self._origin) or open_connection(self._host, self._port, self._context)
                was_sent = True
                try:
                    return connection.exchange(method, target, {**self._host_header, **headers}, body, self._max_bytes)
                finally:
                    self._idle.give_back(self._origin, connection)
            except _ERRORS as error:
                raise NoAnswer(type(error).__name__, was_sent=was_sent) from error

    def close(self) -> None:
        """Close the connections."""
        self._idle.close()


def _is_connection_error(error: Exception) -> bool:
    """Whether no connection was opened: no host, no proxy, no tunnel, no time, or no TLS."""
    return isinstance(error, _NOT_CONNECTED)
