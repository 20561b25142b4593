"""The referrals service without HTTP: who owns what, what a change does, and whom it is told."""

import copy
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.emulator import EmulatedClock
from emulators.partner_center import create, timestamps
from emulators.partner_center.json_patch import patched
from emulators.partner_center.referral_shape import MICROSOFT, Json, link, visible
from emulators.partner_center.referral_store import Book, Row
from emulators.partner_center.service_errors import ServiceError, denied, invalid, not_emulated, not_found
from emulators.partner_center.switches import Switches

DAYS_TO_ANSWER = 14
_MILLISECOND = 10_000

type Herald = Callable[[str, str, int], None]  # event name, referral id, ticks of the change


@dataclass(frozen=True, slots=True)
class Organization:
    """An owner of referrals."""

    id: str
    name: str
    location: str  # its mpnId


class Referrals:
    """All referrals, under the rules of the service; `herald` hears of the changes that concern `ours`."""

    def __init__(
        self, ours: Organization, *, clock: EmulatedClock, chance: random.Random, switches: Switches, herald: Herald
    ) -> None:
        """Empty."""
        self.ours = ours
        self.microsoft = Organization(MICROSOFT, "Microsoft", "")
        self.switches = switches
        self.book = Book()
        self._clock, self._chance, self._herald = clock, chance, herald
        self._last = 0
        self._unanswered: dict[str, int] = {}  # id of a New referral -> ticks of its expiry

    # --- reading

    def row(self, referral_id: str) -> Row:
        """Any referral, whoever owns it. Raises ServiceError (404)."""
        found = self.book.get(referral_id)
        if found is None:
            raise not_found()
        return found

    def concerns_us(self, row: Row) -> bool:
        """Whether our organisation is a party of the engagement, and so may see it."""
        return self.book.is_party(self.ours.id, row.engagement)

    def guid(self) -> str:
        """The next id of the seed."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def now(self) -> int:
        """Ticks; two changes within a millisecond still differ and keep their order."""
        ticks = timestamps.of(self._clock.now()) + self._chance.randrange(10)
        if ticks <= self._last < ticks + _MILLISECOND:
            ticks = self._last + 1
        self._last = ticks
        return ticks

    # --- our own calls

    def create(self, body: object, *, via: str | None = None) -> Row:
        """A create by our own organisation: ours, or Microsoft's in an engagement of ours. Raises ServiceError."""
        record = create.drafted(body, self.switches)
        record["createdVia"] = via
        if create.targets_a_partner(record):
            raise not_emulated("Inviting another partner")
        wanted = {name.lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
        engagement = wanted.get("engagementid")
        if engagement is not None:
            return self._joined(record, engagement)
        row = self.found(record, self.ours)
        if self.switches.single_create_invites and create.targets_microsoft(record):
            self.invited(record, row)
        return row

    def _joined(self, record: Json, engagement: object) -> Row:
        rows = self.book.engagement(engagement) if isinstance(engagement, str) else []
        own = next((row for row in rows if row.owner == self.ours.id), None)
        if own is None:
            raise invalid("The engagement is not known.", target="engagementId")
        if not create.targets_microsoft(record):
            return self.found(record, self.ours, engagement=own.engagement)
        if not (visible(record) and visible(own.record)):
            raise invalid("Microsoft can only be invited to a deal that it may see.", target="consent")
        return self.invited(record, own)

    def patch(self, referral_id: str, operations: object, *, switches: Switches | None = None) -> Row:
        """A change of our own referral. Raises ServiceError."""
        row = self.row(referral_id)
        if row.owner != self.ours.id:
            raise denied("Only the owner of a referral can change it.")
        return self.changed(row, patched(row.record, operations, switches or self.switches))

    # --- what any party does

    def found(self, record: Json, owner: Organization, *, engagement: str | None = None) -> Row:
        """A self-made referral: it starts as Active/Accepted (5.1)."""
        now = self.now()
        record["status"], record["substatus"] = "Active", "Accepted"
        record["direction"] = self.switches.self_made_direction
        record["acceptedDateTime"] = timestamps.text(now)
        record["engagementId"] = engagement or self.guid()
        record["inviteContext"]["invitedBy"] = {"organizationId": owner.id, "organizationName": owner.name}
        return self._inserted(record, owner, now)

    def invited(self, record: Json, host: Row, guest: Organization | None = None) -> Row:
        """The guest's referral in the host's engagement (Microsoft's by default): New/Pending for 14 days."""
        now, guest = self.now(), guest or self.microsoft
        record = copy.deepcopy(record)
        record["engagementId"] = host.engagement
        record["direction"] = "Incoming"
        record["status"], record["substatus"] = "New", "Pending"
        record["acceptedDateTime"] = None
        record["inviteContext"]["invitedBy"] = {
            "organizationId": host.owner,
            "organizationName": host.record["organizationName"],
        }
        expiry = now + DAYS_TO_ANSWER * timestamps.DAY
        record["expirationDateTime"] = timestamps.text(expiry)
        row = self._inserted(record, guest, now)
        self._unanswered[row.id] = expiry
        return row

    def changed(self, row: Row, record: Json) -> Row:
        """Put a changed record in the place of `row`: dates, eTag, event."""
        now = self.now()
        if record["status"] != row.record["status"]:
            self._status_dates(record, now)
        if record["status"] != "New":
            self._unanswered.pop(row.id, None)
        stamped = self._stamped(record, now)
        result = Row(stamped, row.created, now, row.listed)
        self.book.put(result)
        self._tell(result, "updated", now)
        return result

    def expire(self) -> None:
        """Close what nobody answered in time."""
        if not self._unanswered or timestamps.of(self._clock.now()) < min(self._unanswered.values()):
            return
        now = timestamps.of(self._clock.now())
        for referral_id in [i for i, expiry in self._unanswered.items() if expiry <= now]:
            row = self.row(referral_id)
            self.changed(row, {**row.record, "status": "Closed", "substatus": "Expired"})

    def written_raw(self, referral_id: str, wanted: Mapping[str, Any], unwanted: list[str], *, touch: bool) -> Row:
        """Set and remove values by JSON pointer without any rule: what no documentation foresees.

        With `touch` it counts as a change (eTag, date, event); without, it happens in silence.
        """
        row = self.row(referral_id)
        record = copy.deepcopy(row.record)
        for path, value in wanted.items():
            holder, name = _holder(record, path)
            holder[name] = value
        for path in unwanted:
            holder, name = _holder(record, path)
            holder.pop(name, None)
        if touch:
            return self.changed(row, record)
        result = Row(record, row.created, row.updated, row.listed)
        self.book.put(result)
        return result

    # --- the common ground

    def _inserted(self, record: Json, owner: Organization, now: int) -> Row:
        record["id"] = self.guid()
        record["organizationId"], record["organizationName"] = owner.id, owner.name
        record["createdDateTime"] = timestamps.text(now)
        record["mpnId"] = record["mpnId"] or owner.location or None
        record["inviteContext"]["invitedMpnId"] = record["mpnId"]
        link(record)
        listed = now + int(self.switches.list_lag * timestamps.SECOND)
        row = Row(self._stamped(record, now), now, now, listed)
        self.book.put(row)
        self._tell(row, "created", now)
        return row

    def _stamped(self, record: Json, now: int) -> Json:
        tag = f"{self._chance.getrandbits(32):08x}-0000-0100-0000-{now // timestamps.SECOND:08x}0000"
        return {**record, "updatedDateTime": timestamps.text(now), "eTag": f'"{tag}"'}

    def _status_dates(self, record: Json, now: int) -> None:
        if record["status"] == "Active":
            record["acceptedDateTime"] = timestamps.text(now)
        if record["status"] == "Closed":
            record["closedDateTime"] = timestamps.text(now)

    def _tell(self, row: Row, what: str, now: int) -> None:
        """The owner hears of `referral-*`, the other parties of `related-referral-*` (section 7)."""
        if row.owner == self.ours.id:
            self._herald(f"referral-{what}", row.id, now)
        elif self.concerns_us(row):
            own = next((r for r in self.book.engagement(row.engagement) if r.owner == self.ours.id), row)
            named = own if self.switches.related_event_names == "ours" else row
            self._herald(f"related-referral-{what}", named.id, now)


def _holder(record: Json, path: str) -> tuple[Json, str]:
    *way, last = path.removeprefix("/").split("/")
    here: Any = record
    for part in way:
        here = here.get(part) if isinstance(here, dict) else None
    if not isinstance(here, dict):
        raise ServiceError(400, "invalidRequest", f"There is no place '{path}'.")
    return here, last
