"""The event door of this process: verified, understood, and worth a queue message, or not."""

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.foundation.logs import log
from shared.settings.variables import event_settings
from shared.webhook.events import Arrived, Event, NotUnderstood, NotUnderstoodReason, parse_event
from shared.webhook.refusals import Refusal
from shared.webhook.signature import EventDoor, open_door

ACCEPTED = 202
IN_AZURE = frozenset({"WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_SITE_NAME", "LEGION_SERVICE_HOST"})
"""The platform sets one of these, by plan; a developer's machine sets none."""
LONGEST_MESSAGE = 48 * 1024
"""ASCII characters that a queue message of 64 KiB holds in base64 (reference/azure.md 6.6)."""


class Admission(Struct, frozen=True):
    """The answer's status, and the queue message where there is one."""

    status: int
    message: str | None = None


def admit(headers: Iterable[tuple[str, str]], body: bytes) -> Admission:
    """Verify, understand, and make the queue message: time of receipt and raw body. Never raises from input."""
    found = door().check(headers, body)
    if isinstance(found, Refusal):
        log("event_refused", status=found.status, reason=found.reason, defect=found.defect)
        return Admission(found.status)
    event = parse_event(body, hosts=event_settings().resource_hosts)
    if not isinstance(event, Event):
        _nothing_to_do(body, event)
        return Admission(ACCEPTED)
    log("event_accepted", name=event.name, referral_id=event.referral_id, repeated=found.repeated)
    return Admission(ACCEPTED, _message(event, body.decode()))


def _message(event: Event, body: str) -> str:
    """Time of receipt and raw body; a body too long for a queue message shrinks to what is read of it."""
    received = datetime.now(UTC).isoformat()
    whole = json.dumps({"received": received, "body": body})
    if len(whole) <= LONGEST_MESSAGE:
        return whole
    uri = f"https://{event_settings().resource_hosts[0]}/engagements/v1/referrals/{event.referral_id}"
    return json.dumps({"received": received, "body": json.dumps({"EventName": event.name, "ResourceUri": uri})})


def event_of(message: bytes) -> Event | None:
    """The event in a queue message; None, with a line in the log, if it is none of ours. Never raises from input."""
    try:
        event = parse_event(json.loads(message)["body"].encode(), hosts=event_settings().resource_hosts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        event = NotUnderstood(NotUnderstoodReason.NOT_JSON)
    if isinstance(event, Event):
        return event
    _nothing_to_do(message, event)
    return None


def _nothing_to_do(content: bytes, found: Arrived | NotUnderstood) -> None:
    if isinstance(found, Arrived):
        log("event_tested", correlation_id=found.correlation_id)
        return
    log("event_not_understood", event_id=hashlib.sha256(content).hexdigest()[:16], reason=found.reason)


@cache
def door() -> EventDoor:
    """The one door of this process; opening it checks its settings. Raises ConfigurationError."""
    said = event_settings()
    return open_door(
        origins=said.certificate_origins,
        dispatcher_name=said.dispatcher,
        extra_roots_pem=_pem("EVENT_ROOTS", said.roots),
        intermediates_pem=_pem("EVENT_INTERMEDIATES", said.intermediates),
        certificates_pem=_pem("EVENT_CERTIFICATES", said.certificates),
        issuer_origins=said.issuer_origins,
        in_azure=not IN_AZURE.isdisjoint(os.environ),
        max_body=said.max_bytes,
        ca_bundle=said.ca_bundle,
    )


def _pem(setting: str, path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{setting}: {path} cannot be read as text: {type(error).__name__} (example: {setting}=certificates.pem)"
        ) from error
