"""A total deadline for one call: connect, send, every read, every wait between tries.

httpx limits each socket operation by itself, so a peer that sends one byte a second is never too slow for it. Here the
deadline of the present call stands in a context variable, and the transport clips every socket operation to what is
left of it. Deadlines nest: the inner one never outlives the outer one (a sign-in within a call).

Not covered: the name look-up, which the operating system bounds by itself.

Source: protocol.md section 3, "Every remote call has a total deadline of 60 s".
"""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import certifi
import httpcore
import httpx

CONNECT_TIMEOUT = 10.0
"""Seconds for one connection to come about: a host that takes longer will not answer in time either."""


class Deadline:
    """A moment on a monotonic clock."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """End `seconds` from now."""
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self._clock())

    def timeout(self) -> httpx.Timeout:
        """What is left, as httpx wants it."""
        # Zero would mean "do not block" to a socket: the shortest real wait stands for it.
        left = max(self.left(), 0.001)
        return httpx.Timeout(left, connect=min(left, CONNECT_TIMEOUT))


_present: ContextVar[Deadline | None] = ContextVar("partner_center_deadline", default=None)


def remaining() -> float | None:
    """Seconds left of the present call; None outside any."""
    deadline = _present.get()
    return None if deadline is None else deadline.left()


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[Deadline]:
    """Run the block under a deadline of at most `seconds`, less if an outer one ends earlier."""
    outer = remaining()
    deadline = Deadline(seconds if outer is None else min(seconds, outer), clock)
    token = _present.set(deadline)
    try:
        yield deadline
    finally:
        _present.reset(token)


def open_client(ca_bundle: Path | str | None = None) -> httpx.Client:
    """A client for one far side: HTTP/1.1, no redirects, nothing from the environment, no cookies, total deadlines.

    Args:
        ca_bundle: PEM file of the roots to trust instead of certifi's.

    Close it at the end of the process.
    """
    context = ssl.create_default_context(cafile=str(ca_bundle or certifi.where()))
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(
        transport=DeadlineTransport(context), cookies=no_cookies, trust_env=False, follow_redirects=False
    )


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport whose socket operations end with the present call's deadline."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """Verify servers by `context`."""
        super().__init__(verify=context, trust_env=False)
        # httpx does not hand a network backend through; its pool takes one.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=_Backend(), max_connections=20, keepalive_expiry=5.0
        )


def _clipped(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    left = remaining()
    if left is None:
        return timeout
    if left <= 0:
        raise late
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _clipped(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _clipped(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _clipped(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _clipped(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
