"""Decide whether an incoming webhook event is admitted, and make its queue message.

The order of the checks is fixed (docs/reference/partner-center.md#webhook-admission-controls, controls 1 and 12):

1. size of the body: 413 if it is longer than `EVENT_MAX_BYTES`
2. content type: 415 if it is not `application/json`
3. signature (`shared.webhook.signature`): 401
4. content (`shared.webhook.events`): 202, and a queue message if the event names a referral
"""

import json
import os
from collections.abc import Iterable
from copy import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.foundation.logs import log
from shared.settings.surely_right import event_values
from shared.webhook.events import (
    DOCUMENTED_HOSTS,
    ArrivedTestEvent,
    Event,
    NotUnderstood,
    NotUnderstoodReason,
    id_of_event,
    parse_event,
)
from shared.webhook.refusals import Reason, Refusal, Unverified, Verified
from shared.webhook.signature import HeaderFields, SignatureVerifier, open_verifier

if TYPE_CHECKING:
    from shared.settings.variables import EventSettings

ACCEPTED = 202
MAX_BODY = 65_536
"""Bytes of the longest body that is admitted, unless a setting names another limit."""
AZURE_VARIABLES = frozenset({"WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_SITE_NAME", "LEGION_SERVICE_HOST"})
"""In Azure at least one of these is set; which one depends on the plan (docs/reference/azure.md#flex-consumption)."""
LONGEST_MESSAGE = 48 * 1024
"""ASCII characters that fit into a queue message of 64 KiB in base64 (docs/reference/azure.md#queues)."""


class EventAnswer(Struct, frozen=True):
    """The HTTP status to answer, and the queue message if the event is to be processed."""

    status: int
    message: str | None = None


class EventAdmission(Struct, frozen=True):
    """Checks a request in the order given above. One object serves all threads of a process.

    `hosts` are those whose resources are our referrals (`shared.webhook.events.parse_event`).
    """

    verifier: SignatureVerifier
    max_body: int = MAX_BODY
    hosts: tuple[str, ...] = DOCUMENTED_HOSTS

    def check(self, headers: Iterable[tuple[str, str]], body: bytes) -> Verified | Refusal:
        """Whether Partner Center's dispatcher sent this body. Never raises, whatever the request holds."""
        try:
            return self._verify(headers, body)
        except Unverified as refused:
            return Refusal.for_reason(refused.reason)
        except Exception as defect:  # noqa: BLE001 - a fault in our code must refuse the event, and must not answer 5xx
            return Refusal.for_reason(Reason.DEFECT, type(defect).__name__)

    def _verify(self, headers: Iterable[tuple[str, str]], body: bytes) -> Verified:
        if len(body) > self.max_body:
            raise Unverified(Reason.BODY_TOO_LARGE)
        fields = HeaderFields(headers)
        if not fields.is_json():
            raise Unverified(Reason.CONTENT_TYPE)
        return self.verifier.verify(fields, body)


def admit(headers: Iterable[tuple[str, str]], body: bytes) -> EventAnswer:
    """The answer to one webhook request. Logs the outcome. Never raises because of what the request holds."""
    admission = event_admission()
    outcome = admission.check(headers, body)
    if isinstance(outcome, Refusal):
        log("event_refused", status=outcome.status, reason=outcome.reason, defect=outcome.defect)
        return EventAnswer(outcome.status)
    event = parse_event(body, hosts=admission.hosts)
    if not isinstance(event, Event):
        _log_unused_event(body, event)
        return EventAnswer(ACCEPTED)
    ids = {"event_id": event.id, "referral_id": event.referral_id}
    log("event_accepted", **ids, name=event.name, repeated=outcome.repeated)
    return EventAnswer(ACCEPTED, _queue_message(event, body.decode(), admission.hosts[0]))


def _queue_message(event: Event, body: str, host: str) -> str:
    """Time of receipt, id and raw body as JSON. Of a body that does not fit, only name and referral are kept."""
    envelope = {"received": datetime.now(UTC).isoformat(), "id": event.id}
    message = json.dumps({**envelope, "body": body})
    if len(message) <= LONGEST_MESSAGE:
        return message
    uri = f"https://{host}/engagements/v1/referrals/{event.referral_id}"
    return json.dumps({**envelope, "body": json.dumps({"EventName": event.name, "ResourceUri": uri})})


def event_in_message(message: bytes) -> Event | None:
    """The event in a queue message; None, with a line in the log, if it names no referral. Never raises from input."""
    known_id: object = None
    try:
        envelope = json.loads(message)
        event = parse_event(envelope["body"].encode(), hosts=event_admission().hosts)
        known_id = envelope.get("id")  # a message of an earlier build has none
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        event = NotUnderstood(NotUnderstoodReason.NOT_JSON)
    if isinstance(event, Event):
        return replace(event, id=known_id) if isinstance(known_id, str) else event
    _log_unused_event(message, event)
    return None


def _log_unused_event(content: bytes, event: ArrivedTestEvent | NotUnderstood) -> None:
    if isinstance(event, ArrivedTestEvent):
        log("event_tested", correlation_id=event.correlation_id)
        return
    log("event_not_understood", event_id=id_of_event(content), reason=event.reason)


@cache
def event_admission() -> EventAdmission:
    """The admission of this process. The first call reads and checks its settings. Raises ConfigurationError."""
    settings = event_values() or _described_settings()
    verifier = open_verifier(
        origins=settings.certificate_origins,
        dispatcher_name=settings.dispatcher,
        extra_roots_pem=_read_pem("EVENT_ROOTS", settings.roots),
        intermediates_pem=_read_pem("EVENT_INTERMEDIATES", settings.intermediates),
        certificates_pem=_read_pem("EVENT_CERTIFICATES", settings.certificates),
        issuer_origins=settings.issuer_origins,
        in_azure=not AZURE_VARIABLES.isdisjoint(os.environ),
        ca_bundle=settings.ca_bundle,
    )
    return EventAdmission(verifier, settings.max_bytes, settings.resource_hosts)


def _described_settings() -> "EventSettings":
    """The settings as the models read them. Raises ConfigurationError, which says what is wrong."""
    from shared.settings.variables import event_settings  # noqa: PLC0415 - late: it imports pydantic

    return event_settings()


def _read_pem(setting: str, path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{setting}: {path} cannot be read as text: {type(error).__name__} (example: {setting}=certificates.pem)"
        ) from error
