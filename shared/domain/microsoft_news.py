"""Decides what a deal takes from the records of other parties: what is shown, and what the audit says. Pure.

Source: docs/protocol.md#news-from-microsoft.
"""

from collections.abc import Collection, Iterator, Mapping
from copy import replace
from datetime import UTC, datetime

from shared.domain.audit import Line
from shared.domain.deal import TEAM, Deal, Person, Side, fingerprint
from shared.domain.left_members import left_key
from shared.domain.link import Link
from shared.domain.microsoft_record import (
    ACCEPTED,
    ASKED,
    HeardPartner,
    HeardRecord,
    MicrosoftRecord,
    News,
    PartnerRecord,
    address_mark,
    is_older,
    notes_mark,
)
from shared.domain.sentences import LineDirection
from shared.domain.transitions import Transition

NOTES = "notes"
"""The field of our own notes, by its name in the mapping file."""
CRM, SELLER = "microsoft_crm_identifier", "microsoft_seller"
"""The keys of the columns of the CRM identifier and of Microsoft's sellers."""
NO_STATUS = "none"
"""How a record without a status is named."""


class Hearing(Transition, frozen=True):
    """What becomes of a link that hears a record; `texts` are to be shown, by the keys of their columns."""

    texts: Mapping[str, str] = {}


def heard(link: Link, record: MicrosoftRecord, opportunity: Deal, now: datetime) -> Hearing:
    """Take what Microsoft's record says. The same again, or an older state, changes nothing.

    The lines say what is new. Names and notes are shown, and neither stored nor named in a line.
    """
    if not is_news(link.microsoft, record):
        return Hearing(link)
    known = link.microsoft if link.microsoft and link.microsoft.id in ("", record.id) else HeardRecord(record.id)
    echo = notes_mark(record.notes) if _repeats_ours(record) and not known.raw else known.echo
    known = replace(known, echo=echo, ours=known.ours if record.ours is None else record.ours)
    news, raw = news_of(record, known, link.base, opportunity), _raw(record)
    changed = {name: mark for name, mark in news.marks.items() if known.parts.get(name, _EMPTY) != mark}
    lines = tuple(_lines(record, news, known, changed, raw, now))
    heard_record = replace(
        known,
        id=record.id,
        etag=record.etag,
        updated=record.updated or known.updated,
        status=news.microsoft_status or known.status,
        raw=raw,
        parts={**known.parts, **news.marks},
        is_shown=not changed and (known.is_shown or not known.raw),
    )
    next_link = replace(link, microsoft=heard_record, unwritten=link.unwritten or bool(lines))
    return Hearing(next_link, lines, {} if heard_record.is_shown else news.parts)


def heard_on_ours(link: Link, msx_id: str, now: datetime, texts: Mapping[str, str] | None = None) -> Hearing:
    """Take the CRM identifier of our own record, unless it is shown or the other news must be read first.

    `texts` are what the coming write shows anyway.
    """
    has_news = not (texts or {}).keys().isdisjoint(News.__struct_fields__)
    known, mark = link.microsoft or HeardRecord(""), News(microsoft_crm_identifier=msx_id).marks
    is_told = mark.items() <= known.parts.items()
    if (is_told and known.is_shown) or (known.id and not known.is_shown and not has_news):
        return Hearing(link)
    lines = () if is_told else (_line(now, _PART_LINES[CRM], CRM, {"value": msx_id}),)
    heard_record = replace(known, parts={**known.parts, **mark}, is_shown=False)
    return Hearing(replace(link, microsoft=heard_record, unwritten=link.unwritten or bool(lines)), lines, {CRM: msx_id})


def needs_ours(link: Link, record: MicrosoftRecord, opportunity: Deal) -> bool:
    """Whether our own record must be read, because Microsoft's alone does not tell what is to be shown.

    The CRM identifier may stand in ours: Microsoft has answered without one, or the one that is known is not shown. And
    of a deal that arrived, or whose team has people whom Salesforce lacks, only our own record says which people of a
    team are ours.
    """
    known = link.microsoft or HeardRecord("")
    is_answer = record.shown_status not in (None, ASKED) and not record.is_sender
    lacks_crm = not known.is_shown if CRM in known.parts else is_answer
    named = _sellers(record.team or (), known, link.base, opportunity)
    shown_seller = known.parts.get(SELLER, _EMPTY)
    is_mixed = _may_have_more_people(link, record) and fingerprint(named) != shown_seller
    return (record.msx_id is None and lacks_crm) or (is_mixed and record.ours is None)


def _may_have_more_people(link: Link, record: MicrosoftRecord) -> bool:
    """Whether our own record may have people of ours whom Salesforce does not have."""
    left = left_key(Side.SALESFORCE, TEAM)
    is_left = left in link.refused or any(key.startswith(left) for key in link.reported)
    return record.is_sender or TEAM not in link.base or is_left


def is_news(known: HeardRecord | None, record: MicrosoftRecord) -> bool:
    """Whether a record says more than what is known of it, or what the opportunity shows of it."""
    if known is None:
        return True
    if is_older(record.updated, known.updated):
        return False
    return (known.id, known.etag) != (record.id, record.etag) or not known.is_shown


def is_news_for(link: Link, record: MicrosoftRecord | PartnerRecord) -> bool:
    """Whether a record says more than what the link has heard."""
    if isinstance(record, MicrosoftRecord):
        return is_news(link.microsoft, record)
    known = link.partners.get(record.id)
    return known is None or not (known.etag == record.etag or is_older(record.updated, known.updated))


