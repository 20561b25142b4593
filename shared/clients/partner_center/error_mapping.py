"""From an answer that is no success, or from no answer at all, to an error of `shared.foundation.errors`.

Written as a table of what the caller may conclude (reference/partner-center.md 9.1, 9.3, 10, 12.6):

    the service did nothing     401 403 404 409 412 423 429 and every other 4xx but 408; no connection
    nobody knows                408, 5xx, a lost or unreadable answer: Ambiguous for a write, Unavailable for a read

A 503 counts among the second even with `Retry-After`: the service does not document that it turned the request away
before acting on it, gateways in front answer 503 for a backend that broke off half-way, and looking is cheaper than
a second referral.

Bodies come in three shapes (`error`, `code` and `description`, `statusCode` and `message`), as HTML, or not at all.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
from msgspec import Struct

from shared.clients.partner_center.json_bodies import Unreadable, parse_body
from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    Ambiguous,
    Cause,
    Conflict,
    CosellError,
    MfaRequired,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)
from shared.foundation.redacted import Redacted

KNOWN_CODES = frozenset(
    {
        "unauthenticated", "unAuthorized", "accessDenied", "invalidRequest", "itemNotFound", "preconditionFailed",
        "resourceModified", "serviceNotAvailable", "generalException", "900421",
    }
)  # fmt: skip
"""Codes the service documents (reference/partner-center.md 9.1, 9.2); deeper ones may appear and are not relied on."""

MFA_CODE = "900421"
MAX_RETRY_AFTER = 24 * 3600.0
"""Seconds; a longer `Retry-After` is taken for this long."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_MFA_TEXT = re.compile(r"\bMFA\b|multi-?\s?factor", re.IGNORECASE)
_TRY_AGAIN = re.compile(r"try again in (\d{1,6}) second", re.IGNORECASE)


class CallLabel(Struct, frozen=True):
    """What was asked, as far as an error may say it: no body, no token."""

    method: str
    subject: str
    correlation: str = "-"

    @property
    def is_write(self) -> bool:
        """Whether the far side may have changed something."""
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.subject} (correlation {self.correlation})"


class Reply(Redacted, frozen=True):
    """One whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_html(self) -> bool:
        """Whether a gateway or a portal answered in the service's stead."""
        return "html" in self.headers.get("Content-Type", "").lower() or self.body.lstrip()[:1] == b"<"


def error_without_answer(error: httpx.HTTPError, asked: CallLabel) -> CosellError:
    """The error for a request without an answer. Only the kind is told: httpx quotes headers in its texts."""
    text = f"{asked}: {type(error).__name__}"
    return Ambiguous(text) if asked.is_write and not isinstance(error, NEVER_SENT) else Unavailable(text)


def error_of_unreadable_body(reply: Reply, asked: CallLabel, why: str) -> CosellError:
    """The error for a success whose body says nothing."""
    text = f"{asked}: {reply.status}, but {why}"
    return Ambiguous(text) if asked.is_write else Unavailable(text, after=retry_after_seconds(reply))


def error_of_reply(reply: Reply, asked: CallLabel) -> CosellError:
    """The error for an answer that is no success."""
    told = _ErrorBody.from_reply(reply)
    text = f"{asked}: {reply.status} {told.code}"
    if reply.status in _CERTAIN and not (reply.status == HTTPStatus.NOT_FOUND and reply.is_html):
        return _CERTAIN[reply.status](reply, told, text)
    if HTTPStatus(400) <= reply.status < HTTPStatus(500) and reply.status not in _UNCERTAIN:
        return Rejected(Cause(told.code, told.target, told.reason, _REMEDIES.get(reply.status, _REPORT)))
    nobody_knows = asked.is_write and reply.status != HTTPStatus.NOT_FOUND
    return Ambiguous(text) if nobody_knows else Unavailable(text, after=retry_after_seconds(reply))


def is_mfa_missing(reply: Reply) -> bool:
    """Whether a 401 or 403 is about multi-factor authentication, which no fresh token mends (12.6)."""
    challenge = reply.headers.get("WWW-Authenticate", "")
    text = challenge + " " + reply.body[:10_000].decode("utf-8", "replace")
    return bool(re.search(rf"\b{MFA_CODE}\b", text) or ("invalid_token" in challenge and _MFA_TEXT.search(text)))


