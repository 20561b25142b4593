"""Turn what a link keeps of the records of other parties into plain JSON and back (docs/protocol.md#rows)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.link import Link
from shared.domain.microsoft_record import HeardPartner, HeardRecord

LATER = ("ours", "lacking")
"""Keys that a row has only where there is something to say."""


class RecordRow(Struct):
    """The stored shape of what was heard of Microsoft's record."""

    id: str
    etag: str
    updated: datetime | None
    status: str | None
    raw: str
    parts: dict[str, str]
    echo: str | None
    is_shown: bool
    ours: list[str] = []
    lacking: list[str] = []


class PartnerRow(Struct, array_like=True):
    """The stored shape of what was heard of another partner's record."""

    etag: str
    status: str
    updated: datetime | None


def news_to_json(link: Link) -> Mapping[str, Any]:
    """Return the keys of a link for the records of other parties; none for a deal without such records."""
    partners = {key: [one.etag, one.status, _time(one.updated)] for key, one in link.partners.items()}
    record = {} if link.microsoft is None else {"microsoft": _record_to_json(link.microsoft)}
    return {**record, **({"partners": partners} if partners else {})}


def _record_to_json(heard: HeardRecord) -> Mapping[str, Any]:
    known = {name: getattr(heard, name) for name in RecordRow.__struct_fields__}
    later = {name: list(texts) for name in LATER if (texts := known.pop(name))}
    return {**heard.unknown, **known, "updated": _time(heard.updated), "parts": dict(heard.parts), **later}


def record_from(row: RecordRow, stored: Mapping[str, Any]) -> HeardRecord:
    """Return what was heard of Microsoft's record, with the keys that a later build stored."""
    known = {name: getattr(row, name) for name in RecordRow.__struct_fields__}
    known |= {name: tuple(known[name]) for name in LATER}
    return HeardRecord(**known, unknown={key: stored[key] for key in stored.keys() - known.keys()})


def partners_from(rows: Mapping[str, PartnerRow]) -> dict[str, HeardPartner]:
    """Return what was heard of the records of other partners, by referral id."""
    return {key: HeardPartner(row.etag, row.status, row.updated) for key, row in rows.items()}


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
