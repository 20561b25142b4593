"""One call to the REST API: token, total deadline, one replay after an expired session, retries of reads, server time.

`simple-salesforce` carries the call with a ready token and through `restful` alone: its own refresh drops the caller's
headers, `sf.Object.*` recurses without end, and its errors print URL and body (reference/salesforce.md 1.3, 1.4, 1.10).
"""

import random
import re
import ssl
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

import requests
from msgspec import Struct
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from shared.clients import exact_json
from shared.clients.salesforce.error_codes import (
    INVALID_SESSION,
    exception_for,
    first_api_error,
    session_error,
    unreadable_answer_error,
)
from shared.clients.salesforce.sign_in import SignIn, Token
from shared.foundation.errors import CosellError, Retryable, Unavailable
from shared.transport.deadline import Deadline, within

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce as Library

MAX_TRIES = 3
MAX_PAUSE_SECONDS = 10.0
"""A wish for more patience than this is left to the caller: the work becomes due."""
_FIRST_PAUSE_SECONDS = 0.5
_FIRST_ERROR_STATUS = 300
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
_NEVER_SENT_ERRORS = (ConnectTimeoutError, NewConnectionError, ssl.SSLCertVerificationError)
_UNCALLED = {"metadata": "SfdcMetadataApi", "bulk": "SFBulkHandler", "bulk2": "SFBulk2Handler"}
_WRONG_SESSION_TEXT = "not valid for use with the REST API"


class UnreadableAnswer(ValueError):
    """An answer in a shape that the reference does not know."""


class Call(Struct, frozen=True):
    """A request below `/services/data/vN/`; `what` names it in messages, which carry no values.

    `content` is a body that is not JSON, with its media type; it stands in place of `body`.
    """

    description: str
    path: str
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    content: tuple[bytes, str] | None = None

    def body_and_headers(self) -> tuple[bytes | None, dict[str, str]]:
        """The body's bytes and the headers that go with them."""
        if self.content is not None:
            return self.content[0], {"Content-Type": self.content[1]}
        return (exact_json.text(self.body).encode() if self.body is not None else None), {}


class DirectCall(Protocol):
    """A request that the library cannot carry (SOAP): it posts itself and gives the answer with its decoded value.

    A refusal's value has the shape of the REST API's, so that it is classified like any other.
    """

    @property
    def description(self) -> str:
        """As `Call.what`."""

    def post(
        self, session: requests.Session, token: Token, version: str, seconds: float
    ) -> tuple[requests.Response, object]:
        """Send once."""


class Reply(Struct, frozen=True):
    """A decoded answer, and the server time at which the call began."""

    status: int
    value: Any
    at: datetime
    retry_after: float | None = None


class ApiConnection:
    """Carries calls. Raises only errors of `shared.foundation.errors`."""

    def __init__(
        self,
        sign_in: SignIn,
        session: requests.Session,
        *,
        version: str,
        seconds: float,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is the total time of a call; `now` and `monotonic` are our clocks."""
        self.version = version
        self.usage: tuple[int, int] | None = None
        self._sign_in, self._session, self._seconds = sign_in, session, seconds
        self.now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._client: tuple[Token, Library] | None = None

    def current_token(self) -> Token:
        """The present token, signing in if need be."""
        with within(self._seconds) as deadline:
            return self._sign_in.token(deadline)

    def read[T](self, call: Call | DirectCall, decode: Callable[[Reply], T]) -> T:
        """A call without effect: three tries at most, full jitter, all within one deadline."""
        import stamina  # noqa: PLC0415 - its instrumentation is slow to import and the door does not need it

        with within(self._seconds) as deadline:
            for attempt in stamina.retry_context(on=backoff_within(deadline), attempts=MAX_TRIES, timeout=None):
                with attempt:
                    return self._send_and_decode(call, decode, deadline, write=False)
        raise AssertionError("stamina ends with a result or an error")

    def write[T](self, call: Call | DirectCall, decode: Callable[[Reply], T]) -> T:
        """A call with effect: sent once (again only after an expired session, when nothing happened)."""
        with within(self._seconds) as deadline:
            return self._send_and_decode(call, decode, deadline, write=True)

    def _send_and_decode[T](
        self, call: Call | DirectCall, decode: Callable[[Reply], T], deadline: Deadline, *, write: bool
    ) -> T:
        reply = self._send_with_token(call, deadline, write=write)
        # A graph that failed may answer with an error status and still tell each node's fate.
        tells_fates = isinstance(reply.value, Mapping) and "graphs" in reply.value
        if reply.status >= _FIRST_ERROR_STATUS and not tells_fates:
            raise exception_for(reply.status, reply.value, call.description, write=write, retry_after=reply.retry_after)
        try:
            return decode(reply)
        except UnreadableAnswer as error:
            why = str(error)
        raise unreadable_answer_error(f"Salesforce's answer to {call.description} cannot be read: {why}", write=write)

    def _send_with_token(self, call: Call | DirectCall, deadline: Deadline, *, write: bool) -> Reply:
        token = self._sign_in.token(deadline)
        reply = self._send_once(call, token, deadline, write=write)
        if not _has_expired_session(reply):
            return reply
        token = self._sign_in.token(deadline, refused=token)
        reply = self._send_once(call, token, deadline, write=write)
        if _has_expired_session(reply):
            raise session_error(first_api_error(reply.status, reply.value))
        return reply

    def _send_once(self, call: Call | DirectCall, token: Token, deadline: Deadline, *, write: bool) -> Reply:
        """Send once. What the library raises ends here: its texts hold URL and body."""
        library = self._library(token)
        from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415 - only after _load_library

        seen: list[requests.Response] = []
        started = self._monotonic()
        value: Any = None
        failure: Exception | None = None
        try:
            value = self._sent(library, call, token, deadline, seen)
        except SalesforceError as error:
            value = error.content
        except (OSError, HTTPError, TypeError) as error:
            # OSError is the root of all that `requests` raises; TypeError: the library takes the length of any JSON.
            failure = error
        if failure is not None or not seen:
            raise _missing_answer_error(failure, call, write=write)
        return self._reply(seen[-1], value, self._monotonic() - started)

    def _sent(
        self,
        library: "Library",
        call: Call | DirectCall,
        token: Token,
        deadline: Deadline,
        seen: list[requests.Response],
    ) -> object:
        """The answer's value; `seen` receives the raw answer, for its status and headers."""
        seconds = deadline.left()
        if seconds <= 0:
            raise Unavailable(f"no time was left for {call.description}")
        if isinstance(call, Call):
            return _send(library, call, seconds, seen)
        response, value = call.post(self._session, token, self.version, seconds)
        seen.append(response)
        return value

    def _library(self, token: Token) -> "Library":
        with self._lock:
            if self._client is None or self._client[0] is not token:
                made = _load_library()(
                    session_id=token.value,
                    instance_url=token.instance_url,
                    session=self._session,
                    version=self.version,
                    parse_float=Decimal,
                    object_pairs_hook=dict,
                )
                self._client = (token, made)
            return self._client[1]

    def _reply(self, response: requests.Response, value: object, took: float) -> Reply:
        usage = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage is not None:
            self.usage = (int(usage[1]), int(usage[2]))
        began = (_date_header(response) or self.now()) - timedelta(seconds=took)
        wish = response.headers.get("Retry-After", "")
        after = float(wish) if wish.isdecimal() else None
        return Reply(response.status_code, value, began.astimezone(UTC).replace(microsecond=0), after)


def _send(library: "Library", call: Call, seconds: float, seen: list[requests.Response]) -> object:
    """The one way we use the library."""
    data, headers = call.body_and_headers()
    return library.restful(
        call.path,
        method=call.method,
        data=data,
        headers={"X-PrettyPrint": None, **headers},
        hooks={"response": lambda response, **_: seen.append(response)},
        timeout=seconds,
        allow_redirects=False,
    )


def _load_library() -> "type[Library]":
    """The library's client class, without the Metadata and Bulk API parts, which we never call.

    The first loads zeep and lxml: twice the import time and 14 MB. It also spoils the shared headers
    (reference/salesforce.md 0.6). Bare modules stand in their places while the package is imported.
    """
    names = {f"simple_salesforce.{part}": called for part, called in _UNCALLED.items()}
    if sys.modules.keys().isdisjoint({"simple_salesforce", *names}):
        for name, called in names.items():
            sys.modules[name] = stand_in = types.ModuleType(name)
            vars(stand_in)[called] = None
        try:
            import simple_salesforce  # noqa: F401, PLC0415 - imported here for its place in sys.modules
        finally:
            for name in names:
                del sys.modules[name]
    from simple_salesforce.api import Salesforce  # noqa: PLC0415 - slow to import, see above

    return Salesforce


def backoff_within(deadline: Deadline) -> Callable[[Exception], bool | float]:
    """Which failures of a read are worth another try, and after how many seconds: full jitter, or the side's wish."""
    failures = 0

    def wait(error: Exception) -> bool | float:
        nonlocal failures
        failures += 1
        if not isinstance(error, Retryable):
            return False
        jittered = random.uniform(0, _FIRST_PAUSE_SECONDS * 2**failures)  # noqa: S311 - spreads load, keeps no secret
        pause = jittered if error.after is None else error.after
        return pause if pause <= MAX_PAUSE_SECONDS and pause < deadline.left() else False

    return wait


def _has_expired_session(reply: Reply) -> bool:
    """Whether a new token would help; a session of the wrong kind is refused for good (reference/salesforce.md 1.4)."""
    if reply.status < _FIRST_ERROR_STATUS:
        return False
    fault = first_api_error(reply.status, reply.value)
    if fault.code == INVALID_SESSION and _WRONG_SESSION_TEXT in fault.text:
        raise session_error(fault)
    return fault.code == INVALID_SESSION


def _missing_answer_error(failure: Exception | None, call: Call | DirectCall, *, write: bool) -> CosellError:
    """No answer, or none that can be read. If nothing was sent, even a write may be repeated later."""
    kind = type(failure).__name__ if failure else "no answer"
    return unreadable_answer_error(
        f"no readable answer to {call.description}: {kind}", write=write and not _was_never_sent(failure)
    )


def _was_never_sent(failure: Exception | None) -> bool:
    """Whether the connection was never made: refused, unknown host, no time, or a certificate that we do not trust."""
    return isinstance(failure, requests.RequestException) and any(
        isinstance(e, _NEVER_SENT_ERRORS) for e in _error_chain(failure)
    )


def _error_chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps: `requests` keeps urllib3's error as first argument, and that one its `reason`."""
    inner = [getattr(error, "reason", None), *error.args[:1]]
    return [error, *(found for item in inner if isinstance(item, BaseException) for found in _error_chain(item))]


def _date_header(response: requests.Response) -> datetime | None:
    try:
        stamp = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
