"""Decides what a deal takes from the records of other parties: what is shown, and what the audit says. Pure.

Source: docs/protocol.md#news-from-microsoft.
"""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import UTC, datetime

from shared.domain.audit import Line
from shared.domain.deal import Deal, Person, Side
from shared.domain.link import Link
from shared.domain.microsoft_record import (
    ACCEPTED,
    ASKED,
    HeardPartner,
    HeardRecord,
    MicrosoftRecord,
    News,
    PartnerRecord,
    is_older,
    notes_mark,
)
from shared.domain.sentences import LineDirection
from shared.domain.transitions import Transition

TEAM, NOTES = "team", "notes"
"""The fields of our own sellers and notes, by their names in the mapping file."""
NO_STATUS = "none"
"""How a record without a status is named."""


def heard(link: Link, record: MicrosoftRecord, opportunity: Deal, now: datetime) -> Transition:
    """Take what Microsoft's record says. The same again, or an older state, changes nothing.

    The lines say what is new. Names and notes are shown, and neither stored nor named in a line.
    """
    if not is_news(link.microsoft, record):
        return Transition(link)
    known = link.microsoft if link.microsoft and link.microsoft.id == record.id else HeardRecord(record.id)
    echo = notes_mark(record.notes) if _repeats_ours(record) else known.echo
    news, raw = news_of(record, replace(known, echo=echo), link.base, opportunity), _raw(record)
    changed = {name: mark for name, mark in news.marks.items() if known.parts.get(name, _EMPTY) != mark}
    lines = tuple(_lines(record, news, known, changed, raw, now))
    heard_record = replace(
        known,
        etag=record.etag,
        updated=record.updated or known.updated,
        status=news.microsoft_status or known.status,
        raw=raw,
        parts={**known.parts, **news.marks},
        echo=echo,
        is_shown=not changed and (known.is_shown or not known.raw),
    )
    return Transition(replace(link, microsoft=heard_record, unwritten=link.unwritten or bool(lines)), lines)


def is_news(known: HeardRecord | None, record: MicrosoftRecord) -> bool:
    """Whether a record says more than what is known of it, or what the opportunity shows of it."""
    if known is None:
        return True
    if is_older(record.updated, known.updated):
        return False
    return (known.id, known.etag) != (record.id, record.etag) or not known.is_shown


def look_again(link: Link, record_id: str) -> Link:
    """The link of a pair that shows nothing now: Microsoft's record is read again at the next look."""
    known = link.microsoft or HeardRecord(record_id)
    return replace(link, microsoft=replace(known, etag="", is_shown=False))


def shown(link: Link) -> Link:
    """The link of an opportunity that shows what was heard of Microsoft."""
    return replace(link, microsoft=replace(link.microsoft, is_shown=True)) if link.microsoft else link


_EMPTY = News(microsoft_notes="").marks["microsoft_notes"]
"""The fingerprint of a part that is empty."""


# --- what is shown


def news_of(record: MicrosoftRecord, known: HeardRecord, base: Deal, opportunity: Deal) -> News:
    """What the opportunity shows. What the record does not say stays; the CRM identifier never goes away."""
    status = record.shown_status
    sellers = None if record.team is None else "; ".join(_names(record.team, base, opportunity))
    return News(status, record.msx_id, sellers, _notes(record, known, base, opportunity), _answer_by(record, status))


def _names(team: tuple[Person, ...], *ours: Deal) -> Iterator[str]:
    """The names of Microsoft's people: the record may also name our own sellers, who came with the request."""
    teams = (members for deal in ours if isinstance(members := deal.get(TEAM), tuple))
    own = {_address(member) for members in teams for member in members if isinstance(member, Person)}
    return (str(member) or str(member.email) for member in team if _address(member) not in own - {""})


def _address(person: Person) -> str:
    return (person.email or "").casefold()


def _notes(record: MicrosoftRecord, known: HeardRecord, *ours: Deal) -> str | None:
    """Microsoft's notes; none of them where the record only repeats ours."""
    if record.notes is None:
        return None
    own = {known.echo, notes_mark(record.request_notes), *(notes_mark(str(deal.get(NOTES) or "")) for deal in ours)}
    return "" if notes_mark(record.notes) in own else record.notes


def _repeats_ours(record: MicrosoftRecord) -> bool:
    """Whether the notes of a record that nobody has answered can only be ours: they came with the request."""
    return record.shown_status == ASKED and not record.is_sender


def _answer_by(record: MicrosoftRecord, status: str | None) -> str | None:
    if status is None:
        return None
    if status != ASKED or record.answer_by is None:
        return ""
    return record.answer_by.astimezone(UTC).isoformat(timespec="seconds")


# --- what the audit says


def _raw(record: MicrosoftRecord) -> str:
    return str(record.status) if record.status else NO_STATUS


def _lines(
    record: MicrosoftRecord, news: News, known: HeardRecord, changed: Mapping[str, str], raw: str, now: datetime
) -> Iterator[Line]:
    yield from _status_lines(record, news.microsoft_status, known, raw, now)
    for name, code in _PART_LINES.items():
        if name in changed and (text := news.parts[name]):
            values = {"value": text} if name == "microsoft_crm_identifier" else {}
            yield _line(now, code, name, values)


_PART_LINES: Mapping[str, str] = {
    "microsoft_crm_identifier": "microsoft_crm",
    "microsoft_seller": "microsoft_seller",
    "microsoft_notes": "microsoft_notes",
}


def _status_lines(
    record: MicrosoftRecord, status: str | None, known: HeardRecord, raw: str, now: datetime
) -> Iterator[Line]:
    """The line of a new status. That Microsoft was asked is told by the request; that it sent the deal is no news."""
    name = "microsoft_status"
    if status is None and raw != known.raw:
        yield _line(now, "microsoft_status_unknown", name, {"status": raw})
    elif status is None or status == known.status:
        return
    elif status == ACCEPTED and not (record.is_sender and known.status is None):
        yield _line(now, "microsoft_accepted", name)
    elif status == "Declined":
        yield _line(now, "microsoft_declined", name, {"reason": record.reason or "none was given"})
    elif status == "Expired":
        yield _line(now, "microsoft_expired", name)
    elif status in ("Won", "Lost", "Error"):
        yield _line(now, "microsoft_closed", name, {"status": status})


def _line(now: datetime, code: str, field: str, values: Mapping[str, str] | None = None) -> Line:
    return Line(now, code, LineDirection.FROM_PARTNER_CENTER, Side.SALESFORCE, field, values=values or {})


# --- another partner


def heard_partner(link: Link, record: PartnerRecord, now: datetime) -> Transition:
    """Take what another partner's record says: a line when it appears, and when its status changes."""
    known = link.partners.get(record.id)
    if known is not None and (known.etag == record.etag or is_older(record.updated, known.updated)):
        return Transition(link)
    values, lines = {"partner": record.name, "status": record.status}, tuple[Line, ...]()
    if known is None or known.status != record.status:
        code = "partner_takes_part" if known is None else "partner_status"
        lines = (Line(now, code, LineDirection.NOTE, Side.PARTNER_CENTER, values=values),)
    partners = {**link.partners, record.id: HeardPartner(record.etag, record.status, record.updated)}
    return Transition(replace(link, partners=partners, unwritten=link.unwritten or bool(lines)), lines)
