"""Open the `httpx` client for Partner Center and its sign-in. Each socket operation ends with the call's deadline.

Importing this module imports `httpx`, so import it only where it is needed.
"""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpcore
import httpx

from shared.transport.deadline import CONNECT_SECONDS, PIECE, Deadline, run_in_time, seconds_left
from shared.transport.proxy import current_proxy, noting_reachability
from shared.transport.trust import tls_context

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer answer is refused."""
KEEPALIVE_SECONDS = 5.0
"""How long an unused connection is kept for the next call."""


def open_client(ca_bundle: Path | str | None = None) -> httpx.Client:
    """A client for one service: HTTP/1.1, no redirects, nothing from the environment, no cookies, total deadlines.

    `ca_bundle` is a PEM file of the roots to trust; None: certifi's. Only a command may use a proxy
    (`shared.transport.proxy`). The caller closes the client. Raises ConfigurationError if the file cannot be read.
    """
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(
        transport=DeadlineTransport(tls_context(ca_bundle)),
        cookies=no_cookies,
        trust_env=False,
        follow_redirects=False,
    )


def httpx_timeout(deadline: Deadline) -> httpx.Timeout:
    """The seconds left, as an httpx timeout. Connecting gets at most `CONNECT_SECONDS`."""
    return httpx.Timeout(deadline.socket_timeout(), connect=deadline.socket_timeout(CONNECT_SECONDS))


def read_body(response: httpx.Response, deadline: Deadline) -> bytes:
    """The whole body of a streamed answer, which is closed then.

    Raises httpx.HTTPError, also if the answer is too large or too late.
    """
    try:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise httpx.ReadError("answer too large", request=response.request)
            if deadline.seconds_left() <= 0:
                raise httpx.ReadTimeout("answer too slow", request=response.request)
        return bytes(body)
    finally:
        response.close()


class DeadlineTransport(httpx.BaseTransport):
    """An httpx transport on a pool of httpcore, whose socket operations end with the deadline of the current call.

    `httpx.HTTPTransport` has no parameter for the network backend that keeps the deadline, so this class replaces it.
    The pool opens as many connections as there are calls at once; the setting PARALLELISM limits the calls.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """Verify servers with `context`."""
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            network_backend=_DeadlineBackend(),
            max_connections=None,
            keepalive_expiry=KEEPALIVE_SECONDS,
            proxy=_proxy_of_httpcore(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, note whether its host was reached, and return the answer with its body unread.

        Raises httpx.TransportError.
        """
        with noting_reachability(request.url.host, _is_connection_error), _errors_of_httpx():
            answer = self._pool.handle_request(_request_of_httpcore(request))
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, read in pieces from the connection."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _proxy_of_httpcore() -> httpcore.Proxy | None:
    proxy = current_proxy()
    return None if proxy is None else httpcore.Proxy(proxy.origin, auth=proxy.credentials)


def _request_of_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _is_connection_error(error: Exception) -> bool:
    """Whether no connection was opened: no host, no proxy, no tunnel, no time, or no TLS."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)


_HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise an error of httpx in place of an error of httpcore. Both libraries use the same names."""
    try:
        yield
    except _HTTPCORE_ERRORS as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error


def _timeout_within_deadline(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    left = seconds_left()
    if left is None:
        return timeout
    if left <= 0:
        raise late
    return left if timeout is None else min(timeout, left)


class _DeadlineBackend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
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
        """Begin TLS. After an error the connection is closed, because the pool does not know it yet."""
        try:
            timeout = _timeout_within_deadline(timeout, httpcore.ConnectTimeout)
            return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
