"""Send a request with an access token and a deadline, and read the whole answer.

A read is tried at most three times (`shared.transport.retry`, docs/protocol.md#within-a-call). A write is never
repeated, with one exception: after a 401 the service did nothing, so the request is sent once more with a new token
(docs/reference/partner-center.md#retry-rules).

Few functions are entered between a client's method and the transport: what builds a request or examines an answer has
returned before, or is called after it.
"""

import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
from msgspec import Struct, field

from shared.clients.call_pace import CallPace
from shared.clients.partner_center.error_mapping import (
    CallLabel,
    Reply,
    code_of_reply,
    error_of_reply,
    error_of_unreadable_body,
    error_without_answer,
    is_mfa_missing,
)
from shared.clients.partner_center.json_bodies import Unreadable
from shared.foundation.errors import ConfigurationError, CosellError, Unavailable
from shared.foundation.logs import CURRENT_RUN, log
from shared.foundation.redacted import Redacted
from shared.transport.client import MAX_BODY_BYTES
from shared.transport.deadline import Deadline, call_deadline
from shared.transport.exchange import Exchange, NoAnswer, Service
from shared.transport.loopback import is_loopback
from shared.transport.retry import RetryPolicy

RETRIES = RetryPolicy(tries=3, first_wait=0.5, longest_wait=8.0)
"""The limits for repeating a read (docs/protocol.md#within-a-call)."""

Token = Callable[[bool], str]
"""Returns an access token. The argument True demands a token that was not returned before."""


class OutgoingRequest(Redacted, frozen=True):
    """One request without its token. `expected` are the statuses that mean success; `subject` names it in errors.

    `target` is the path with the query, encoded.
    `keys` are the ids of the referral or the opportunity that it is about, for the log.
    """

    method: str
    target: str
    subject: str
    expected: frozenset[int] = frozenset({HTTPStatus.OK})
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


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


def open_service(url: httpx.URL, ca_bundle: Path | str | None, seconds: float) -> Exchange:
    """Connections of its own to the host of an address. Raises ConfigurationError for a wrong file of roots."""
    return Exchange(f"{url.scheme}://{url.netloc.decode()}", ca_bundle, seconds=seconds, max_bytes=MAX_BODY_BYTES)


class RequestSender:
    """Sends requests to one service, with the tokens of one audience."""

    def __init__(
        self,
        token: Token,
        service: Service,
        *,
        deadline: float,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
        pace: CallPace | None = None,
    ) -> None:
        """`deadline` is in seconds, for one call with its tries. `new_id` makes the id that names a call to support."""
        self._token = token
        self._service = service
        self._seconds = deadline
        self._new_id = new_id
        self._clock = clock
        self._pace = pace or CallPace()
        self._chance = chance or random.Random()  # noqa: S311 - jitter is not a secret

    def one_deadline(self) -> Deadline:
        """The deadline of a call. It starts now, and may hold for several requests."""
        return call_deadline(self._seconds, self._clock)

    def read[T](self, request: OutgoingRequest, decode: Callable[[Reply], T]) -> T:
        """The decoded answer to a read. Raises Retryable after the last try, and every other error at once."""
        call = self._new_call(request)
        with self.one_deadline() as deadline:
            for attempt in RETRIES.attempts(deadline, uniform=self._chance.uniform):
                with attempt:
                    return self.exchange(request, decode, deadline, call)
        raise AssertionError("the last try returns or raises")

    def exchange[T](
        self, request: OutgoingRequest, decode: Callable[[Reply], T], deadline: Deadline, call: "_Call | None" = None
    ) -> T:
        """The decoded answer to a request, which is sent once, or once more with a new token after a 401.

        `deadline` must be the current one; `call` is for the tries of a read. Raises Ambiguous if the outcome of a
        write is unknown.
        """
        call, renew = call or self._new_call(request), False
        call.reply = None
        try:
            with self._pace.call() as paced:
                while True:
                    headers = _headers_of(request, self._token(renew), call.label, deadline)
                    call.was_sent = True
                    try:
                        answer = self._service.send(request.method, request.target, headers, request.content)
                        call.reply = reply = Reply(answer.status, answer.headers, answer.body)
                    except NoAnswer as error:
                        paced.is_late = error.is_late
                        raise error_without_answer(error, call.label) from None
                    paced.status = reply.status
                    is_refused = reply.status == HTTPStatus.UNAUTHORIZED
                    renew = is_refused and not call.token_was_renewed and not is_mfa_missing(reply)
                    if not renew:
                        decoded = _decoded(reply, request, call.label, decode)
                        break
                    call.token_was_renewed = True
        except CosellError as error:
            call.log_failure(request, error)
            raise
        if call.label.is_write:
            log("remote_written", **call.log_fields(request))
        return decoded

    def _new_call(self, request: OutgoingRequest) -> "_Call":
        return _Call(CallLabel(request.method, request.subject, self._new_id()))


def _headers_of(request: OutgoingRequest, token: str, label: CallLabel, deadline: Deadline) -> dict[str, str]:
    """The documented headers. Answers are not compressed, so that the limit of an answer limits memory.

    Raises Unavailable if no time is left. Source: docs/reference/partner-center.md#request-headers.
    """
    if deadline.seconds_left() <= 0:
        raise Unavailable(f"{label}: not sent, because the sign-in took all the time")
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "cosell",
        "MS-CorrelationId": label.correlation,
        "client-request-id": label.correlation,
        **({} if request.content is None else {"Content-Type": "application/json"}),
        **request.headers,
    }


class _Call(Struct):
    """One call with its tries: one correlation id, and at most one new token. `reply` is the answer to the last one."""

    label: CallLabel
    token_was_renewed: bool = False
    was_sent: bool = False
    reply: Reply | None = None

    def log_failure(self, request: OutgoingRequest, error: CosellError) -> None:
        """Log a call that failed, and let the error carry the id that was sent. A failed sign-in keeps its own id."""
        error.call_id = error.call_id or (self.label.correlation if self.was_sent else None)
        code, field = error.reason_codes
        if self.reply and code is None:
            code = code_of_reply(self.reply)
        result = {"error": type(error).__name__, "status": self.reply.status if self.reply else None}
        log("remote_failed", **self.log_fields(request), **result, code=code, field=field)

    def log_fields(self, request: OutgoingRequest) -> dict[str, object]:
        """The call as fields of a log event: its ids, and no value."""
        headers = self.reply.headers if self.reply else {}
        return {
            "side": "partner_center",
            "call": f"{request.method} {request.subject}",
            "keys": request.keys,
            "sent_id": self.label.correlation if self.was_sent else None,
            "answer_id": headers.get("request-id") or headers.get("ms-requestid"),
            "correlation_id": CURRENT_RUN.get(),
        }


def _decoded[T](reply: Reply, request: OutgoingRequest, label: CallLabel, decode: Callable[[Reply], T]) -> T:
    """The decoded answer. Raises the error that belongs to an answer without success, or without a readable body."""
    if reply.status not in request.expected:
        raise error_of_reply(reply, label)
    try:
        return decode(reply)
    except Unreadable as error:
        raise error_of_unreadable_body(reply, label, str(error)) from None
