"""An event as it travels: its body, its signature, and what a test can break on the way (11.2, 11.3, 11.4)."""

import base64
import json
import random
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httpx

from emulators.base.control_body import Pause
from emulators.base.faults import Countdown, check_pattern
from emulators.partner_center import timestamps
from emulators.partner_center.certificate_host import CertificateHost

NAMES = ("referral-created", "referral-updated", "related-referral-created", "related-referral-updated")
TEST_EVENT = "test-created"
KNOWN_NAMES = (
    *NAMES,
    TEST_EVENT,
    "azure-fraud-event-detected",
    "dap-admin-relationship-approved",
    "dap-admin-relationship-terminated",
    "dap-admin-relationship-terminated-by-microsoft",
    "granular-admin-access-assignment-activated",
    "granular-admin-access-assignment-created",
    "granular-admin-access-assignment-deleted",
    "granular-admin-access-assignment-updated",
    "granular-admin-relationship-activated",
    "granular-admin-relationship-approved",
    "granular-admin-relationship-expired",
    "granular-admin-relationship-terminated",
    "invoice-ready",
    "new-commerce-migration-completed",
    "new-commerce-migration-created",
    "new-commerce-migration-failed",
    "new-commerce-migration-schedule-failed",
    "reseller-relationship-accepted-by-customer",
    "subscription-updated",
    "usagerecords-thresholdExceeded",
)
"""What a registration may name; nothing but the first five is ever sent here."""
RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
TEST_RESOURCE = "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to which referral, and when, in ticks; of a test event the id is the test's."""

    name: str
    referral_id: str
    at: int

    def to_json(self) -> bytes:
        """The documented payload: another host and path order than the API's, offset instead of Z."""
        is_test = self.name == TEST_EVENT
        return json.dumps({
            "EventName": self.name,
            "ResourceUri": (TEST_RESOURCE if is_test else RESOURCE) + self.referral_id,
            "ResourceName": "test" if is_test else "referral",
            "AuditUri": None,
            "ResourceChangeUtcDate": timestamps.format_ticks(self.at, "+00:00"),
        }).encode()  # fmt: skip


@dataclass(frozen=True, slots=True)
class Registration:
    """Where events go: one address, some names, and in which header the signature travels; `at` in ticks."""

    url: str
    events: frozenset[str]
    x_ms_signature: bool
    at: int = 0


def check_address(url: object) -> str:
    """An address that events can be sent to. Raises ValueError."""
    try:
        parts = urlsplit(url) if isinstance(url, str) and httpx.URL(url).host else None
    except (ValueError, httpx.InvalidURL):
        parts = None
    if parts is None or parts.scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no absolute http address")
    return str(url)


class EventFaultKind(StrEnum):
    """What can happen to an event."""

    LOSE = "lose"  # never sent, and nobody knows
    DUPLICATE = "duplicate"  # sent twice
    REORDER = "reorder"  # sent after the next event, or after `seconds` where none comes
    DELAY = "delay"  # sent `seconds` later
    BEFORE = "before"  # sent before the call that caused it is answered
    WRONG_SIGNATURE = "wrong_signature"  # signed by somebody else's key
    WRONG_CERTIFICATE = "wrong_certificate"  # signed and presented with a certificate nobody trusts
    TAMPERED_BODY = "tampered_body"  # the body changed after it was signed


@dataclass(slots=True)
class EventFault(Countdown):
    """Strikes events whose name matches `event` (regular expression, searched), after `skip`, `times` times.

    The last three kinds last through all attempts of the event they struck.
    """

    kind: EventFaultKind
    event: str = ""
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    seconds: Pause = 0.05

    def __post_init__(self) -> None:
        """Refuse what could only fail when it strikes. Raises ValueError."""
        check_pattern(self.event)

    def applies_to(self, event: Event, chance: random.Random) -> bool:
        """Whether this event is hit; counts down."""
        return re.search(self.event, event.name) is not None and self.applies_now(chance)


def sign_event(
    event: Event, host: CertificateHost, *, x_ms_signature: bool, fault: EventFaultKind | None = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery, broken as `fault` says."""
    body = event.to_json()
    rogue = fault is EventFaultKind.WRONG_CERTIFICATE
    signer = host.rogue_leaf if fault is EventFaultKind.WRONG_SIGNATURE or rogue else host.dispatcher_leaf
    signature = f"Signature {base64.b64encode(signer.sign(body)).decode()}"
    if fault is EventFaultKind.TAMPERED_BODY:
        body = body.replace(b'"ResourceName": "', b'"ResourceName": "x')
    headers = {
        "Content-Type": "application/json",
        "X-MS-Certificate-Url": host.rogue_url if rogue else host.leaf_url,
        "X-MS-Signature-Algorithm": "rsa-sha256",
        "x-ms-signature" if x_ms_signature else "Authorization": signature,
    }
    return headers, body
