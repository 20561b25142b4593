"""Open the `requests` session that the libraries of Salesforce and of Azure (Key Vault, signing in) use.

    session = open_session(ca_bundle, seconds=60.0)
    with call_deadline(60.0):   # optional: several calls share one deadline
        session.get(...)

A call takes at most the shortest of three times: the session's `seconds`, the `timeout` of the call, and what is left
of the surrounding deadline (`shared.transport.deadline`). Headers and body are read within that time, so the answer is
complete when the call returns. The call raises requests.ConnectTimeout if nothing was sent, requests.ReadTimeout if the
answer takes too long, and requests.ConnectionError if the answer breaks off. The caller handles redirects.

Importing this module imports `requests`, so import it only where it is needed.
"""

import http.client
import io
import socket
import ssl
from collections.abc import Buffer, Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from shared.transport.deadline import (
    CONNECT_SECONDS,
    PIECE,
    TimedReader,
    call_deadline,
    current_deadline,
    run_in_time,
    seconds_left,
)
from shared.transport.proxy import current_proxy, noting_reachability
from shared.transport.trust import tls_context

Timeouts = float | tuple[float | None, float | None] | None
POOL_SIZE = 64
"""Connections kept open for a host: as many as the setting PARALLELISM allows calls at once."""


def open_session(
    ca_bundle: Path | str | None, *, seconds: float = 60.0, pool: int = POOL_SIZE, allow_http: bool = False
) -> requests.Session:
    """A session that trusts only `ca_bundle` (None: certifi's roots), ignores the environment and keeps no cookies.

    `seconds` is the longest time of a call. `allow_http` permits http as well as https, which the managed-identity
    endpoint and the emulators need. Only a command may use a proxy, and only for https (`shared.transport.proxy`).
    Raises ConfigurationError if the bundle does not exist or cannot be read.
    """
    context = tls_context(ca_bundle)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    for scheme in ("https://", "http://") if allow_http else ("https://",):
        session.mount(scheme, DeadlineAdapter(seconds, pool, context))
    return session


class DeadlineAdapter(HTTPAdapter):
    """Sends each request within its deadline and reads the whole answer.

    Every server is verified with the session's context, whatever a library demands of a call: `requests` would load the
    file of the roots again for each connection.
    """

    def __init__(self, seconds: float, pool: int, context: ssl.SSLContext) -> None:
        """See `open_session`. The adapter never repeats a request."""
        self._seconds, self._context = seconds, context
        proxy = current_proxy()
        self._proxies = {} if proxy is None else {"https": proxy.address}
        super().__init__(pool_maxsize=pool, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Make the pools use the connections of this module."""
        super().init_poolmanager(*args, **options, ssl_context=self._context)
        _use_our_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - as above
        """Make the pools behind a proxy use the connections of this module too."""
        return _use_our_connections(super().proxy_manager_for(proxy, **options, ssl_context=self._context))

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: object) -> None:  # noqa: ANN401, ARG002 - as above
        """Name no file of roots, because the context has them already."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the answer is always read here
        timeout: Timeouts = None,
        verify: bool | str = True,  # noqa: ARG002 - the context of the session decides
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - the proxy is chosen when the session is opened
    ) -> requests.Response:
        """Send, and read the whole answer. The docstring of the module lists the errors."""
        with call_deadline(_shortest_timeout(timeout, self._seconds)) as deadline:
            if deadline.seconds_left() <= 0:
                raise requests.ConnectTimeout(ConnectTimeoutError("no time was left for this call"), request=request)
            limits = (deadline.socket_timeout(CONNECT_SECONDS), deadline.socket_timeout())
            try:
                with noting_reachability(urlsplit(str(request.url)).hostname, _is_connection_error):
                    response = super().send(
                        request, stream=True, timeout=limits, verify=True, cert=cert, proxies=self._proxies
                    )
                return _read_whole_body(response)
            except requests.Timeout:
                raise
            except requests.RequestException as error:
                if deadline.seconds_left() <= 0:
                    raise requests.ReadTimeout("the call took too long", request=request) from error
                raise


def _shortest_timeout(timeout: Timeouts, seconds: float) -> float:
    """The shortest timeout. Azure's libraries give two, and reduce the first one with each of their own retries."""
    timeouts = timeout if isinstance(timeout, tuple) else (timeout,)
    return min([seconds, *(limit for limit in timeouts if limit is not None)])


def _use_our_connections(manager: Any) -> Any:  # noqa: ANN401 - a manager of pools, or one behind a proxy
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return manager


def _is_connection_error(error: Exception) -> bool:
    """Whether no connection was opened: no host, no proxy, no tunnel, no time, or no TLS."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.SSLError):
        return True
    inner = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(
        getattr(inner, "reason", None), NewConnectionError | ConnectTimeoutError
    )


def _read_whole_body(response: requests.Response) -> requests.Response:
    """The same response, after its body was read."""
    try:
        response.content  # noqa: B018 - the access reads the body
    except requests.exceptions.ChunkedEncodingError as error:
        # Azure's libraries recognise an answer that broke off by a ConnectionError around urllib3's own error.
        raise requests.ConnectionError(*error.args, request=response.request) from error
    finally:
        response.close()
    return response


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(sock, *args, **options)
        deadline = current_deadline()
        if deadline is not None:
            self.fp = io.BufferedReader(TimedReader(sock, deadline, self.fp.detach()))


class _TimedConnection(HTTPConnection):
    response_class = _DeadlineResponse

    def _new_conn(self) -> socket.socket:
        """A connected socket. A TLS handshake that follows gets the rest of the time."""
        self.timeout = _socket_timeout(CONNECT_SECONDS)
        sock = self._connect_in_time()
        sock.settimeout(_socket_timeout(CONNECT_SECONDS))
        return sock

    def _connect_in_time(self) -> socket.socket:
        try:
            return run_in_time(seconds_left(), super()._new_conn, socket.socket.close)
        except TimeoutError:
            raise ConnectTimeoutError(self, f"{self.host} was not reached in time") from None

    def send(self, data: Buffer) -> None:  # type: ignore[override]  # urllib3 hands over nothing but bytes
        """Send in pieces, each with the time that is left, so that a server that reads slowly is cut off too."""
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            self.sock.settimeout(_socket_timeout())
            super().send(view[start : start + PIECE])


class _SecureConnection(_TimedConnection, HTTPSConnection):
    def _tunnel(self) -> None:
        """Open the tunnel. A refusal is an error of the proxy, after which nothing was sent to the host."""
        try:
            super()._tunnel()
        except OSError as error:
            raise ProxyError("the proxy opened no tunnel", error) from error


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _socket_timeout(at_most: float | None = None) -> float | None:
    deadline = current_deadline()
    return at_most if deadline is None else deadline.socket_timeout(at_most)
