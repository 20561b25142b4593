"""What a verified event says: which referral to read. Nothing else of it is believed.

Source: reference/partner-center.md 11.2. The address in `ResourceUri` is another than the API's; only the referral's id
is taken from it, and the API address is built from our own base, so that a token never goes to a URL from outside
(examples-to-follow.md B3, control 11).
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Never

from msgspec import Struct

from shared.webhook.event_names import OTHER_EVENTS, TEST_CREATED, EventName

DOCUMENTED_HOSTS = frozenset({"api.partnercenter.microsoft.com"})


class NotUnderstoodReason(StrEnum):
    """Why a body says nothing to us (docs/event-signature.md)."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    REPEATED_KEY = "repeated_key"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_TYPE = "wrong_type"
    OTHER_EVENT = "other_event"
    UNKNOWN_EVENT = "unknown_event"
    FOREIGN_RESOURCE = "foreign_resource"


class Event(Struct, frozen=True):
    """A referral to read; `changed_at` (UTC) is what the dispatcher says, for the log alone."""

    name: EventName
    referral_id: str
    changed_at: datetime | None


class Arrived(Struct, frozen=True):
    """A test event has arrived, which is all it is for: answer 202, log it, do not queue.

    `correlation_id` is what whoever asked for it was given; None where the event does not name it.
    """

    correlation_id: str | None


class NotUnderstood(Struct, frozen=True):
    """Answer 202, log the reason, do not queue."""

    reason: NotUnderstoodReason


class _Stop(Exception):
    def __init__(self, reason: NotUnderstoodReason) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_event(body: bytes, *, hosts: Collection[str] = DOCUMENTED_HOSTS) -> Event | Arrived | NotUnderstood:
    """Read a verified body. Never raises, whatever the body holds.

    Args:
        body: the bytes as received.
        hosts: lower-case hosts (`name`, or `name:port`) whose resources are referrals of ours.
    """
    try:
        return _event(_decoded(body), hosts)
    except _Stop as stop:
        return NotUnderstood(stop.reason)


def _event(fields: Mapping[str, Any], hosts: Collection[str]) -> Event | Arrived:
    name, uri = fields.get("eventname"), fields.get("resourceuri")
    if not isinstance(name, str):
        raise _Stop(NotUnderstoodReason.WRONG_TYPE)
    if name.lower() == TEST_CREATED:
        return Arrived(_correlation_id(uri))
    known = _known(name.lower())
    if not isinstance(uri, str):
        raise _Stop(NotUnderstoodReason.WRONG_TYPE)
    return Event(known, _referral_id(uri, hosts), _moment(fields.get("resourcechangeutcdate")))


def _known(name: str) -> EventName:
    try:
        return EventName(name)
    except ValueError:
        other = name in OTHER_EVENTS
        raise _Stop(NotUnderstoodReason.OTHER_EVENT if other else NotUnderstoodReason.UNKNOWN_EVENT) from None


# --- JSON


def _decoded(body: bytes) -> Mapping[str, Any]:
    """The object in the body, its keys in lower case: PascalCase in samples, camelCase in the service's own model."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _Stop(NotUnderstoodReason.NOT_UTF8) from None
    except RecursionError:
        raise _Stop(NotUnderstoodReason.TOO_DEEP) from None
    except ValueError:
        raise _Stop(NotUnderstoodReason.NOT_JSON) from None
    if not isinstance(value, dict):
        raise _Stop(NotUnderstoodReason.NOT_AN_OBJECT)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    folded = {key.lower(): value for key, value in pairs}
    if len(folded) != len(pairs):
        # Two readers would see two different events in it.
        raise _Stop(NotUnderstoodReason.REPEATED_KEY)
    return folded


def _no_constant(_text: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


# --- values

_RESOURCE = re.compile(
    r"https?://([A-Za-z0-9.-]+(?::[0-9]{1,5})?)"
    r"/(?:engagements/v1(?:\.0)?/referrals|v1(?:\.0)?/(?:engagements/)?referrals)"
    r"/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.ASCII | re.IGNORECASE,
)


def _referral_id(uri: str, hosts: Collection[str]) -> str:
    found = _RESOURCE.fullmatch(uri)
    if found is None or found[1].lower() not in hosts:
        raise _Stop(NotUnderstoodReason.FOREIGN_RESOURCE)
    return found[2].lower()


_VALIDATION = re.compile(
    r"https?://[A-Za-z0-9.:-]+/webhooks/v1/registration/validationEvents"
    r"/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.ASCII | re.IGNORECASE,
)


def _correlation_id(uri: object) -> str | None:
    """The id of a test; for the log alone, so its host does not matter."""
    found = _VALIDATION.fullmatch(uri) if isinstance(uri, str) else None
    return found[1].lower() if found else None


def _moment(value: object) -> datetime | None:
    """The stamp, if it is one: up to seven digits of a second, offset or none (then UTC, as the key says)."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
