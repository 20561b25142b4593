"""The moves of everybody else: Microsoft's sellers, other partners, and our colleagues in the portal."""

import copy
import random
from collections.abc import Mapping
from copy import replace
from typing import Any

from emulators.partner_center import create
from emulators.partner_center.json_patch import apply_patch
from emulators.partner_center.referral_shape import MICROSOFT, Json, fold_names
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.referrals_service import Organization, ReferralsService
from emulators.partner_center.service_errors import not_found

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
PORTAL_PATHS = ("/name",)  # 3.2: the portal edits the name, which the API's list of paths does not hold


class OtherParties:
    """Acts on the same referrals, past the API."""

    def __init__(self, referrals: ReferralsService, another: Organization, chance: random.Random) -> None:
        """`another` is a partner that is not us."""
        self._referrals, self._another, self._chance = referrals, another, chance

    # --- somebody sends us a deal

    def microsoft_sends(self, fields: Mapping[str, Any]) -> StoredReferral:
        """An inbound co-sell deal: Microsoft's own record, then ours in New/Pending (section 7)."""
        return self._send_deal(self._referrals.microsoft, fields)

    def partner_sends(self, fields: Mapping[str, Any]) -> StoredReferral:
        """As `microsoft_sends`, from another partner."""
        return self._send_deal(self._another, fields)

    def partner_creates(self, fields: Mapping[str, Any]) -> StoredReferral:
        """A deal of another partner that we are no party of and may not see."""
        return self._referrals.add_self_made(self._draft_from(fields), self._another)

    def _send_deal(self, sender: Organization, fields: Mapping[str, Any]) -> StoredReferral:
        record = self._draft_from(
            _merge_objects({"consent": {"consentToShareReferralWithMicrosoftSellers": True}}, fold_names(dict(fields)))
        )
        host = self._referrals.add_self_made(copy.deepcopy(record), sender)
        # A seller's own key for the deal is the sender's affair: ours begins without one.
        return self._referrals.add_invited({**record, "externalReferenceId": None}, host, self._referrals.ours)

    # --- colleagues in the portal

    def portal_creates(self, body: Mapping[str, Any]) -> StoredReferral:
        """A deal of ours made by hand; what `body` leaves open is filled in from the seed."""
        return self._referrals.create_own(_merge_objects(self.example_body(), fold_names(dict(body))), via="Portal")

    def portal_edits(self, referral_id: str, operations: object) -> StoredReferral:
        """A colleague's edit, as JSON Patch; also takes `/name`. Raises ServiceError."""
        switches = self._referrals.switches
        wider = replace(switches, extra_paths=(*switches.extra_paths, *PORTAL_PATHS))
        return self._referrals.patch_own(referral_id, operations, switches=wider)

    # --- Microsoft's side of an engagement

    def microsoft_accepts(self, engagement_id: str) -> StoredReferral:
        """Microsoft takes the deal: Active/Accepted, and the id of its own sales system appears (5.2)."""
        theirs = self._find_party(engagement_id, MICROSOFT)
        number = f"7-{self._chance.randrange(10**10):010d}"
        on = self._referrals.switches.msx_id_on
        if on in ("ours", "both"):
            ours = self._find_party(engagement_id, self._referrals.ours.id)
            self._referrals.replace_record(ours, _with_msx_id(ours, number))
        record = _with_msx_id(theirs, number) if on in ("theirs", "both") else theirs.record
        return self._referrals.replace_record(theirs, {**record, "status": "Active", "substatus": "Accepted"})

    def microsoft_declines(self, engagement_id: str, reason: str = "Customer not managed") -> StoredReferral:
        """Microsoft refuses the deal: Closed/Declined."""
        return self._close_microsofts_record(engagement_id, "Declined", reason)

    def microsoft_closes(self, engagement_id: str, substatus: str = "Won") -> StoredReferral:
        """Microsoft ends its own record."""
        return self._close_microsofts_record(engagement_id, substatus, None)

    def microsoft_edits(self, engagement_id: str, operations: object) -> StoredReferral:
        """Microsoft changes its own record, as JSON Patch. Raises ServiceError."""
        theirs = self._find_party(engagement_id, MICROSOFT)
        return self._referrals.replace_record(theirs, apply_patch(theirs.record, operations, self._referrals.switches))

    def _close_microsofts_record(self, engagement_id: str, substatus: str, reason: str | None) -> StoredReferral:
        theirs = self._find_party(engagement_id, MICROSOFT)
        closed = {**theirs.record, "status": "Closed", "substatus": substatus, "statusReason": reason}
        return self._referrals.replace_record(theirs, closed)

    def _find_party(self, engagement_id: str, organization_id: str) -> StoredReferral:
        for row in self._referrals.store.referrals_in(engagement_id):
            if row.owner_id == organization_id:
                return row
        raise not_found()

    # --- made-up deals

    def populate(self, count: int) -> None:
        """That many older deals of ours, without going through the checks one by one."""
        for _ in range(count):
            self._referrals.add_self_made(self._draft_from({}), self._referrals.ours)

    def example_body(self) -> Json:
        """The body of a create, varied by the seed."""
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
                        "consentToShareReferralWithMicrosoftSellers": False},
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
            _merge_objects(self.example_body(), fold_names(dict(fields))), self._referrals.switches
        )


def _with_msx_id(row: StoredReferral, number: str) -> Json:
    return {**row.record, "trackingInfo": {**row.record["trackingInfo"], "microsoftMsxId": number}}


def _make_person(first: str, last: str, email: str) -> Json:
    return {"firstName": first, "lastName": last, "phoneNumber": "+12065550100", "email": email}


def _merge_objects(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """Objects are merged, everything else is replaced."""
    merged = dict(base)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merge_objects(merged[name], value) if both else value
    return merged
