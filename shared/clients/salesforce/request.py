"""Send one call to a Salesforce API: sign in, keep the deadline, repeat reads, and work out the server's time.

A call is sent again after an expired session, once. Reads are repeated after temporary errors; writes are not.
"""

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol

import requests
from msgspec import Struct
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from shared.clients import exact_json
from shared.clients.call_pace import CallPace
from shared.clients.salesforce.error_codes import (
    INVALID_SESSION,
    exception_for,
    first_api_error,
    session_error,
    unreadable_answer_error,
)
from shared.clients.salesforce.records import Written
from shared.clients.salesforce.simple_salesforce_adapter import SEND_ERRORS, RestClient
from shared.clients.salesforce.token_endpoint import Token, TokenSource
from shared.domain.outdated_org import TELLING_CODES
from shared.foundation.errors import CosellError, Rejected, Unavailable
from shared.foundation.logs import CURRENT_RUN, log
from shared.transport.deadline import Deadline, NoTimeLeft, call_deadline
from shared.transport.retry import RetryPolicy

READ_RETRIES = RetryPolicy(tries=3, first_wait=1.0, longest_retry_after=10.0)
"""If Salesforce demands a longer wait, the call fails and the pair waits in the retry queue."""
_FIRST_ERROR_STATUS = 300
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
_NEVER_SENT_ERRORS = (ConnectTimeoutError, NewConnectionError, ProxyError, ssl.SSLCertVerificationError)
_ID_HEADERS = ("Sforce-Request-Id", "X-SFDC-Request-Id", "X-Request-Id")
"""Where Salesforce names its request (docs/reference/salesforce.md#headers-of-a-call)."""
_WRONG_SESSION_TEXT = "not valid for use with the REST API"


class _Sender(Protocol):
    """Sends one call once. Raises `SEND_ERRORS`."""

    def __call__(self, *, deadline: Deadline) -> tuple[requests.Response | None, object]:
        """Return the answer as it arrived, and its decoded value."""


class UnreadableAnswer(ValueError):
    """An answer has a shape that docs/reference/salesforce.md does not describe."""


class Call(Struct, frozen=True):
    """A request below `/services/data/vN/`; `description` names it in messages, which carry no values.

    `content` is a body that is not JSON, with its media type. It takes the place of `body`. `keys` are the ids of the
    records that are written, for the log.
    """

    description: str
    path: str
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    content: tuple[bytes, str] | None = None
    keys: tuple[str, ...] = ()

    def body_and_headers(self) -> tuple[bytes | None, dict[str, str]]:
        """Return the bytes of the body, and the headers that belong to it."""
        if self.content is not None:
            return self.content[0], {"Content-Type": self.content[1]}
        return (exact_json.json_bytes(self.body) if self.body is not None else None), {}


class DirectCall(Protocol):
    """A request that the library cannot carry (SOAP): it sends itself and returns the answer with its decoded value.

    The value of a refusal has the shape of a refusal by the REST API, so that both are classified in one place.
    """

    @property
    def description(self) -> str:
        """As `Call.description`."""

    def post(
        self, session: requests.Session, token: Token, version: str, deadline: Deadline
    ) -> tuple[requests.Response, object]:
        """Send the request once, within `deadline`. Raises NoTimeLeft."""


class Reply(Struct, frozen=True):
    """A decoded answer. `at` is the server's time when the call began; `retry_after` is in seconds.

    `answer_id` is the id that Salesforce gave to the request, as it wrote it.
    """

    status: int
    value: Any
    at: datetime
    retry_after: float | None = None
    answer_id: str | None = None


