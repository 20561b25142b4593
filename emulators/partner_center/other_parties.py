"""Play other parties: whoever sends us a deal, another partner, and our colleagues in the portal."""

import copy
import random
from collections.abc import Mapping
from copy import replace
from typing import Any

from emulators.partner_center import create, help_request
from emulators.partner_center.json_patch import apply_patch
from emulators.partner_center.referral_shape import (
    MICROSOFT,
    WRITABLE,
    Json,
    fold_names,
    is_visible_to_microsoft,
)
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.referrals_service import Organization, ReferralsService

_CUSTOMERS = (
    "Northwind Traders",
    "Fabrikam",
    "Adventure Works",
    "Tailspin Toys",
    "Wingtip Toys",
    "Litware",
    "Proseware",
)
_PROJECTS = ("ERP renewal", "data platform", "cloud migration", "security review", "field service", "sales portal")
_PLACES = (("US", "WA", "Seattle", "98101"), ("DE", "BY", "München", "80331"), ("GB", "", "London", "EC1A 1BB"))
_CURRENCIES = ("USD", "EUR", "GBP")
_OF_LEADS = {"referralSource": "AzureMarketplace", "callToAction": "Contact me"}
# The portal can edit the name, which the API's list of paths lacks: docs/reference/partner-center.md#patch-paths
PORTAL_PATHS = ("/name",)
VISIBILITY = "consentToShareReferralWithMicrosoftSellers"


