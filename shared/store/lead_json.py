"""Turn what a pointer knows of the Lead of its referral into plain JSON and back (docs/protocol.md#leads)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from shared.domain.leads import KnownLead


class LeadRow(Struct):
    """The stored shape of a known lead. A build that does not know the key keeps it, or deletes an unused pointer."""

    record_id: str
    etag: str
    status: str = ""
    written: dict[str, str] = {}


def lead_to_json(lead: KnownLead | None) -> Mapping[str, Any]:
    """Return the key of a pointer for its lead; none where there is no lead."""
    if lead is None:
        return {}
    known = {"record_id": lead.record_id, "etag": lead.etag, "status": lead.status, "written": dict(lead.written)}
    return {"lead": {**lead.unknown, **known}}


def lead_from(row: LeadRow | None, stored: Mapping[str, Any]) -> KnownLead | None:
    """Return the lead of a pointer that was read; `stored` is the pointer as it is stored."""
    if row is None:
        return None
    unknown = {key: value for key, value in stored["lead"].items() if key not in row.__struct_fields__}
    return KnownLead(row.record_id, row.etag, row.status, row.written, unknown)
