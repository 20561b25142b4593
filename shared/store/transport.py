"""The HTTP session under the Azure SDK: nothing from the environment, our own trust, one deadline for a whole call."""

import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

CONNECT = 10.0
"""Seconds to reach a host."""

POOL = 32
_PIECE = 64 * 1024


class _DeadlineAdapter(HTTPAdapter):
    """Reads the whole answer at once; a reply that trickles past the deadline is a timeout.

    The timeouts of requests are per socket operation: a server that sends a byte a second would hold a call for ever.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(pool_maxsize=POOL, max_retries=0)
        self._seconds = seconds

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - as above; the body is always read here
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """As the base class's, with the body read; `timeout` may shorten the deadline (the SDK counts down repeats)."""
        allowed = timeout[0] if isinstance(timeout, tuple) else timeout
        seconds = min(self._seconds, allowed or self._seconds)
        deadline = time.monotonic() + seconds
        timeouts = (min(seconds, CONNECT), seconds)
        response = super().send(request, stream=True, timeout=timeouts, verify=verify, cert=cert, proxies=proxies)
        try:
            response._content = _body(response, deadline)  # noqa: SLF001 - as requests does when it reads a body
            response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - untyped, as above
        finally:
            response.close()
        return response


def _body(response: requests.Response, deadline: float) -> bytes:
    pieces = []
    try:
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer took longer than its deadline")
    except HTTPError as error:
        raise requests.ConnectionError(f"the answer broke off: {type(error).__name__}") from error
    return b"".join(pieces)


def session(seconds: float) -> requests.Session:
    """A session that ignores the machine's proxies and certificates; `seconds` is the deadline of one call."""
    made = requests.Session()
    made.trust_env = False
    adapter = _DeadlineAdapter(seconds)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def azure_options(seconds: float, ca_bundle: str | None) -> dict[str, Any]:
    """Keyword arguments for an Azure client: its transport, the certificates it trusts (None: certifi's), deadline."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - slow, and the session is of use without

    # The SDK takes these from a transport of the caller's, not from the client that is given one.
    transport = RequestsTransport(
        session=session(seconds),
        connection_verify=ca_bundle or True,
        connection_timeout=seconds,
        read_timeout=seconds,
    )
    return {"transport": transport, "timeout": seconds}
