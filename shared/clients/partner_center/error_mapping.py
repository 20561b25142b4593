"""Translate an answer that is not a success, or a missing answer, into an error of `shared.foundation.errors`.

The table states what the caller may conclude from an answer (docs/reference/partner-center.md#retry-rules):

    the service did nothing     401 403 404 409 412 423 429 and every other 4xx except 408; no connection
    the outcome is unknown      408, 5xx, a lost or unreadable answer: Ambiguous for a write, Unavailable for a read
    a gateway answered          a 4xx with a page, or without a reason that can be read: UnreadableRefusal for a write

A 503 belongs to the second group even with `Retry-After`. The service does not document that it refused the request
before acting on it, and a gateway answers 503 for a backend that broke off half-way. Looking up the effect costs less
than a second referral.

A body has one of three shapes (`error`; `code` and `description`; `statusCode` and `message`), or it is HTML, or there
is none (docs/reference/partner-center.md#referral-errors, docs/reference/partner-center.md#webhook-errors).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from shared.clients.partner_center.json_bodies import Unreadable, parse_body
from shared.domain.remedies import PARTNER_CENTER_DEFAULT_REMEDY, PARTNER_CENTER_REMEDIES
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
    UnreadableRefusal,
)
from shared.foundation.known_shapes import PARTNER_CENTER_CODES
from shared.foundation.redacted import Redacted
from shared.transport.exchange import NoAnswer

MFA_CODE = "900421"
MAX_RETRY_AFTER = 24 * 3600.0
"""Seconds. A longer `Retry-After` counts as this value."""

_MFA_TEXT = re.compile(r"\bMFA\b|multi-?\s?factor", re.IGNORECASE)
_TRY_AGAIN = re.compile(r"try again in (\d{1,6}) second", re.IGNORECASE)


class CallLabel(Struct, frozen=True):
    """The part of a request that an error text may show. It contains neither the body nor the token."""

    method: str
    subject: str
    correlation: str = "-"

    @property
    def is_write(self) -> bool:
        """Whether the request could change something in the service."""
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.subject} (correlation {self.correlation})"


class Reply(Redacted, frozen=True):
    """One complete answer. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def date(self) -> datetime | None:
        """The service's time at the answer; None if its `Date` is missing or cannot be read."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        return date if date.tzinfo else date.replace(tzinfo=UTC)

    @property
    def is_html(self) -> bool:
        """Whether a gateway or a portal answered instead of the service."""
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<"


def error_without_answer(error: NoAnswer, label: CallLabel) -> CosellError:
    """The error for a request without an answer. It names the kind of failure."""
    text = f"{label}: {error}"
    return Ambiguous(text) if label.is_write and error.was_sent else Unavailable(text)


def error_of_unreadable_body(reply: Reply, label: CallLabel, reason: str) -> CosellError:
    """The error for a success whose body cannot be read."""
    text = f"{label}: {reply.status}, but {reason}"
    return Ambiguous(text) if label.is_write else Unavailable(text, after=retry_after_seconds(reply))


def error_of_reply(reply: Reply, label: CallLabel) -> CosellError:
    """The error for an answer that is not a success."""
    body = _ErrorBody.from_reply(reply)
    text = f"{label}: {reply.status} {body.code}"
    if _is_unreadable(reply, body, label):
        return UnreadableRefusal(text) if label.is_write else Unavailable(text, after=retry_after_seconds(reply))
    if reply.status in _CERTAIN and not (reply.status == HTTPStatus.NOT_FOUND and reply.is_html):
        return _CERTAIN[reply.status](reply, body, text)
    if HTTPStatus(400) <= reply.status < HTTPStatus(500) and reply.status not in _UNCERTAIN:
        return Rejected(
            Cause(
                body.code,
                body.target,
                body.reason,
                PARTNER_CENTER_REMEDIES.get(reply.status, PARTNER_CENTER_DEFAULT_REMEDY),
            ),
            status=reply.status,
        )
    return Ambiguous(text) if label.is_write else Unavailable(text, after=retry_after_seconds(reply))


def _is_unreadable(reply: Reply, body: "_ErrorBody", label: CallLabel) -> bool:
    """Whether a 4xx says nothing of the service: a gateway sent a page, or refused a write without a reason."""
    if not HTTPStatus(400) <= reply.status < HTTPStatus(500) or reply.status in _SAYS_ENOUGH:
        return False
    if reply.status == HTTPStatus.NOT_FOUND:
        return label.is_write and (reply.is_html or not body.is_readable)
    if reply.status in _CERTAIN:
        return reply.is_html and not is_mfa_missing(reply)
    return not body.is_readable and (label.is_write or reply.is_html)


def code_of_reply(reply: Reply) -> str:
    """The code that an answer without success gives, or `http` with its status."""
    return _ErrorBody.from_reply(reply).code


def is_mfa_missing(reply: Reply) -> bool:
    """Whether a 401 or 403 refuses a token without MFA. A new token does not help then.

    Source: docs/reference/partner-center.md#multi-factor-authentication.
    """
    challenge = reply.headers.get("www-authenticate", "")
    text = challenge + " " + reply.body[:10_000].decode("utf-8", "replace")
    return bool(re.search(rf"\b{MFA_CODE}\b", text) or ("invalid_token" in challenge and _MFA_TEXT.search(text)))


def retry_after_seconds(reply: Reply) -> float | None:
    """The wait that the service demands, in seconds: `Retry-After` as a number or a date, or the throttling text.

    None if it demands no wait. Source: docs/reference/partner-center.md#throttling.
    """
    header = reply.headers.get("retry-after", "").strip()
    seconds = float(header) if header.isdecimal() else _seconds_between(reply.headers.get("date", ""), header)
    if seconds is None and (match := _TRY_AGAIN.search(_ErrorBody.from_reply(reply).reason)):
        seconds = float(match[1])
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _seconds_between(now: str, end: str) -> float | None:
    first, last = _parse_http_date(now), _parse_http_date(end)
    return None if first is None or last is None else (last - first).total_seconds()


def _parse_http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None


def _sign_in_error(reply: Reply, body: "_ErrorBody", text: str) -> SignInFailed:
    if is_mfa_missing(reply):
        return MfaRequired(text, code=MFA_CODE, remedy=_SIGN_IN_WITH_MFA)
    if reply.status == HTTPStatus.FORBIDDEN:
        return SignInFailed(text, code="accessDenied", remedy=_GIVE_ROLE)
    code = body.code if body.code in PARTNER_CENTER_CODES else "unauthenticated"
    return SignInFailed(text, code=code, remedy=_CHECK_CONSENT)


class _ErrorBody(Struct, frozen=True):
    """The content of an error body: a code for programs, a target and a reason for people."""

    code: str
    target: str | None
    reason: str
    is_readable: bool

    @classmethod
    def from_reply(cls, reply: Reply) -> "_ErrorBody":
        try:
            levels = list(_nested_errors(parse_body(reply.body)))
        except Unreadable:
            levels = []
        codes = [code for level in levels if (code := _one_line(level.get("code")))]
        known = [code for code in codes if code in PARTNER_CENTER_CODES]
        reason = _deepest_text(levels, "message", "description")
        return cls(
            code=(known or codes[:1] or [f"http{reply.status}"])[-1],
            target=_deepest_text(levels, "target"),
            reason=reason or f"no reason given (HTTP {reply.status})",
            is_readable=bool(codes or reason),
        )


def _nested_errors(body: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a decoded body has no static type
    """The error and the errors within it, outermost first, with names in lower case."""
    while isinstance(body, dict):
        level = {name.lower(): value for name, value in body.items()}
        yield level
        body = level.get("error") or level.get("innererror")


def _deepest_text(levels: list[dict[str, Any]], *names: str) -> str | None:
    texts = [text for level in levels for name in names if (text := _one_line(level.get(name)))]
    return texts[-1] if texts else None


def _one_line(value: object) -> str:
    """A text of the service as one short line; empty if the value is not a text or an integer."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())[:MAX_REMOTE_TEXT]


_SIGN_IN_WITH_MFA = "Sign in again as the integration account, with multi-factor authentication."
_GIVE_ROLE = (
    "Give the integration account the Referrals admin role in Partner Center, and allow the app in conditional access."
)
_CHECK_CONSENT = (
    "Check that the app has consent for the Microsoft Partner API (https://api.partner.microsoft.com),"
    " then sign in again."
)

# 408: a gateway also answers it when a backend was too slow. 404 in HTML: the gateway has no such route. That does not
# prove that the referral is gone (docs/reference/partner-center.md#retry-rules).
_UNCERTAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.NOT_FOUND})
# Their status alone says what to do, whoever answered.
_SAYS_ENOUGH = frozenset({401, 408, 423, 429})
_CERTAIN: dict[int, Callable[[Reply, _ErrorBody, str], CosellError]] = {
    401: _sign_in_error,
    403: _sign_in_error,
    404: lambda _, __, text: NotFound(text),
    409: lambda _, __, text: Conflict(text),
    412: lambda _, __, text: Conflict(text),
    423: lambda reply, _, text: Unavailable(text, after=retry_after_seconds(reply)),
    429: lambda reply, _, text: Throttled(text, after=retry_after_seconds(reply)),
}
