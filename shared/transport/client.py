"""Open the `httpx` client for Partner Center and its sign-in. Each socket operation ends with the call's deadline.

Importing this module imports `httpx`, so import it only where it is needed.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpcore
import httpx

from shared.transport.connections import Connections
from shared.transport.deadline import CONNECT_SECONDS, Deadline
from shared.transport.proxy import noting_reachability
from shared.transport.trust import tls_context

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer answer is refused."""


def open_client(ca_bundle: Path | str | None = None) -> httpx.Client:
    """A client for one service: HTTP/1.1, no redirects, nothing from the environment, no cookies, total deadlines.

    `ca_bundle` is a PEM file of the roots to trust; None: certifi's. Only a command may use a proxy
    (`shared.transport.proxy`). The caller closes the client. Raises ConfigurationError if the file cannot be read.
    """
    transport = DeadlineTransport(tls_context(ca_bundle))
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(transport=transport, cookies=no_cookies, trust_env=False, follow_redirects=False)


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
    """An httpx transport on `shared.transport.connections`, whose sockets obey the deadline of the current call.

    `httpx.HTTPTransport` has no parameter for the network backend that keeps the deadline, so this class replaces it.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """Verify servers with `context`."""
        self._connections = Connections(context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, note whether its host was reached, and return the answer with its body unread.

        Raises httpx.TransportError.
        """
        with noting_reachability(request.url.host, _is_connection_error), _errors_of_httpx():
            answer = self._connections.handle_request(_request_of_httpcore(request))
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, read in pieces from the connection."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


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
