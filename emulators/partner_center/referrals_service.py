"""The referrals service without HTTP: who owns what, what a change does, and whom it is told."""

import copy
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.clock import EmulatedClock
from emulators.partner_center import create, timestamps
from emulators.partner_center.json_patch import apply_patch
from emulators.partner_center.referral_shape import MICROSOFT, Json, is_visible_to_microsoft, set_links
from emulators.partner_center.referral_store import ReferralStore, StoredReferral
from emulators.partner_center.service_errors import (
    ServiceError,
    access_denied,
    invalid_request,
    not_emulated,
    not_found,
)
from emulators.partner_center.switches import Switches

DAYS_TO_ANSWER = 14
_MILLISECOND = 10_000

type Announce = Callable[[str, str, int], None]  # event name, referral id, ticks of the change


@dataclass(frozen=True, slots=True)
class Organization:
    """An owner of referrals."""

    id: str
    name: str
    location: str  # its mpnId


class ReferralsService:
    """All referrals, under the rules of the service; `herald` hears of the changes that concern `ours`."""

    def __init__(
        self, ours: Organization, *, clock: EmulatedClock, chance: random.Random, switches: Switches, herald: Announce
    ) -> None:
        """Empty."""
        self.ours = ours
        self.microsoft = Organization(MICROSOFT, "Microsoft", "")
        self.switches = switches
        self.store = ReferralStore()
        self._clock, self._chance, self._herald = clock, chance, herald
        self._last = 0
        self._unanswered: dict[str, int] = {}  # id of a New referral -> ticks of its expiry

    # --- reading

    def find_referral(self, referral_id: str) -> StoredReferral:
        """Any referral, whoever owns it. Raises ServiceError (404)."""
        found = self.store.get(referral_id)
        if found is None:
            raise not_found()
        return found

    def concerns_us(self, row: StoredReferral) -> bool:
        """Whether our organisation is a party of the engagement, and so may see it."""
        return self.store.is_party(self.ours.id, row.engagement_id)

    def next_guid(self) -> str:
        """The next id of the seed."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def next_ticks(self) -> int:
        """Ticks; two changes within a millisecond still differ and keep their order."""
        ticks = timestamps.to_ticks(self._clock.now()) + self._chance.randrange(10)
        if ticks <= self._last < ticks + _MILLISECOND:
            ticks = self._last + 1
        self._last = ticks
        return ticks

    # --- our own calls

    def create_own(self, body: object, *, via: str | None = None) -> StoredReferral:
        """A create by our own organisation: ours, or Microsoft's in an engagement of ours. Raises ServiceError."""
        record = create.draft_referral(body, self.switches)
        record["createdVia"] = via
        if create.targets_a_partner(record):
            raise not_emulated("Inviting another partner")
        wanted = {name.lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
        engagement = wanted.get("engagementid")
        if engagement is not None:
            return self._join_engagement(record, engagement)
        row = self.add_self_made(record, self.ours)
        if self.switches.single_create_invites and create.targets_microsoft(record):
            self.add_invited(record, row)
        return row

    def _join_engagement(self, record: Json, engagement: object) -> StoredReferral:
        rows = self.store.referrals_in(engagement) if isinstance(engagement, str) else []
        own = next((row for row in rows if row.owner_id == self.ours.id), None)
        if own is None:
            raise invalid_request("The engagement is not known.", target="engagementId")
        if not create.targets_microsoft(record):
            return self.add_self_made(record, self.ours, engagement=own.engagement_id)
        if not (is_visible_to_microsoft(record) and is_visible_to_microsoft(own.record)):
            raise invalid_request("Microsoft can only be invited to a deal that it may see.", target="consent")
        return self.add_invited(record, own)

    def patch_own(self, referral_id: str, operations: object, *, switches: Switches | None = None) -> StoredReferral:
        """A change of our own referral. Raises ServiceError."""
        row = self.find_referral(referral_id)
        if row.owner_id != self.ours.id:
            raise access_denied("Only the owner of a referral can change it.")
        return self.replace_record(row, apply_patch(row.record, operations, switches or self.switches))

    # --- what any party does

    def add_self_made(self, record: Json, owner: Organization, *, engagement: str | None = None) -> StoredReferral:
        """A self-made referral: it starts as Active/Accepted (5.1)."""
        now = self.next_ticks()
        record["status"], record["substatus"] = "Active", "Accepted"
        record["direction"] = self.switches.self_made_direction
        record["acceptedDateTime"] = timestamps.format_ticks(now)
        record["engagementId"] = engagement or self.next_guid()
        record["inviteContext"]["invitedBy"] = {"organizationId": owner.id, "organizationName": owner.name}
        return self._insert(record, owner, now)

    def add_invited(self, record: Json, host: StoredReferral, guest: Organization | None = None) -> StoredReferral:
        """The guest's referral in the host's engagement (Microsoft's by default): New/Pending for 14 days."""
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
        row = self._insert(record, guest, now)
        self._unanswered[row.id] = expiry
        return row

    def replace_record(self, row: StoredReferral, record: Json) -> StoredReferral:
        """Put a changed record in the place of `row`: dates, eTag, event."""
        now = self.next_ticks()
        if record["status"] != row.record["status"]:
            self._set_status_dates(record, now)
        if record["status"] != "New":
            self._unanswered.pop(row.id, None)
        stamped = self._with_etag_and_date(record, now)
        result = StoredReferral(stamped, row.created, now, row.listed)
        self.store.put(result)
        self._announce_change(result, "updated", now)
        return result

    def expire_unanswered(self) -> None:
        """Close what nobody answered in time."""
        if not self._unanswered or timestamps.to_ticks(self._clock.now()) < min(self._unanswered.values()):
            return
        now = timestamps.to_ticks(self._clock.now())
        for referral_id in [i for i, expiry in self._unanswered.items() if expiry <= now]:
            row = self.find_referral(referral_id)
            self.replace_record(row, {**row.record, "status": "Closed", "substatus": "Expired"})

    def write_raw(
        self, referral_id: str, wanted: Mapping[str, Any], unwanted: list[str], *, touch: bool
    ) -> StoredReferral:
        """Set and remove values by JSON pointer without any rule: what no documentation foresees.

        With `touch` it counts as a change (eTag, date, event); without, it happens in silence.
        """
        row = self.find_referral(referral_id)
        record = copy.deepcopy(row.record)
        for path, value in wanted.items():
            holder, name = _find_holder(record, path)
            holder[name] = value
        for path in unwanted:
            holder, name = _find_holder(record, path)
            holder.pop(name, None)
        if touch:
            return self.replace_record(row, record)
        result = StoredReferral(record, row.created, row.updated, row.listed)
        self.store.put(result)
        return result

    # --- the common ground

    def _insert(self, record: Json, owner: Organization, now: int) -> StoredReferral:
        record["id"] = self.next_guid()
        record["organizationId"], record["organizationName"] = owner.id, owner.name
        record["createdDateTime"] = timestamps.format_ticks(now)
        record["mpnId"] = record["mpnId"] or owner.location or None
        record["inviteContext"]["invitedMpnId"] = record["mpnId"]
        set_links(record)
        listed = now + int(self.switches.list_lag * timestamps.SECOND)
        row = StoredReferral(self._with_etag_and_date(record, now), now, now, listed)
        self.store.put(row)
        self._announce_change(row, "created", now)
        return row

    def _with_etag_and_date(self, record: Json, now: int) -> Json:
        tag = f"{self._chance.getrandbits(32):08x}-0000-0100-0000-{now // timestamps.SECOND:08x}0000"
        return {**record, "updatedDateTime": timestamps.format_ticks(now), "eTag": f'"{tag}"'}

    def _set_status_dates(self, record: Json, now: int) -> None:
        if record["status"] == "Active":
            record["acceptedDateTime"] = timestamps.format_ticks(now)
        if record["status"] == "Closed":
            record["closedDateTime"] = timestamps.format_ticks(now)

    def _announce_change(self, row: StoredReferral, what: str, now: int) -> None:
        """The owner hears of `referral-*`, the other parties of `related-referral-*` (section 7)."""
        if row.owner_id == self.ours.id:
            self._herald(f"referral-{what}", row.id, now)
        elif self.concerns_us(row):
            own = next((r for r in self.store.referrals_in(row.engagement_id) if r.owner_id == self.ours.id), row)
            named = own if self.switches.related_event_names == "ours" else row
            self._herald(f"related-referral-{what}", named.id, now)


def _find_holder(record: Json, path: str) -> tuple[Json, str]:
    *way, last = path.removeprefix("/").split("/")
    here: Any = record
    for part in way:
        here = here.get(part) if isinstance(here, dict) else None
    if not isinstance(here, dict):
        raise ServiceError(400, "invalidRequest", f"There is no place '{path}'.")
    return here, last
