"""Read Partner Center's answers about the webhook registration and about test events.

Samples spell names in PascalCase, the swagger in camelCase, so names are read in any case
(docs/reference/partner-center.md#webhook-registration, docs/reference/partner-center.md#test-events).
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Unreadable, parse_body
from shared.foundation.errors import MAX_REMOTE_TEXT
from shared.webhook.event_names import TEST_CREATED, EventName

EVENTS: tuple[str, ...] = (*(name.value for name in EventName), TEST_CREATED)
"""The events to register for: the four about referrals, and the test event."""

HTTPS_PORT = 443
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SUCCESS = frozenset({"ok", "created", "accepted", "nocontent"})


class Registration(Struct, frozen=True):
    """The tenant's one registration. `x_ms_signature`: whether signatures are sent in that header; None: not stated."""

    url: str
    events: tuple[str, ...]
    x_ms_signature: bool | None = None

    def is_at(self, url: str) -> bool:
        """Whether events are sent to `url`."""
        return _normalised_address(self.url) == _normalised_address(url)

    def missing_events(self, events: Iterable[str] = EVENTS) -> tuple[str, ...]:
        """The events of `events` that are not registered."""
        registered = {name.casefold() for name in self.events}
        return tuple(name for name in events if name.casefold() not in registered)

    @property
    def is_complete(self) -> bool:
        """Whether all events are registered, with signatures in a header that the hosting platform does not remove.

        Source: docs/reference/partner-center.md#event-signature.
        """
        return not self.missing_events() and self.x_ms_signature is not False

    @property
    def host(self) -> str:
        """The host of the address, for texts. Path and query of a foreign address may hold a secret."""
        return (_normalised_address(self.url)[1] or "unknown")[:MAX_REMOTE_TEXT]


class Attempt(Struct, frozen=True):
    """One attempt to deliver a test event. `code` is the answer as the service names it, empty without an answer."""

    code: str
    at: str
    is_system_error: bool

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver answered with a 2xx."""
        return not self.is_system_error and (
            self.code.casefold() in _SUCCESS or bool(re.fullmatch(r"2\d\d", self.code))
        )


class Validation(Struct, frozen=True):
    """The state of a test event. `status` is the word of the service."""

    correlation_id: str
    status: str = "unknown"
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_delivered(self) -> bool:
        """Whether the event has arrived."""
        return any(attempt.is_delivered for attempt in self.attempts)

    @property
    def is_over(self) -> bool:
        """Whether no further attempt will follow. Only the status `completed` is documented."""
        return self.is_delivered or self.status.casefold() in ("completed", "failed")


def parse_registration(reply: Reply) -> Registration:
    """The registration in an answer. Raises Unreadable."""
    body = _parse_lowercase_object(reply)
    url, events = body.get("webhookurl"), body.get("webhookevents")
    if not (isinstance(url, str) and url) or not isinstance(events, list | None):
        raise Unreadable("the body is not a registration")
    flag = body.get("signaturetokentomssignatureheader")
    x_ms_signature = {"true": True, "false": False}.get(str(flag).casefold())
    return Registration(url, tuple(name for name in events or () if isinstance(name, str)), x_ms_signature)


def parse_correlation_id(reply: Reply) -> str:
    """The id of a test event, which is in an object or a bare string. Raises Unreadable."""
    body = parse_body(reply.body)
    if isinstance(body, dict):
        body = next((value for name, value in body.items() if name.lower() == "correlationid"), None)
    if not (isinstance(body, str) and _ID.fullmatch(body)):
        raise Unreadable("the body has no id of a test event")
    return body


def parse_validation(reply: Reply, test_event_id: str) -> Validation:
    """The state of a test event. Raises Unreadable."""
    body = _parse_lowercase_object(reply)
    results = body.get("results")
    attempts = (
        [_parse_attempt(result) for result in results if isinstance(result, dict)] if isinstance(results, list) else []
    )
    return Validation(test_event_id, _short_text(body.get("status")) or "unknown", tuple(attempts))


def _parse_attempt(result: dict[str, Any]) -> Attempt:
    fields = {name.lower(): value for name, value in result.items()}
    has_failed = str(fields.get("systemerror")).casefold() == "true"
    return Attempt(_short_text(fields.get("responsecode")), _short_text(fields.get("datetimeutc")), has_failed)


def _short_text(value: object) -> str:
    """A short text of the service; empty if the value is not a text or an integer."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return "".join(c for c in str(value) if c.isascii() and c.isprintable())[:64]


def _parse_lowercase_object(reply: Reply) -> dict[str, Any]:
    body = parse_body(reply.body)
    if not isinstance(body, dict):
        raise Unreadable("the body is not a JSON object")
    return {name.lower(): value for name, value in body.items()}


def _normalised_address(url: str) -> tuple[str, str | None, int | None, str, str]:
    """The parts that two equal addresses share: without case of scheme and host, default port and last slash."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        return "", None, None, url, ""
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query
