"""A `requests` session whose calls end in time, whatever the far side does.

The timeouts of `requests` are per socket operation: a server that sends one byte a second is never too late. Here a
call has a total: connecting, headers and body together. Importing this module imports `requests`, so import it late.

    session = deadline.session(ca_bundle, timeout=60.0)
    with deadline.total(60.0):          # optional: several calls share one budget
        session.get(...)
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECT_TIMEOUT = 10.0
_until: ContextVar[float | None] = ContextVar("until", default=None)
_current: ContextVar["_Guard | None"] = ContextVar("guard", default=None)


@contextlib.contextmanager
def total(seconds: float) -> Iterator[None]:
    """Let all calls of this thread inside the block end within `seconds` together."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def left(seconds: float) -> float:
    """`seconds`, or what the surrounding `total` leaves of them."""
    until = _until.get()
    return seconds if until is None else min(seconds, until - time.monotonic())


def session(ca_bundle: Path | str, *, timeout: float, pool: int = 10) -> requests.Session:
    """A session that trusts `ca_bundle` alone, reads nothing from the environment, keeps no cookies.

    `timeout` is the total of each call in seconds; `pool` the connections kept a host. A call that takes longer raises
    `requests.Timeout`. Redirects are the caller's business (`allow_redirects=False`).
    """
    made = requests.Session()
    made.trust_env = False
    made.verify = str(ca_bundle)
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        made.mount(scheme, DeadlineAdapter(timeout, pool_maxsize=pool))
    return made


class DeadlineAdapter(HTTPAdapter):
    """Ends each call within `timeout` seconds by shutting its socket down."""

    def __init__(self, timeout: float, **options: Any) -> None:  # noqa: ANN401 - the base class's options
        """`options` are the base class's."""
        self._timeout = timeout
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Use connections that can be interrupted."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401 - replaced by ours
        verify: bool | str = True,
        cert: Any = None,  # noqa: ANN401 - the base class's type is long and of no use here
        proxies: Any = None,  # noqa: ANN401 - as cert
    ) -> requests.Response:
        """Send, and read the whole body, within the deadline. Raises requests.Timeout."""
        del timeout, stream
        seconds = left(self._timeout)
        if seconds <= 0:
            raise requests.exceptions.ConnectTimeout("no time left for this call", request=request)
        with _Guard(seconds) as guard:
            try:
                limits = (min(seconds, CONNECT_TIMEOUT), seconds)
                response = super().send(request, True, limits, verify, cert, proxies)  # noqa: FBT003 - base's order
                response.content  # noqa: B018 - reading it here puts the body under the deadline too
            except (requests.RequestException, ValueError, OSError) as error:
                if guard.expired:
                    raise requests.exceptions.ReadTimeout("the answer took too long", request=request) from error
                raise
        if guard.expired:
            raise requests.exceptions.ReadTimeout("the answer took too long", request=request)
        return response


class _Guard:
    """Shuts down the socket of the present call when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._connection: HTTPConnection | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _current.reset(self._token)

    def watch(self, connection: HTTPConnection) -> None:
        """Take this connection for the one of the call."""
        self._connection = connection

    def _expire(self) -> None:
        self.expired = True
        sock = self._connection.sock if self._connection else None
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown: that one drops the TLS layer under the reading thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the base class's signature
        guard = _current.get()
        if guard:
            guard.watch(self)
        super().request(*args, **options)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls
