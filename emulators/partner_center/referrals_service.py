"""Own the referrals of all organisations: who may change what, what a change does, and which events it causes.

This module has no HTTP. Source: docs/reference/partner-center.md#deals-engagements-and-leads
"""

import copy
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.clock import EmulatedClock
from emulators.partner_center import create, help_request, timestamps
from emulators.partner_center.json_patch import apply_patch
from emulators.partner_center.late_lists import former_version
from emulators.partner_center.referral_shape import MICROSOFT, Json, set_links
from emulators.partner_center.referral_store import ReferralStore, StoredReferral
from emulators.partner_center.service_errors import (
    ServiceError,
    access_denied,
    invalid_request,
    not_emulated,
    not_found,
)
from emulators.partner_center.switches import Switches

DAYS_TO_ANSWER = 14  # docs/reference/partner-center.md#deadlines
_MILLISECOND = 10_000  # ticks

type Announce = Callable[[str, str, int], None]  # event name, referral id, ticks of the change


@dataclass(frozen=True, slots=True)
class Organization:
    """An owner of referrals."""

    id: str
    name: str
    location: str  # its mpnId


class ReferralsService:
    """All referrals, under the rules of the service. `announce` receives the changes that concern our organisation."""

    def __init__(
        self,
        own_organization: Organization,
        *,
        clock: EmulatedClock,
        chance: random.Random,
        switches: Switches,
        announce: Announce,
    ) -> None:
        """Start without referrals. `own_organization` is our organisation."""
        self.own_organization = own_organization
        self.microsoft = Organization(MICROSOFT, "Microsoft", "")
        self.switches = switches
        self.store = ReferralStore()
        self._clock, self._chance, self._announce = clock, chance, announce
        self._last_ticks = 0
        self._unanswered: dict[str, int] = {}  # id of a New referral -> ticks of its expiry

    # --- reading

    def find_referral(self, referral_id: str) -> StoredReferral:
        """Return any referral, whoever owns it. Raises ServiceError (404)."""
        referral = self.store.get(referral_id)
        if referral is None:
            raise not_found()
        return referral

    def find_party(self, engagement_id: str, organization_id: str) -> StoredReferral:
        """Return an organisation's referral in an engagement. Raises ServiceError (404)."""
        referral = self.store.referral_of(organization_id, engagement_id)
        if referral is None:
            raise not_found()
        return referral

    def is_ours(self, referral: StoredReferral) -> bool:
        """Return whether our organisation owns the referral."""
        return referral.owner_id == self.own_organization.id

    def concerns_us(self, referral: StoredReferral) -> bool:
        """Return whether our organisation is a party of the engagement. Only then may it see the referral."""
        return self.store.is_party(self.own_organization.id, referral.engagement_id)

    def next_guid(self) -> str:
        """Return the next random id."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def next_ticks(self) -> int:
        """Return the present time in ticks. Two changes in one millisecond get different times, in their order."""
        ticks = timestamps.to_ticks(self._clock.now()) + self._chance.randrange(10)
        if ticks <= self._last_ticks < ticks + _MILLISECOND:
            ticks = self._last_ticks + 1
        self._last_ticks = ticks
        return ticks

    # --- calls of our own organisation

    def create_own(self, body: object, *, via: str | None = None) -> StoredReferral:
        """Create our own referral, or Microsoft's referral in one of our engagements. Raises ServiceError."""
        record = create.draft_referral(body, self.switches)
        help_request.check_sender(record, self.own_organization.id)
        record["createdVia"] = via
        if create.targets_a_partner(record):
            raise not_emulated("Inviting another partner")
        properties = {name.lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
        engagement = properties.get("engagementid")
        if engagement is not None:
            return self._join_engagement(record, engagement)
        invites = self.switches.single_create_invites and help_request.targets_microsoft(record)
        if invites:
            help_request.check_request_to_microsoft(record, self.switches)
        referral = self.add_self_made(record, self.own_organization)
        if invites:
            self.add_invited(record, referral)
        return referral

    def _join_engagement(self, record: Json, engagement: object) -> StoredReferral:
        """Add the second referral of an engagement. Source: docs/reference/partner-center.md#co-sell-in-two-creates."""
        referrals = self.store.referrals_in(engagement) if isinstance(engagement, str) else []
        own = next((referral for referral in referrals if self.is_ours(referral)), None)
        if own is None:
            raise invalid_request("The engagement is not known.", target="engagementId")
        if not help_request.targets_microsoft(record):
            raise invalid_request("You are a party of this engagement already.", target="engagementId")
        help_request.check_request_to_microsoft(record, self.switches)
        help_request.check_engagement(record, own, referrals)
        return self.add_invited(record, own)

    def patch_own(self, referral_id: str, operations: object, *, switches: Switches | None = None) -> StoredReferral:
        """Change our own referral by a JSON Patch. Raises ServiceError."""
        referral = self.find_referral(referral_id)
        self.check_owner(referral)
        return self.replace_record(referral, apply_patch(referral.record, operations, switches or self.switches))

    def check_owner(self, referral: StoredReferral) -> None:
        """Raise ServiceError (403) if another organisation owns the referral."""
        if not self.is_ours(referral):
            raise access_denied("Only the owner of a referral can change it.")

    # --- changes by any party

    def add_self_made(self, record: Json, owner: Organization) -> StoredReferral:
        """Add a referral that its owner made. It begins as Active/Accepted.

        Source: docs/reference/partner-center.md#creating-a-referral
        """
        now = self.next_ticks()
        record["status"], record["substatus"] = "Active", "Accepted"
        record["direction"] = self.switches.self_made_direction
        record["acceptedDateTime"] = timestamps.format_ticks(now)
        record["engagementId"] = self.next_guid()
        record["inviteContext"]["invitedBy"] = {"organizationId": owner.id, "organizationName": owner.name}
        return self._insert(record, owner, now)

    def add_invited(self, record: Json, host: StoredReferral, guest: Organization | None = None) -> StoredReferral:
        """Add the guest's referral (Microsoft's by default) to the host's engagement: New/Pending for 14 days."""
        now, guest = self.next_ticks(), guest or self.microsoft
        record = copy.deepcopy(record)
        record["engagementId"] = host.engagement_id
        record["direction"] = "Incoming"
        record["status"], record["substatus"] = "New", "Pending"
        record["acceptedDateTime"] = None
        record["inviteContext"]["invitedBy"] = {
            "organizationId": host.owner_id,
            "organizationName": host.record["organizationName"],
        }
        expiry = now + DAYS_TO_ANSWER * timestamps.DAY
        record["expirationDateTime"] = timestamps.format_ticks(expiry)
        referral = self._insert(record, guest, now)
        self._unanswered[referral.id] = expiry
        return referral

    def add_lead(self, record: Json, sender: Organization | None) -> StoredReferral:
        """Add a lead of ours, New/Received, in an engagement of its own."""
        record["status"], record["substatus"], record["direction"] = "New", "Received", "Incoming"
        record["engagementId"] = self.next_guid()
        invited_by = {"organizationId": sender and sender.id, "organizationName": sender and sender.name}
        record["inviteContext"]["invitedBy"] = invited_by
        return self._insert(record, self.own_organization, self.next_ticks())

    def replace_record(self, referral: StoredReferral, record: Json) -> StoredReferral:
        """Store a changed record of a referral with a new date and eTag, and announce the change."""
        now = self.next_ticks()
        if record["status"] != referral.record["status"]:
            self._set_status_dates(record, now)
        if record["status"] != "New":
            self._unanswered.pop(referral.id, None)
        former = former_version(referral, now, self.switches)
        changed = StoredReferral(self._with_etag_and_date(record, now), referral.created, now, referral.listed, former)
        self.store.put(changed)
        self._announce_change(changed, "updated", now)
        return changed

    def expire_unanswered(self) -> None:
        """Close the New referrals whose 14 days are over."""
        if not self._unanswered or timestamps.to_ticks(self._clock.now()) < min(self._unanswered.values()):
            return
        now = timestamps.to_ticks(self._clock.now())
        for referral_id in [i for i, expiry in self._unanswered.items() if expiry <= now]:
            self.expire(self.find_referral(referral_id))

    def expire(self, referral: StoredReferral) -> StoredReferral:
        """Close a referral that nobody answered, as the service does after 14 days."""
        return self.replace_record(referral, {**referral.record, "status": "Closed", "substatus": "Expired"})

    def write_raw(
        self, referral_id: str, values: Mapping[str, Any], removed_paths: list[str], *, touch: bool
    ) -> StoredReferral:
        """Set and remove values by JSON pointer without any rule, for cases that no documentation describes.

        With `touch` it counts as a change: new eTag and date, and an event. Without, nothing shows the change.
        """
        referral = self.find_referral(referral_id)
        record = copy.deepcopy(referral.record)
        for path, value in values.items():
            holder, name = _find_holder(record, path)
            holder[name] = value
        for path in removed_paths:
            holder, name = _find_holder(record, path)
            holder.pop(name, None)
        if touch:
            return self.replace_record(referral, record)
        changed = StoredReferral(record, referral.created, referral.updated, referral.listed)
        self.store.put(changed)
        return changed

    # --- shared steps

    def _insert(self, record: Json, owner: Organization, now: int) -> StoredReferral:
        record["id"] = self.next_guid()
        record["organizationId"], record["organizationName"] = owner.id, owner.name
        record["createdDateTime"] = timestamps.format_ticks(now)
        record["mpnId"] = record["mpnId"] or owner.location or None
        record["inviteContext"]["invitedMpnId"] = record["mpnId"]
        set_links(record)
        lag = self.switches.list_lag
        if owner.id != self.own_organization.id:
            lag = max(lag, self.switches.related_list_lag)
        listed = now + int(lag * timestamps.SECOND)
        referral = StoredReferral(self._with_etag_and_date(record, now), now, now, listed)
        self.store.put(referral)
        self._announce_change(referral, "created", now)
        return referral

    def _with_etag_and_date(self, record: Json, now: int) -> Json:
        tag = f"{self._chance.getrandbits(32):08x}-0000-0100-0000-{now // timestamps.SECOND:08x}0000"
        return {**record, "updatedDateTime": timestamps.format_ticks(now), "eTag": f'"{tag}"'}

    def _set_status_dates(self, record: Json, now: int) -> None:
        if record["status"] == "Active":
            record["acceptedDateTime"] = timestamps.format_ticks(now)
        if record["status"] == "Closed":
            record["closedDateTime"] = timestamps.format_ticks(now)

    def _announce_change(self, referral: StoredReferral, what: str, now: int) -> None:
        """Announce `referral-*` for our own referral, `related-referral-*` for another one in our engagement.

        Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record
        """
        if self.is_ours(referral):
            self._announce(f"referral-{what}", referral.id, now)
        elif self.concerns_us(referral):
            own = self.store.referral_of(self.own_organization.id, referral.engagement_id)
            named = own if own and self.switches.related_event_names == "ours" else referral
            self._announce(f"related-referral-{what}", named.id, now)


def _find_holder(record: Json, path: str) -> tuple[Json, str]:
    """Return the object that holds the property at a JSON pointer, and the property's name. Raises ServiceError."""
    *parents, last = path.removeprefix("/").split("/")
    holder: Any = record
    for part in parents:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        raise ServiceError(400, "invalidRequest", f"The referral has no place '{path}'.")
    return holder, last
