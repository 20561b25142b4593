"""Play Microsoft's sellers: they open, accept, decline, change and close Microsoft's referral of an engagement.

Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record
"""

import random
from collections.abc import Mapping
from typing import Any

from emulators.partner_center import value_checks
from emulators.partner_center.json_patch import apply_patch
from emulators.partner_center.referral_shape import MICROSOFT, Json, complete_element, fold_names
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.referrals_service import ReferralsService
from emulators.partner_center.service_errors import invalid_request

SELLER: Json = {"firstName": "Microsoft", "lastName": "Seller", "phoneNumber": "+14255550100",
                "email": "seller@microsoft.example"}  # fmt: skip


class MicrosoftSide:
    """Changes Microsoft's referrals. Methods raise ServiceError: 404 without such a referral, 400 if it is closed."""

    def __init__(self, service: ReferralsService, chance: random.Random) -> None:
        """`chance` makes the numbers of Microsoft's own sales system."""
        self._service, self._chance = service, chance

    def record_of(self, engagement_id: str) -> StoredReferral:
        """Return Microsoft's referral of an engagement. Raises ServiceError (404)."""
        return self._service.find_party(engagement_id, MICROSOFT)

    def accept(
        self,
        engagement_id: str,
        *,
        msx_id: str | None = None,
        seller: Mapping[str, Any] | None = None,
        notes: str | None = None,
    ) -> StoredReferral:
        """Accept: Active/Accepted, and the number of Microsoft's own sales system appears (the MSX id)."""
        theirs = self._open_record(engagement_id)
        number = msx_id or f"7-{self._chance.randrange(10**10):010d}"
        on = self._service.switches.msx_id_on
        if on in ("ours", "both"):
            own = self._service.find_party(engagement_id, self._service.own_organization.id)
            self._service.replace_record(own, _with_msx_id(own.record, number))
        record = _with_msx_id(theirs.record, number) if on in ("theirs", "both") else theirs.record
        record = self._with_news(record, seller or SELLER, notes)
        return self._service.replace_record(theirs, {**record, "status": "Active", "substatus": "Accepted"})

    def add_news(
        self, engagement_id: str, *, seller: Mapping[str, Any] | None = None, notes: str | None = None
    ) -> StoredReferral:
        """Name a further seller, or change the notes, or both."""
        theirs = self._open_record(engagement_id)
        return self._service.replace_record(theirs, self._with_news(theirs.record, seller, notes))

    def receive(self, engagement_id: str) -> StoredReferral:
        """Open the deal without an answer: New/Received."""
        theirs = self._open_record(engagement_id)
        if theirs.record["status"] != "New":
            raise invalid_request("Microsoft answered already.", target="status", inner="invalidTransition")
        return self._service.replace_record(theirs, {**theirs.record, "substatus": "Received"})

    def close(self, engagement_id: str, substatus: str, reason: str | None) -> StoredReferral:
        """Close with a substatus, such as Declined, Won or Lost."""
        value_checks.one_of(*value_checks.SUBSTATUS["Closed"])("substatus", substatus)
        theirs = self._open_record(engagement_id)
        closed = {**theirs.record, "status": "Closed", "substatus": substatus, "statusReason": reason}
        return self._service.replace_record(theirs, closed)

    def edit(self, engagement_id: str, operations: object) -> StoredReferral:
        """Change any value by a JSON Patch, under the rules of the API."""
        theirs = self.record_of(engagement_id)
        return self._service.replace_record(theirs, apply_patch(theirs.record, operations, self._service.switches))

    def _open_record(self, engagement_id: str) -> StoredReferral:
        theirs = self.record_of(engagement_id)
        if theirs.record["status"] == "Closed":
            raise invalid_request("Microsoft's referral is closed.", target="status", inner="invalidTransition")
        return theirs

    def _with_news(self, record: Json, seller: Mapping[str, Any] | None, notes: str | None) -> Json:
        changed = dict(record)
        if seller is not None:
            changed["team"] = self._team_with(record, complete_element("team", fold_names(dict(seller))))
        if notes is not None:
            changed["details"] = {**record["details"], "notes": notes}
        return changed

    def _team_with(self, record: Json, seller: Json) -> list[Json]:
        """Return the team with the seller, after the partner's sellers that came with the invitation, or without."""
        value_checks.check_contacts("team", [seller], complete=True)
        former = record["team"] if self._service.switches.microsoft_team == "appended" else []
        return [*(member for member in former if member["email"] != seller["email"]), seller]


def _with_msx_id(record: Json, number: str) -> Json:
    return {**record, "trackingInfo": {**record["trackingInfo"], "microsoftMsxId": number}}
