"""Keep connections open for the next call. Each socket operation ends with the deadline of the current call.

    connections = Connections(tls_context(ca_bundle))
    response = connections.handle_request(httpcore.Request("GET", url))     # its body is unread
    response.close()                                                        # the connection may be used again

A call takes the connection that was used last. httpcore's own pool looks at all of its connections with each call, and
asks the system about each of them: with 32 in use, that takes longer than the rest of a small call.

Importing this module imports `httpcore`, so import it only where it is needed.
"""

import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Protocol

import httpcore

from shared.transport.deadline import PIECE, run_in_time, seconds_left
from shared.transport.proxy import current_proxy

KEEPALIVE_SECONDS = 5.0
"""How long an unused connection is kept for the next call."""

type Origin = tuple[bytes, bytes, int]
"""Scheme, host and port."""


class Reusable(Protocol):
    """A connection that one call at a time uses."""

    def is_idle(self) -> bool:
        """Whether it is open and no call uses it."""

    def has_expired(self) -> bool:
        """Whether it was unused for too long, or the server has ended it."""

    def close(self) -> None:
        """Close it."""


class IdleConnections[C: Reusable]:
    """The connections that no call uses at the moment, by origin. Safe for many threads."""

    def __init__(self) -> None:
        self._idle: dict[Origin, deque[C]] = {}
        self._lock = Lock()
        self._last_cleaning = time.monotonic()
        self._is_closed = False

    def take(self, origin: Origin) -> C | None:
        """Take the connection that was used last. One that has ended meanwhile is closed."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                if not idle:
                    return None
                connection = idle.pop()
            if not connection.has_expired():
                return connection
            connection.close()

    def give_back(self, origin: Origin, connection: C) -> None:
        """Keep the connection for the next call, or close it if it cannot be used again."""
        unwanted: list[C] = []
        with self._lock:
            if self._is_closed or not connection.is_idle():
                unwanted.append(connection)
            else:
                self._idle.setdefault(origin, deque()).append(connection)
            if time.monotonic() - self._last_cleaning > KEEPALIVE_SECONDS:
                unwanted += self._take_expired()
        for each in unwanted:
            each.close()

    def close(self) -> None:
        """Close all. One that is in use is closed when it is given back."""
        with self._lock:
            self._is_closed = True
            idle = [connection for each in self._idle.values() for connection in each]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take_expired(self) -> Iterator[C]:
        """Take those that nobody has used for long: they are the oldest, and would never be taken."""
        self._last_cleaning = time.monotonic()
        for idle in self._idle.values():
            while idle and idle[0].has_expired():
                yield idle.popleft()


class Connections:
    """Connections of httpcore, for `shared.transport.client`. There are as many as calls at once.

    The setting PARALLELISM limits the calls. Only a command may use a proxy (`shared.transport.proxy`).
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """Verify servers with `context`."""
        self._factory = httpcore.ConnectionPool(
            ssl_context=context,
            network_backend=DeadlineBackend(),
            keepalive_expiry=KEEPALIVE_SECONDS,
            proxy=_proxy_of_httpcore(),
        )
        self._idle = IdleConnections[httpcore.ConnectionInterface]()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send the request, and return the answer with its body unread; the caller closes it.

        Raises the errors of httpcore.
        """
        named = request.url.origin
        origin = named.scheme, named.host, named.port
        connection = self._idle.take(origin) or self._factory.create_connection(named)
        try:
            response = connection.handle_request(request)
        except BaseException:
            connection.close()
            raise
        response.stream = _Body(response.stream, partial(self._idle.give_back, origin, connection))  # type: ignore[arg-type]  # both are synchronous
        return response

    def close(self) -> None:
        """Close the connections."""
        self._idle.close()


class _Stream(Protocol):
    """The body as httpcore returns it."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class _Body:
    """The body of an answer. Once it is closed, the connection is free."""

    def __init__(self, inner: _Stream, free: Callable[[], None]) -> None:
        self._inner, self._free = inner, free
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._inner.close()
            self._free()


def _proxy_of_httpcore() -> httpcore.Proxy | None:
    proxy = current_proxy()
    return None if proxy is None else httpcore.Proxy(proxy.origin, auth=proxy.credentials)


# --- sockets


def _timeout_within_deadline(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    left = seconds_left()
    if left is None:
        return timeout
    if left <= 0:
        raise late
    return left if timeout is None else min(timeout, left)


class DeadlineBackend(httpcore.SyncBackend):
    """Opens connections that obey the deadline of the current call."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection, looking up the name in time too. Raises httpcore.ConnectTimeout, httpcore.ConnectError."""
        timeout = _timeout_within_deadline(timeout, httpcore.ConnectTimeout)
        connect = partial(super().connect_tcp, host, port, timeout, local_address, socket_options)
        try:
            return _DeadlineStream(run_in_time(seconds_left(), connect, lambda late: late.close()))
        except TimeoutError:
            raise httpcore.ConnectTimeout from None


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _timeout_within_deadline(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], _timeout_within_deadline(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS. After an error the connection is closed, because nobody knows it yet."""
        try:
            timeout = _timeout_within_deadline(timeout, httpcore.ConnectTimeout)
            return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
