"""Define the events, their bodies and their signatures.

Sources: docs/reference/partner-center.md#event-names, docs/reference/partner-center.md#event-body,
docs/reference/partner-center.md#event-signature
"""

import base64
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from emulators.partner_center import timestamps
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.event_faults import EventFaultKind

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
    "indirect-reseller-relationship-accepted-by-customer",
    "invoice-ready",
    "new-commerce-migration-completed",
    "new-commerce-migration-created",
    "new-commerce-migration-failed",
    "new-commerce-migration-schedule-failed",
    "reseller-relationship-accepted-by-customer",
    "subscription-updated",
    "usagerecords-thresholdExceeded",
)
"""The names that a registration may hold. The emulator sends only the first five."""
RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
TEST_RESOURCE = "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a referral at a time in ticks. For a test event, `referral_id` is the id of the test."""

    name: str
    referral_id: str
    at: int

    def to_json(self) -> bytes:
        """Return the documented body. It names another host and path than the API, and an offset instead of Z."""
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
    """The receiver of the events: the address, the event names, and the header of the signature. `at` is in ticks.

    With `x_ms_signature` the signature is in `x-ms-signature`, otherwise in `Authorization`.
    """

    url: str
    events: frozenset[str]
    x_ms_signature: bool
    at: int = 0


def check_address(url: object) -> str:
    """Return `url` if events can be sent to it. Raises ValueError."""
    try:
        parts = urlsplit(url) if isinstance(url, str) and httpx.URL(url).host else None
    except (ValueError, httpx.InvalidURL):
        parts = None
    if parts is None or parts.scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not an absolute http address")
    return str(url)


def sign_event(
    event: Event, host: CertificateHost, *, x_ms_signature: bool, fault: EventFaultKind | None = None
) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of one delivery. `fault` breaks one of them."""
    body = event.to_json()
    headers = sign_body(body, host, x_ms_signature=x_ms_signature, fault=fault)
    if fault is EventFaultKind.TAMPERED_BODY:
        body = body.replace(b'"ResourceName": "', b'"ResourceName": "x')
    return headers, body


def sign_body(
    body: bytes, host: CertificateHost, *, x_ms_signature: bool = True, fault: EventFaultKind | None = None
) -> dict[str, str]:
    """Return the headers of a delivery of any body. `fault` may break them."""
    names_rogue = fault is EventFaultKind.WRONG_CERTIFICATE
    signer = host.rogue_leaf if fault is EventFaultKind.WRONG_SIGNATURE or names_rogue else host.dispatcher_leaf
    return {
        "Content-Type": "application/json",
        "X-MS-Certificate-Url": host.rogue_url if names_rogue else host.leaf_url,
        "X-MS-Signature-Algorithm": "rsa-sha256",
        "x-ms-signature" if x_ms_signature else "Authorization": (
            f"Signature {base64.b64encode(signer.sign(body)).decode()}"
        ),
    }
