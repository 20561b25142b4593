"""Read from a verified event which referral has changed. Nothing else in the event is trusted.

`ResourceUri` names one of two hosts (docs/reference/partner-center.md#event-body). Only the referral's id is taken from
it. The API address is built from our own base, so that no token is ever sent to an address from outside
(docs/reference/partner-center.md#webhook-admission-controls, control 11).
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Never

from msgspec import Struct

from shared.webhook.event_names import OTHER_EVENTS, TEST_CREATED, EventName

DOCUMENTED_HOSTS = ("api.partnercenter.microsoft.com", "api.partner.microsoft.com")


class NotUnderstoodReason(StrEnum):
    """The reasons a body names no referral (docs/event-signature.md#reasons-why-an-event-is-not-understood)."""

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
    """A referral to read. `id` is the hash of the body, because the service gives its events no id."""

    name: EventName
    referral_id: str
    id: str


class ArrivedTestEvent(Struct, frozen=True):
    """A test event: answer 202, log it, and queue nothing, because its arrival is its only purpose.

    `correlation_id` is the id that the person who requested the test was given; None if the event does not name it.
    """

    correlation_id: str | None


class NotUnderstood(Struct, frozen=True):
    """An event without a referral to read: answer 202, log the reason, queue nothing."""

    reason: NotUnderstoodReason


class _NotUsable(Exception):
    def __init__(self, reason: NotUnderstoodReason) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_event(body: bytes, *, hosts: Collection[str] = DOCUMENTED_HOSTS) -> Event | ArrivedTestEvent | NotUnderstood:
    """The event in a verified body. Never raises, whatever the body holds.

    Args:
        body: the bytes as received.
        hosts: hosts in lower case (`name`, or `name:port`) whose resources are our referrals. A `name` also allows
            an address that states the usual port of its scheme.
    """
    try:
        return _read_event(_parse_object(body), hosts, id_of_event(body))
    except _NotUsable as stop:
        return NotUnderstood(stop.reason)


def id_of_event(body: bytes) -> str:
    """The id by which the log names an event: a hash of its body."""
    return hashlib.sha256(body).hexdigest()[:16]


def _read_event(fields: Mapping[str, Any], hosts: Collection[str], event_id: str) -> Event | ArrivedTestEvent:
    name, uri = fields.get("eventname"), fields.get("resourceuri")
    if not isinstance(name, str):
        raise _NotUsable(NotUnderstoodReason.WRONG_TYPE)
    if name.lower() == TEST_CREATED:
        return ArrivedTestEvent(_correlation_id(uri))
    event_name = _event_name(name.lower())
    if not isinstance(uri, str):
        raise _NotUsable(NotUnderstoodReason.WRONG_TYPE)
    return Event(event_name, _referral_id(uri, hosts), event_id)


def _event_name(name: str) -> EventName:
    try:
        return EventName(name)
    except ValueError:
        is_other = name in OTHER_EVENTS
        raise _NotUsable(NotUnderstoodReason.OTHER_EVENT if is_other else NotUnderstoodReason.UNKNOWN_EVENT) from None


# --- JSON


def _parse_object(body: bytes) -> Mapping[str, Any]:
    """The object in the body, with keys in lower case: samples use PascalCase, the service's swagger camelCase.

    A byte order mark before the object is skipped (RFC 8259, 8.1).
    """
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _NotUsable(NotUnderstoodReason.NOT_UTF8) from None
    except RecursionError:
        raise _NotUsable(NotUnderstoodReason.TOO_DEEP) from None
    except ValueError:
        raise _NotUsable(NotUnderstoodReason.NOT_JSON) from None
    if not isinstance(value, dict):
        raise _NotUsable(NotUnderstoodReason.NOT_AN_OBJECT)
    return value


def _fold_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    folded = {key.lower(): value for key, value in pairs}
    if len(folded) != len(pairs):
        # Two programs could read two different events from such a body.
        raise _NotUsable(NotUnderstoodReason.REPEATED_KEY)
    return folded


def _refuse_constant(_text: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_fold_keys, parse_constant=_refuse_constant)
"""Made once: `json.loads` would make one for each event."""


# --- values

_RESOURCE = re.compile(
    r"(https?)://([a-z0-9.-]+)(?::([0-9]{1,5}))?"
    r"/(?:engagements/v1(?:\.0)?/referrals|v1(?:\.0)?/(?:engagements/)?referrals)"
    r"/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/?",
    re.ASCII,
)
"""An address in lower case."""
_USUAL_PORTS = {"https": "443", "http": "80"}


def _referral_id(uri: str, hosts: Collection[str]) -> str:
    match = _RESOURCE.fullmatch(uri.lower()) if uri.isascii() else None  # some other letters have an ASCII lower case
    if match is None or _host_spellings(match[1], match[2], match[3]).isdisjoint(hosts):
        raise _NotUsable(NotUnderstoodReason.FOREIGN_RESOURCE)
    return match[4]


def _host_spellings(scheme: str, host: str, port: str | None) -> set[str]:
    """The spellings in which a setting can name this host: an address without a port has the usual one of its scheme.

    >>> sorted(_host_spellings("https", "api.partner.microsoft.com", "443"))
    ['api.partner.microsoft.com', 'api.partner.microsoft.com:443']
    """
    usual = _USUAL_PORTS[scheme]
    return {host, f"{host}:{usual}"} if port in (None, usual) else {f"{host}:{port}"}


_VALIDATION = re.compile(
    r"https?://[A-Za-z0-9.:-]+/webhooks/v1/registration/validationEvents"
    r"/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.ASCII | re.IGNORECASE,
)


def _correlation_id(uri: object) -> str | None:
    """The id of a test event. It is only logged, so the host of the address does not matter."""
    match = _VALIDATION.fullmatch(uri) if isinstance(uri, str) else None
    return match[1].lower() if match else None