def retry_after_seconds(reply: Reply) -> float | None:
    """Seconds the far side asks for: `Retry-After` as a number or a date, else the throttling text (section 10)."""
    asked = reply.headers.get("Retry-After", "").strip()
    seconds = float(asked) if asked.isdecimal() else _seconds_between(asked, reply.headers.get("Date", ""))
    if seconds is None and (found := _TRY_AGAIN.search(_ErrorBody.from_reply(reply).reason)):
        seconds = float(found[1])
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _seconds_between(moment: str, now: str) -> float | None:
    first, last = _parse_http_date(now), _parse_http_date(moment)
    return None if first is None or last is None else (last - first).total_seconds()


def _parse_http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _sign_in_error(reply: Reply, told: "_ErrorBody", text: str) -> SignInFailed:
    if is_mfa_missing(reply):
        return MfaRequired(text, code=MFA_CODE, remedy=_SIGN_IN_WITH_MFA)
    if reply.status == HTTPStatus.FORBIDDEN:
        return SignInFailed(text, code="accessDenied", remedy=_GIVE_ROLE)
    code = told.code if told.code in KNOWN_CODES else "unauthenticated"
    return SignInFailed(text, code=code, remedy=_CHECK_CONSENT)


class _ErrorBody(Struct, frozen=True):
    """What an error body tells: code for machines, target and reason for people."""

    code: str
    target: str | None
    reason: str

    @classmethod
    def from_reply(cls, reply: Reply) -> "_ErrorBody":
        try:
            levels = list(_nested_errors(parse_body(reply.body)))
        except Unreadable:
            levels = []
        codes = [code for level in levels if (code := _one_line(level.get("code")))]
        known = [code for code in codes if code in KNOWN_CODES]
        return cls(
            code=(known or codes[:1] or [f"http{reply.status}"])[-1],
            target=_deepest_text(levels, "target"),
            reason=_deepest_text(levels, "message", "description") or f"no reason given (HTTP {reply.status})",
        )


def _nested_errors(body: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a decoded body has no static type
    """The error and the errors within it, outermost first, whatever the names' case."""
    while isinstance(body, dict):
        level = {name.lower(): value for name, value in body.items()}
        yield level
        body = level.get("error") or level.get("innererror")


def _deepest_text(levels: list[dict[str, Any]], *names: str) -> str | None:
    found = [text for level in levels for name in names if (text := _one_line(level.get(name)))]
    return found[-1] if found else None


def _one_line(value: object) -> str:
    """A remote text as one short line; empty where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())[:MAX_REMOTE_TEXT]


_SIGN_IN_WITH_MFA = "Sign in again as the integration account, with multi-factor authentication."
_GIVE_ROLE = (
    "Give the integration account the Referrals admin role in Partner Center, and let conditional access admit the app."
)
_CHECK_CONSENT = (
    "Check that the app has consent for the Microsoft Partner API (https://api.partner.microsoft.com),"
    " then sign in again."
)
_CORRECT = "Correct what the reason names on the opportunity; it is sent again after the edit."
_REPORT = "Tell the operator: Partner Center does not take the call in this form."
_REMEDIES = {
    400: _CORRECT,
    410: "The referral was removed from Partner Center; clear the link to create a new one.",
    413: "Shorten the notes, or take solutions or team members off the opportunity; it is sent again after the edit.",
    422: _CORRECT,
}

# 408: a gateway says so, too, of a backend it has waited for. 404 in HTML: a gateway that knows no such route, which
# is no word about the referral: it must not be taken for gone.
_UNCERTAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.NOT_FOUND})
_CERTAIN: dict[int, Callable[[Reply, _ErrorBody, str], CosellError]] = {
    401: _sign_in_error,
    403: _sign_in_error,
    404: lambda _, __, text: NotFound(text),
    409: lambda _, __, text: Conflict(text),
    412: lambda _, __, text: Conflict(text),
    423: lambda reply, _, text: Unavailable(text, after=retry_after_seconds(reply)),
    429: lambda reply, _, text: Throttled(text, after=retry_after_seconds(reply)),
}
