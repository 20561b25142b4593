"""What Partner Center says of the registration for events and of a test event, whatever the case of its names.

Samples spell names in PascalCase, the swagger in camelCase (reference/partner-center.md 11.1, 11.5).
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
"""What we register for: the four events about referrals, and the one that tests the way."""

HTTPS_PORT = 443
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SUCCESS = frozenset({"ok", "created", "accepted", "nocontent"})


class Registration(Struct, frozen=True):
    """The tenant's one registration. `x_ms_signature`: the signature has a header of its own; None: it does not say."""

    url: str
    events: tuple[str, ...]
    x_ms_signature: bool | None = None

    def is_at(self, url: str) -> bool:
        """Whether events go to `url`."""
        return _normalised_address(self.url) == _normalised_address(url)

    def missing_events(self, events: Iterable[str] = EVENTS) -> tuple[str, ...]:
        """Which of `events` it does not hold."""
        held = {name.casefold() for name in self.events}
        return tuple(name for name in events if name.casefold() not in held)

    @property
    def is_complete(self) -> bool:
        """Whether all that we need arrives, in a form that the platform before the door lets through."""
        return not self.missing_events() and self.x_ms_signature is not False

    @property
    def host(self) -> str:
        """Whose it is, as far as it may be told: path and query of a foreign address may hold a secret."""
        return (_normalised_address(self.url)[1] or "unknown")[:MAX_REMOTE_TEXT]


class Attempt(Struct, frozen=True):
    """One try to deliver a test event: the answer's code as the service names it, empty where nobody answered."""

    code: str
    at: str
    is_system_error: bool

    @property
    def is_delivered(self) -> bool:
        """Whether the door answered with a 2xx."""
        return not self.is_system_error and (
            self.code.casefold() in _SUCCESS or bool(re.fullmatch(r"2\d\d", self.code))
        )


class Validation(Struct, frozen=True):
    """How far a test event has come; `status` is the service's own word."""

    correlation_id: str
    status: str = "unknown"
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_delivered(self) -> bool:
        """Whether it has arrived."""
        return any(attempt.is_delivered for attempt in self.attempts)

    @property
    def is_over(self) -> bool:
        """Whether no further attempt is to be waited for. Only `completed` is documented."""
        return self.is_delivered or self.status.casefold() in ("completed", "failed")


def parse_registration(reply: Reply) -> Registration:
    """A registration. Raises Unreadable."""
    said = _parse_lowercase_object(reply)
    url, events = said.get("webhookurl"), said.get("webhookevents")
    if not (isinstance(url, str) and url) or not isinstance(events, list | None):
        raise Unreadable("the body is no registration")
    flag = said.get("signaturetokentomssignatureheader")
    known = {"true": True, "false": False}.get(str(flag).casefold())
    return Registration(url, tuple(name for name in events or () if isinstance(name, str)), known)


def parse_correlation_id(reply: Reply) -> str:
    """The id of a test event: in an object, or as a bare string. Raises Unreadable."""
    said = parse_body(reply.body)
    if isinstance(said, dict):
        said = next((value for name, value in said.items() if name.lower() == "correlationid"), None)
    if not (isinstance(said, str) and _ID.fullmatch(said)):
        raise Unreadable("the body names no test event")
    return said


def parse_validation(reply: Reply, asked: str) -> Validation:
    """The state of the test event `asked`. Raises Unreadable."""
    said = _parse_lowercase_object(reply)
    results = said.get("results")
    attempts = (
        [_parse_attempt(result) for result in results if isinstance(result, dict)] if isinstance(results, list) else []
    )
    return Validation(asked, _short_text(said.get("status")) or "unknown", tuple(attempts))


def _parse_attempt(result: dict[str, Any]) -> Attempt:
    said = {name.lower(): value for name, value in result.items()}
    failed = str(said.get("systemerror")).casefold() == "true"
    return Attempt(_short_text(said.get("responsecode")), _short_text(said.get("datetimeutc")), failed)


def _short_text(value: object) -> str:
    """A short remote word; empty for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return "".join(c for c in str(value) if c.isascii() and c.isprintable())[:64]


def _parse_lowercase_object(reply: Reply) -> dict[str, Any]:
    body = parse_body(reply.body)
    if not isinstance(body, dict):
        raise Unreadable("the body is no JSON object")
    return {name.lower(): value for name, value in body.items()}


def _normalised_address(url: str) -> tuple[str, str | None, int | None, str, str]:
    """What makes two addresses the same: case of scheme and host, the usual port and a last slash do not count."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        return "", None, None, url, ""
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query