class OtherParties:
    """Changes the same referrals without the API's access rules."""

    def __init__(self, service: ReferralsService, another: Organization, chance: random.Random) -> None:
        """`another` is a partner other than our own organisation."""
        self._service, self._another, self._chance = service, another, chance

    # --- Microsoft or another partner sends us a deal

    def microsoft_sends(self, fields: Mapping[str, Any]) -> StoredReferral:
        """Make an inbound co-sell deal: Microsoft's referral, then our own in New/Pending, which is returned.

        Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record
        """
        return self._send_deal(self._service.microsoft, fields)

    def partner_sends(self, fields: Mapping[str, Any]) -> StoredReferral:
        """Do as `microsoft_sends`, but for another partner."""
        return self._send_deal(self._another, fields)

    def partner_creates(self, fields: Mapping[str, Any]) -> StoredReferral:
        """Make a deal of another partner. We are not a party of it and may not see it."""
        return self._service.add_self_made(self._draft_from(fields), self._another)

    def customer_asks(self, fields: Mapping[str, Any], qualification: str) -> StoredReferral:
        """Make a lead of ours, New/Received: a customer asked for us in a marketplace, or Microsoft's marketing did.

        It has no seller, and mostly neither value nor closing date.
        Source: docs/reference/partner-center.md#leads-and-deals
        """
        given = fold_names(dict(fields))
        record = self._draft_from({**given, "qualification": qualification})
        record["details"] |= {"dealValue": None, "closingDateTime": None} | dict(given.get("details", {}))
        record |= {name: given.get(name, value) for name, value in _OF_LEADS.items()}
        record["team"] = given.get("team", [])
        is_qualified = qualification != "Direct"
        return self._service.add_lead(record, self._service.microsoft if is_qualified else None)

    def _send_deal(self, sender: Organization, fields: Mapping[str, Any]) -> StoredReferral:
        record = self._draft_from(_merge_objects({"consent": {VISIBILITY: True}}, fold_names(dict(fields))))
        host = self._service.add_self_made(copy.deepcopy(record), sender)
        # The key in the sender's CRM belongs to the sender's record only.
        return self._service.add_invited({**record, "externalReferenceId": None}, host, self._service.own_organization)

    # --- colleagues in the portal

    def portal_creates(self, body: Mapping[str, Any]) -> StoredReferral:
        """Make our own deal in the portal. The seed gives the values that `body` leaves out. Raises ServiceError."""
        return self._service.create_own(_merge_objects(self.example_body(), fold_names(dict(body))), via="Portal")

    def portal_edits(self, referral_id: str, operations: object) -> StoredReferral:
        """Edit one of our own deals in the portal by a JSON Patch, which may also name `/name`. Raises ServiceError.

        The portal itself accepts before it closes, and asks for a reason: the patch may leave both out.
        """
        switches = self._service.switches
        wider = replace(
            switches,
            extra_paths=(*switches.extra_paths, *PORTAL_PATHS),
            demand_reasons=False,
            listed_reasons=False,
            answer_before_closing=False,
        )
        return self._service.patch_own(referral_id, operations, switches=wider)

    def portal_asks_for_help(self, referral_id: str, code: str, notes: str | None) -> StoredReferral:
        """Ask Microsoft for help with one of our own deals in the portal, and return Microsoft's referral.

        The portal makes the deal visible first. Raises ServiceError.
        """
        own = self._service.find_referral(referral_id)
        self._service.check_owner(own)
        body = {
            **_body_of(own.record),
            "engagementId": own.engagement_id,
            "consent": {**own.record["consent"], VISIBILITY: True},
            "target": [{"type": help_request.LOCATION_TARGET, "id": MICROSOFT}],
            "inviteContext": {"assistanceRequestCode": code, "notes": notes},
        }
        create.draft_referral(body, self._service.switches)  # refuses before anything is changed
        if not is_visible_to_microsoft(own.record):
            consent = {"op": "replace", "path": f"/consent/{VISIBILITY}", "value": True}
            self._service.patch_own(referral_id, [consent])
        return self._service.create_own(body, via="Portal")

    # --- another partner in our engagement

    def partner_joins(self, engagement_id: str, fields: Mapping[str, Any]) -> StoredReferral:
        """Add another partner's referral to an engagement of ours, New/Pending. Raises ServiceError."""
        own = self._service.find_party(engagement_id, self._service.own_organization.id)
        body = _merge_objects(_body_of(own.record), fold_names(dict(fields)))
        record = create.draft_referral({**body, "inviteContext": {}}, self._service.switches)
        return self._service.add_invited(record, own, self._another)

    def partner_edits(self, engagement_id: str, operations: object) -> StoredReferral:
        """Let another partner change its referral in an engagement by a JSON Patch. Raises ServiceError."""
        theirs = self._service.find_party(engagement_id, self._another.id)
        return self._service.replace_record(theirs, apply_patch(theirs.record, operations, self._service.switches))

    # --- made-up deals

    def populate(self, count: int) -> None:
        """Add `count` deals of our own."""
        for _ in range(count):
            self._service.add_self_made(self._draft_from({}), self._service.own_organization)

    def example_body(self) -> Json:
        """Return the body of a create; the seed varies it."""
        country, state, city, code = self._chance.choice(_PLACES)
        customer = f"{self._chance.choice(_CUSTOMERS)} {self._chance.randrange(1000, 9999)}"
        return {
            "name": f"{customer} {self._chance.choice(_PROJECTS)}",
            "qualification": "SalesQualified",
            "type": "Independent",
            "customerProfile": {
                "name": customer,
                "size": "251to1000employees",
                "address": {"addressLine1": "1 Main Street", "city": city, "state": state, "postalCode": code,
                            "country": country},
                "team": [_make_person("Contact", "One", "contact.one@northwind.example")],
            },
            "consent": {"consentToToShareInfoWithOthers": True, "consentToContact": True,
                        VISIBILITY: False},
            "details": {
                "notes": "Made up for a local run.",
                "dealValue": self._chance.randrange(10, 500) * 1000,
                "currency": self._chance.choice(_CURRENCIES),
                "closingDateTime": f"2031-{self._chance.randrange(1, 13):02d}-15T00:00:00Z",
                "requirements": {"solutions": [{"type": "Name", "id": "SOL-12345-ABC", "name": "Contoso Ledger"}]},
            },
            "team": [_make_person("Seller", "One", "seller.one@contoso.example")],
        }  # fmt: skip

    def _draft_from(self, fields: Mapping[str, Any]) -> Json:
        return create.draft_referral(
            _merge_objects(self.example_body(), fold_names(dict(fields))), self._service.switches
        )


def _body_of(record: Json) -> Json:
    """Return the body of a create that repeats a referral, without the key of the owner's CRM and the owner's place."""
    return {name: record[name] for name in WRITABLE if name not in ("externalReferenceId", "mpnId")}


def _make_person(first: str, last: str, email: str) -> Json:
    return {"firstName": first, "lastName": last, "phoneNumber": "+12065550100", "email": email}


def _merge_objects(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """Return `base` with the values of `over`. Objects are merged; any other value is replaced."""
    merged = dict(base)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merge_objects(merged[name], value) if both else value
    return merged