class ApiConnection:
    """Sends calls under one user. Safe for many threads. Raises only errors of `shared.foundation.errors`."""

    def __init__(
        self,
        sign_in: TokenSource,
        session: requests.Session,
        *,
        version: str,
        seconds: float,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        pace: CallPace | None = None,
    ) -> None:
        """`seconds` is the total time of a call; `now` and `monotonic` are our own clocks."""
        self.version = version
        self.usage: tuple[int, int] | None = None
        self.met_unknown_column = False
        self._sign_in, self._session, self._seconds = sign_in, session, seconds
        self.now, self._monotonic = now, monotonic
        self._pace = pace or CallPace()
        self._lock = threading.Lock()
        self._client: tuple[Token, RestClient] | None = None

    def current_token(self) -> Token:
        """Return the token in use; sign in if there is none."""
        return self._sign_in.token(call_deadline(self._seconds))

    def read[T](self, call: Call | DirectCall, decode: Callable[[Reply], T]) -> T:
        """Send a call that changes nothing: three tries at most, with full jitter, all within one deadline.

        Source: docs/protocol.md#within-a-call.
        """
        deadline = call_deadline(self._seconds)
        for attempt in READ_RETRIES.attempts(deadline):
            with attempt:
                return self._exchange(call, decode, deadline, write=False)
        raise AssertionError("the last try returns or raises")

    def write[T](self, call: Call | DirectCall, decode: Callable[[Reply], T]) -> T:
        """Send a call that changes something, once. After an expired session it is sent again: nothing had happened."""
        return self._exchange(call, decode, call_deadline(self._seconds), write=True)

    def _exchange[T](
        self, call: Call | DirectCall, decode: Callable[[Reply], T], deadline: Deadline, *, write: bool
    ) -> T:
        """Send the call, once more with a new token after an expired session, and return the decoded answer.

        The deadline need not be the current one: a sign-in makes it so, and the session's adapter gets what is left.
        """
        reply: Reply | None = None
        try:
            with self._pace.call() as paced:
                token, was_renewed = self._sign_in.token(deadline), False
                while True:
                    response, value, failure, took = None, None, None, 0.0
                    try:
                        send = self._sender_of(call, token)
                        started = self._monotonic()
                        response, value = send(deadline=deadline)
                        took = self._monotonic() - started
                    except SEND_ERRORS as error:
                        # Its text may hold address and body. So the error that is raised below is not chained to it.
                        failure = error
                    if response is None:
                        paced.is_late = isinstance(failure, requests.ReadTimeout)
                        raise _missing_answer_error(failure, call, write=write)
                    reply = self._reply_from(response, value, took)
                    paced.status = reply.status
                    if not _has_expired_session(reply):
                        decoded = _decoded(reply, call, decode, write=write)
                        break
                    if was_renewed:
                        raise session_error(first_api_error(reply.status, reply.value))
                    token, was_renewed = self._sign_in.token(deadline, refused=token), True
        except CosellError as error:
            log_failed_call(call, reply, error)
            self.met_unknown_column |= error.reason_codes[0] in TELLING_CODES
            raise
        if write:
            log("remote_written", **_log_fields(call, reply))
        return decoded

    def _sender_of(self, call: Call | DirectCall, token: Token) -> _Sender:
        """Return what sends the call once: a `partial`, which adds no function of ours to the stack."""
        if not isinstance(call, Call):
            return partial(call.post, self._session, token, self.version)
        data, headers = call.body_and_headers()
        return partial(self._client_for(token).send, call.path, method=call.method, data=data, headers=headers)

    def _client_for(self, token: Token) -> RestClient:
        with self._lock:
            if self._client is None or self._client[0] is not token:
                client = RestClient(
                    access_token=token.value,
                    instance_url=token.instance_url,
                    session=self._session,
                    version=self.version,
                )
                self._client = (token, client)
            return self._client[1]

    def _reply_from(self, response: requests.Response, value: object, took: float) -> Reply:
        usage = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage is not None:
            self.usage = (int(usage[1]), int(usage[2]))
        began = (_date_header(response) or self.now()) - timedelta(seconds=took)
        requested_pause = response.headers.get("Retry-After", "")
        retry_after = float(requested_pause) if requested_pause.isdecimal() else None
        answer_id = next(filter(None, map(response.headers.get, _ID_HEADERS)), None)
        at = began.astimezone(UTC).replace(microsecond=0)
        return Reply(response.status_code, value, at, retry_after, answer_id)


