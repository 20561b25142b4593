"""The HTTP session: our own trust, no environment, no cookies, and one deadline for the whole of a call.

`requests` applies its timeout to each socket operation, so a server that sends a byte a second holds a call for ever.
Here every read from the socket gets what is left of the call's time, header lines included (protocol.md section 3:
every remote call has a total deadline).
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from shared.errors import ConfigurationError

CONNECT_SECONDS = 10.0
_present = threading.local()


class Deadline:
    """What is left of the time of one call, retries and renewed sign-in included."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start counting now."""
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - self._monotonic())


class _Reader(io.RawIOBase):
    """The bytes of one answer, each read with the time that is left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 - a writable buffer, as io declares it
        remaining = self._deadline.remaining()
        if remaining <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, _present.deadline))


class _PlainConnection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class TotalTimeout(HTTPAdapter):
    """Takes the `timeout` of a request (seconds, or `seconds` if none was given) as the limit of the whole call."""

    def __init__(self, seconds: float, pool: int) -> None:
        """`pool` connections are kept for a host: as many as threads work at once."""
        self._seconds = seconds
        super().__init__(pool_connections=2, pool_maxsize=pool, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        """Let the pools make our connections."""
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request under its deadline."""
        total = timeout if isinstance(timeout, int | float) else self._seconds
        _present.deadline = Deadline(total)
        limits = (min(CONNECT_SECONDS, total), total)
        return super().send(request, stream=stream, timeout=limits, verify=verify, cert=cert, proxies=proxies)


def open_session(ca_bundle: Path | str | None, *, seconds: float = 60.0, pool: int = 32) -> requests.Session:
    """A session that trusts `ca_bundle` (None: certifi's roots) and nothing of the environment, https only.

    Raises ConfigurationError if there is no such file.
    """
    if ca_bundle and not Path(ca_bundle).is_file():
        raise ConfigurationError(f"the CA bundle {ca_bundle} does not exist")
    session = requests.Session()
    session.trust_env = False
    session.verify = str(ca_bundle) if ca_bundle else True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    session.mount("https://", TotalTimeout(seconds, pool))
    return session
