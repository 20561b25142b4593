"""Send a request with an access token and a deadline, and read the whole answer.

A read is tried at most three times (`shared.transport.retry`, docs/protocol.md#within-a-call). A write is never
repeated, with one exception: after a 401 the service did nothing, so the request is sent once more with a new token
(docs/reference/partner-center.md#retry-rules).
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from uuid import uuid4

import httpx
from msgspec import field

from shared.clients.partner_center.error_mapping import (
    CallLabel,
    Reply,
    error_of_reply,
    error_of_unreadable_body,
    error_without_answer,
    is_mfa_missing,
)
from shared.clients.partner_center.json_bodies import Unreadable
from shared.foundation.errors import ConfigurationError, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.client import httpx_timeout
from shared.transport.deadline import Deadline, call_deadline
from shared.transport.loopback import is_loopback
from shared.transport.retry import RetryPolicy, call_with_retries

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer answer is refused."""

RETRIES = RetryPolicy(tries=3, first_wait=0.5, longest_wait=8.0)
"""The limits for repeating a read (docs/protocol.md#within-a-call)."""

Token = Callable[[bool], str]
"""Returns an access token. The argument True demands a token that was not returned before."""


class OutgoingRequest(Redacted, frozen=True):
    """One request without its token. `expected` are the statuses that mean success; `subject` names it in errors."""

    method: str
    url: httpx.URL
    subject: str
    expected: frozenset[int] = frozenset({HTTPStatus.OK})
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def resource_url(base_url: str, resource: str, what: str, example: str) -> httpx.URL:
    """The address of a resource below `base_url`. `what` and `example` are used in the error.

    Raises ConfigurationError if the address is not https. A loopback address may be http.
    """
    try:
        url = httpx.URL(f"{base_url.rstrip('/')}/{resource}")
    except httpx.InvalidURL:
        url = httpx.URL("")
    is_plain = url.host and not (url.userinfo or url.query or url.fragment)
    if not is_plain or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))):
        raise ConfigurationError(f"{what} must consist of https, host and path only. Example: {example}")
    return url


def send_and_read(client: httpx.Client, request: httpx.Request, deadline: Deadline) -> Reply:
    """Send, and read the whole answer. Raises httpx.HTTPError, also if the answer is too large or too late."""
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise httpx.ReadError("answer too large", request=request)
            if deadline.seconds_left() <= 0:
                raise httpx.ReadTimeout("answer too slow", request=request)
        return Reply(response.status_code, response.headers, bytes(body))
    finally:
        response.close()


class RequestSender:
    """Sends requests to one service, with the tokens of one audience."""

    def __init__(
        self,
        token: Token,
        client: httpx.Client,
        *,
        deadline: float,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        """`deadline` is in seconds, for one call with its tries. `new_id` makes the id that names a call to support."""
        self._token = token
        self._client = client
        self._deadline = deadline
        self._new_id = new_id
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - jitter is not a secret

    def read[T](self, request: OutgoingRequest, decode: Callable[[Reply], T]) -> T:
        """The decoded answer to a read. Raises Retryable after the last try, and every other error at once."""
        with call_deadline(self._deadline, self._clock) as deadline:
            call = _Call(self._token, self._client, request, self._new_id(), deadline)
            return call_with_retries(
                lambda: call.decoded_answer(decode), RETRIES, deadline, uniform=self._chance.uniform
            )

    def write[T](self, request: OutgoingRequest, decode: Callable[[Reply], T]) -> T:
        """The decoded answer to a write, which is sent once. Raises Ambiguous if its outcome is unknown."""
        with call_deadline(self._deadline, self._clock) as deadline:
            return _Call(self._token, self._client, request, self._new_id(), deadline).decoded_answer(decode)

    def one_deadline(self) -> AbstractContextManager[Deadline]:
        """Put several calls under one deadline."""
        return call_deadline(self._deadline, self._clock)


class _Call:
    """One call with its tries: one correlation id, and at most one new token."""

    def __init__(
        self, token: Token, client: httpx.Client, request: OutgoingRequest, correlation: str, deadline: Deadline
    ) -> None:
        self._token = token
        self._client = client
        self._request = request
        self._label = CallLabel(request.method, request.subject, correlation)
        self._deadline = deadline
        self._token_was_renewed = False

    def decoded_answer[T](self, decode: Callable[[Reply], T]) -> T:
        reply = self._send(renew=False)
        if reply.status == HTTPStatus.UNAUTHORIZED and not self._token_was_renewed and not is_mfa_missing(reply):
            self._token_was_renewed = True
            reply = self._send(renew=True)
        if reply.status not in self._request.expected:
            raise error_of_reply(reply, self._label)
        try:
            return decode(reply)
        except Unreadable as error:
            raise error_of_unreadable_body(reply, self._label, str(error)) from None

    def _send(self, *, renew: bool) -> Reply:
        token = self._token(renew)
        if self._deadline.seconds_left() <= 0:
            raise Unavailable(f"{self._label}: not sent, because the sign-in took all the time")
        try:
            return send_and_read(self._client, self._build_request(token), self._deadline)
        except httpx.HTTPError as error:
            raise error_without_answer(error, self._label) from None

    def _build_request(self, token: str) -> httpx.Request:
        """The request with the documented headers. Answers are not compressed, so that `MAX_BODY_BYTES` limits memory.

        Source: docs/reference/partner-center.md#request-headers.
        """
        body = {} if self._request.content is None else {"Content-Type": "application/json"}
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "MS-CorrelationId": self._label.correlation,
            "client-request-id": self._label.correlation,
            **body,
            **self._request.headers,
        }
        return self._client.build_request(
            self._request.method,
            self._request.url,
            headers=headers,
            content=self._request.content,
            timeout=httpx_timeout(self._deadline),
        )