def log_failed_call(call: Call | DirectCall, reply: Reply | None, error: CosellError) -> None:
    """Log a call that failed, and let the error carry the id that Salesforce gave."""
    error.call_id = reply.answer_id if reply else None
    code, field = error.reason_codes
    if reply is not None and reply.status >= _FIRST_ERROR_STATUS and code is None:
        code = first_api_error(reply.status, reply.value).code
    status = reply.status if reply else None
    kind = type(error).__name__
    log("remote_failed", **_log_fields(call, reply), error=kind, status=status, code=code, field=field)


def log_refusals(outcomes: Iterable[Written], reply: Reply) -> list[Written]:
    """Return the outcomes of a call that succeeded; each record that Salesforce refused in it is logged."""
    listed = list(outcomes)
    for refused in listed:
        if (cause := refused.refused) is not None:
            one = Call("a record of a write", "", keys=(refused.id,))
            result = {"error": Rejected.__name__, "status": reply.status}
            log("remote_failed", **_log_fields(one, reply), **result, code=cause.code, field=cause.field)
    return listed


def _log_fields(call: Call | DirectCall, reply: Reply | None) -> dict[str, object]:
    """A call as fields of a log event: its ids, and no value. Salesforce takes no id from us."""
    return {
        "side": "salesforce",
        "call": call.description,
        "keys": call.keys if isinstance(call, Call) else (),
        "sent_id": None,
        "answer_id": reply.answer_id if reply else None,
        "correlation_id": CURRENT_RUN.get(),
    }


def _decoded[T](reply: Reply, call: Call | DirectCall, decode: Callable[[Reply], T], *, write: bool) -> T:
    """Return the decoded answer. Raises the error of a refusal, or of an answer that cannot be read."""
    # A graph that failed may answer with an error status, and its body still holds the result of each node.
    has_graph_results = isinstance(reply.value, Mapping) and "graphs" in reply.value
    if reply.status >= _FIRST_ERROR_STATUS and not has_graph_results:
        raise exception_for(reply.status, reply.value, call.description, write=write, retry_after=reply.retry_after)
    try:
        return decode(reply)
    except UnreadableAnswer as error:
        message = f"Salesforce's answer to {call.description} cannot be read: {error}"
    raise unreadable_answer_error(message, write=write)


def _has_expired_session(reply: Reply) -> bool:
    """Whether a new token would help. Raises SignInFailed for a session of the wrong kind, which no new token cures.

    Source: docs/reference/salesforce.md#session-refresh-of-the-library.
    """
    if reply.status < _FIRST_ERROR_STATUS:
        return False
    error = first_api_error(reply.status, reply.value)
    if error.code == INVALID_SESSION and _WRONG_SESSION_TEXT in error.text:
        raise session_error(error)
    return error.code == INVALID_SESSION


def _missing_answer_error(failure: Exception | None, call: Call | DirectCall, *, write: bool) -> CosellError:
    """Return the error for a call without a readable answer. If nothing was sent, a write may be repeated too."""
    if isinstance(failure, NoTimeLeft):
        return Unavailable(f"no time was left for {call.description}")
    kind = type(failure).__name__ if failure else "no answer"
    return unreadable_answer_error(
        f"no readable answer to {call.description}: {kind}", write=write and not _was_never_sent(failure)
    )


def _was_never_sent(failure: Exception | None) -> bool:
    """Whether no connection was made: refused, unknown host, no time left, or a certificate that is not trusted."""
    return isinstance(failure, requests.RequestException) and any(
        isinstance(error, _NEVER_SENT_ERRORS) for error in _error_chain(failure)
    )


def _error_chain(error: BaseException) -> list[BaseException]:
    """Return the error and the errors inside it.

    `requests` keeps urllib3's error as its first argument, and urllib3 keeps the next one in `reason`.
    """
    inner = [getattr(error, "reason", None), *error.args[:1]]
    return [error, *(each for item in inner if isinstance(item, BaseException) for each in _error_chain(item))]


def _date_header(response: requests.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