def has_heard(link: Link, referral_id: str, etag: str) -> bool:
    """Whether the link has heard this version of another party's record."""
    known, partner = link.microsoft, link.partners.get(referral_id)
    if known is not None and known.id == referral_id:
        return known.etag == etag and known.is_shown
    return partner is not None and partner.etag == etag


def look_again(link: Link, record: MicrosoftRecord | PartnerRecord) -> Link:
    """The link of a pair that shows nothing now: the record is read again once it does."""
    if isinstance(record, PartnerRecord):
        known = link.partners.get(record.id) or HeardPartner("", "")
        return replace(link, partners={**link.partners, record.id: replace(known, etag="")})
    heard_record = link.microsoft or HeardRecord(record.id)
    return replace(link, microsoft=replace(heard_record, etag="", is_shown=False))


def needs_look(link: Link) -> bool:
    """Whether the opportunity lacks what was heard, so that the records must be read again."""
    lacks_news = link.microsoft is not None and not link.microsoft.is_shown
    return lacks_news or any(not partner.etag for partner in link.partners.values())


def shown(link: Link, texts: Collection[str] = (), columns: Collection[str] = ()) -> Link:
    """The link of an opportunity that shows what was heard of Microsoft: `texts`, as far as the org has `columns`."""
    if (known := link.microsoft) is None:
        return link
    news = {*texts} & {*News.__struct_fields__}
    lacking = ({*known.lacking} - news) | (news - {*columns})
    return replace(link, microsoft=replace(known, is_shown=True, lacking=tuple(sorted(lacking))))


def not_shown(link: Link) -> Link:
    """The link of an opportunity that could not take what was heard: the record is read again."""
    return replace(link, microsoft=replace(link.microsoft, is_shown=False)) if link.microsoft else link


def with_columns(link: Link, columns: Collection[str]) -> Link:
    """The link of a pair whose org may have a column that it lacked: then what was heard is to be shown again."""
    known = link.microsoft
    is_complete = known is None or {*known.lacking}.isdisjoint(columns)
    return link if known is None or is_complete else replace(link, microsoft=replace(known, is_shown=False))


_EMPTY = fingerprint("")
"""The fingerprint of a part that is empty."""
_NO_ADDRESS = address_mark(Person("", ""))
"""The fingerprint of a person without an address."""


# --- what is shown


def news_of(record: MicrosoftRecord, known: HeardRecord, base: Deal, opportunity: Deal) -> News:
    """What the opportunity shows. What the record does not say stays; the CRM identifier never goes away."""
    status = record.shown_status
    sellers = None if record.team is None else _sellers(record.team, known, base, opportunity)
    return News(status, record.msx_id, sellers, _notes(record, known, base, opportunity), _answer_by(record, status))


def _sellers(team: tuple[Person, ...], known: HeardRecord, *deals: Deal) -> str:
    """The names of Microsoft's people: the record may also name our own sellers, who came with the request."""
    teams = (members for deal in deals if isinstance(members := deal.get(TEAM), tuple))
    ours = {address_mark(member) for members in teams for member in members if isinstance(member, Person)}
    ours = ({*known.ours} | ours) - {_NO_ADDRESS}
    return "; ".join(str(member) or str(member.email) for member in team if address_mark(member) not in ours)


def _notes(record: MicrosoftRecord, known: HeardRecord, *ours: Deal) -> str | None:
    """Microsoft's notes; none of them where the record only repeats ours."""
    if record.notes is None:
        return None
    own = {known.echo, notes_mark(record.request_notes), *(notes_mark(str(deal.get(NOTES) or "")) for deal in ours)}
    return "" if notes_mark(record.notes) in own else record.notes


def _repeats_ours(record: MicrosoftRecord) -> bool:
    """Whether the notes of a record can only be ours at its first hearing: they came with the request."""
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
    """The lines of what is new. What Microsoft's record said when it sent us the deal is shown, and no news.

    An end is news also at the first hearing: it may have come before that.
    """
    is_first_of_sender = record.is_sender and not known.raw
    if not is_first_of_sender or news.microsoft_status not in (ASKED, ACCEPTED):
        yield from _status_lines(record, news.microsoft_status, known, raw, now)
    if is_first_of_sender:
        return
    for name, code in _PART_LINES.items():
        if name in changed and (text := news.parts[name]):
            values = {"value": text} if name == CRM else {}
            yield _line(now, code, name, values)


_PART_LINES: Mapping[str, str] = {
    CRM: "microsoft_crm",
    SELLER: "microsoft_seller",
    "microsoft_notes": "microsoft_notes",
}


def _status_lines(
    record: MicrosoftRecord, status: str | None, known: HeardRecord, raw: str, now: datetime
) -> Iterator[Line]:
    """The line of a new status. That Microsoft was asked is told by the request."""
    name = "microsoft_status"
    if status is None and raw != known.raw:
        yield _line(now, "microsoft_status_unknown", name, {"status": raw})
    elif status is None or status == known.status:
        return
    elif status == ACCEPTED:
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


def heard_partner(link: Link, record: PartnerRecord, now: datetime) -> Hearing:
    """Take what another partner's record says: a line when it appears, and when its status changes."""
    if not is_news_for(link, record):
        return Hearing(link)
    known = link.partners.get(record.id)
    values, lines = {"partner": record.name, "status": record.status}, tuple[Line, ...]()
    if known is None or known.status != record.status:
        code = "partner_status" if known is not None and known.status else "partner_takes_part"
        lines = (Line(now, code, LineDirection.NOTE, Side.PARTNER_CENTER, values=values),)
    partners = {**link.partners, record.id: HeardPartner(record.etag, record.status, record.updated)}
    return Hearing(replace(link, partners=partners, unwritten=link.unwritten or bool(lines)), lines)
