"""Finds the pairs that may have changed on either side. Both sides give ids only.

The records that a plan is made from are read afterwards, under the lease. What was seen before, our own writes
included, is recognised by version and never by user: a person may have edited right after us, so the user who wrote
last proves nothing (docs/protocol.md#echoes).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.known_versions import stand_in
from shared.domain.link import TRY_AGAIN, Link
from shared.domain.link_states import State
from shared.domain.microsoft_news import has_heard
from shared.domain.planned import must_return, waits_since
from shared.domain.sighting import Sighting
from shared.domain.sweep_cursor import SWEEP, Scan, first_bound
from shared.foundation.errors import UnreadableRow
from shared.mapping.other_parties import is_foreign
from shared.mapping.paths import parse_time, value_in_record
from shared.mapping.polls import PollQuery
from shared.mapping.referral_kind import is_target_microsoft
from shared.mapping.stamps import covers
from shared.sync.own_writes import without_own_writes
from shared.sync.poll_plan import PollPlan, cursor_name, plan_poll, turn_name
from shared.sync.ports import PUSH, Context, Entry, Json, Page, RetryEntry, time_literal
from shared.sync.read_queue import entries_of

# --- Salesforce


class Batch(Struct, frozen=True):
    """Opportunities to reconcile, each with its retry entry, and the cursors to move once they are worked.

    `links` has the rows that were read to find them. `seen` counts the records of the pages, known ones included.
    """

    opportunities: Mapping[str, RetryEntry | None]
    links: Mapping[str, Entry[Link] | None]
    seen: int
    cursors: dict[str, datetime]


def changed_opportunities(ctx: Context) -> Iterator[Batch]:
    """Pages of changed opportunities, all queries together; one Composite call where nothing changed.

    Each query has its own cursor: the stamp of its last record after a page that is not the last, and the server's
    time at the start of the query after the last page. The poll reads with an overlap, because Salesforce may show a
    record late. A cursor moves only after every record up to it is reconciled, queued, held or parked
    (docs/protocol.md#the-salesforce-poll).
    """
    plan = plan_poll(ctx.translation.polls, ctx.store.cursors(), ctx.scope.begin, ctx.policy.poll_overlap)
    soql, moved = ctx.translation.poll_soql, dict(plan.first)
    soql = {name: soql[name] % time_literal(start) for name, start in plan.starts.items()}
    deleted = [soql[name] for name, query in plan.queries.items() if query.sees_deleted]
    answer = ctx.salesforce.query(*soql.values(), deleted=deleted)
    pages = dict(zip(plan.queries, answer.pages, strict=True))
    while pages:
        found = _unknown_opportunities(ctx, pages, plan)
        entries = {key: one.entry for key, one in found.items()}
        links = {key: one.link for key, one in found.items() if one.is_readable}
        seen = sum(len(page.records) for page in pages.values())
        for name, page in pages.items():
            moved |= _cursors_after(plan.queries[name], page, answer.at)
        yield Batch(entries, links, seen, moved)
        pages = {name: ctx.salesforce.more(page.next).pages[0] for name, page in pages.items() if page.next}
        moved = {}


def _cursors_after(query: PollQuery, page: Page, start: datetime) -> dict[str, datetime]:
    """The cursor of a query after a page, with the time of its turn if it is rare and has pages left."""
    if not (page.next and page.records):
        return {cursor_name(query.name): start}
    moved = {cursor_name(query.name): parse_time(value_in_record(page.records[-1], query.stamp))}
    return {**moved, turn_name(query.name): start} if query.is_rare else moved


class _Seen(Struct, frozen=True):
    """A stamp that a polling query returned for an opportunity, and the cursor of that query."""

    query: PollQuery
    stamp: str | None
    is_deleted: bool
    cursor: datetime | None


class _Found(Struct):
    """An opportunity that may have to be looked at.

    `stamps` are those that its link does not know. `is_readable` says whether its row can be read; `link` is None where
    there is none.
    """

    stamps: list[_Seen]
    link: Entry[Link] | None
    is_readable: bool
    entry: RetryEntry | None = None


def _unknown_opportunities(ctx: Context, pages: Mapping[str, Page], plan: PollPlan) -> dict[str, _Found]:
    """The opportunities of all pages with a stamp that is not known to their link, each with its retry entry."""
    found: dict[str, list[_Seen]] = {}
    for name, page in pages.items():
        query, cursor = plan.queries[name], plan.cursors[name]
        for record in page.records:
            seen = _Seen(query, value_in_record(record, query.stamp), bool(record.get("IsDeleted")), cursor)
            found.setdefault(str(record[query.opportunity]), []).append(seen)
    listed = without_own_writes(ctx, found, _knows_all)
    examined = ctx.map(partial(_examine, ctx), listed.items())
    unknown = {key: one for key, one in zip(listed, examined, strict=True) if one is not None}
    for key, entry in entries_of(ctx, Side.SALESFORCE, unknown).items():
        unknown[key].entry = entry
    return {key: one for key, one in unknown.items() if not _is_left_to_queue(ctx, one)}


def _examine(ctx: Context, found: tuple[str, list[_Seen]]) -> _Found | None:
    """What is not known of an opportunity; None if its stamps are known.

    A link that cannot be read knows no stamp: acquiring it queues that pair alone. A link whose lines or columns wait,
    or that waits for its time, and to which no entry returns for that, belongs to a run that stopped before it queued
    the pair. Some queries concern links only.
    """
    key, seen = found
    known, is_readable = None, True
    try:
        known = ctx.store.link(key)
    except UnreadableRow:
        is_readable = False
    stamps = known.value.stamps if known else {}
    unknown = [one for one in seen if not _is_among(one, stamps)]
    if known is None and not [one for one in seen if not one.query.needs_link]:
        return None
    if not unknown and not [one for one in seen if not one.query.is_deletion]:
        return None
    if not unknown and not (known and (known.value.unwritten or known.value.unshown or _lacks_entry(ctx, known.value))):
        return None
    return _Found(unknown, known, is_readable)


def _is_left_to_queue(ctx: Context, found: _Found) -> bool:
    """Whether the retry queue works the pair.

    A pair that failed and has not changed since the cursor is left to it: the overlap must not shorten its wait.
    """
    entry, link = found.entry, found.link
    if entry is None:
        return False
    has_columns_only = link is not None and not link.value.unwritten
    if not found.stamps and (entry.is_failure or (has_columns_only and _returns_soon(ctx, entry))):
        return True
    return entry.must_wait(ctx.clock.now()) and all(map(_is_before_cursor, found.stamps))


def _is_among(seen: _Seen, stamps: Mapping[str, str]) -> bool:
    """Whether a stamp is known; of rows, the newest one counts."""
    known = stamps.get(seen.query.name)
    if seen.stamp is None or known == seen.stamp or not (seen.query.rows or seen.is_deleted):
        return seen.stamp is not None and known == seen.stamp
    return covers(stamps, seen.query, seen.stamp, is_deleted=seen.is_deleted)


def _knows_all(stamps: Mapping[str, str], seen: Sequence[_Seen]) -> bool:
    return all(_is_among(one, stamps) and not one.is_deleted for one in seen)


def _is_before_cursor(seen: _Seen) -> bool:
    return seen.cursor is not None and parse_time(seen.stamp) < seen.cursor


# --- Partner Center


class ScannedPage(Struct, frozen=True):
    """A page of the list: how many referrals it names, and which of them to pull, with the dates of their stamps.

    `related` has the referrals of other parties that a deal of ours has not heard.
    """

    seen: int
    unknown: Mapping[str, datetime | None]
    related: Sequence[Sighting] = ()


def changed_referrals(ctx: Context) -> tuple[Scan, Iterator[ScannedPage]]:
    """Read the first page of the referrals that changed since the cursor, newest first (docs/protocol.md#the-sweep).

    Returns what it says of the next cursor, and all pages: each further one is read when it is asked for.
    """
    cursor, answered = ctx.store.cursor(SWEEP), list[datetime | None]()
    bound = first_bound(cursor, ctx.clock.now())
    start = (bound - ctx.policy.sweep_overlap) if bound else ctx.scope.begin
    further = ctx.partner_center.changed_since(start, answered.append)
    first = next(further, ())
    dates = (_stamp_date(stamp, "updatedDateTime") for stamp in first)
    scan = Scan(cursor, next(iter(answered), None), max((date for date in dates if date), default=None))
    listed = chain([first] if first else [], further)
    return scan, (
        ScannedPage(len(page), unknown_referrals(ctx, page), _unheard_referrals(ctx, page)) for page in listed
    )


def unknown_referrals(ctx: Context, page: Sequence[Json]) -> dict[str, datetime | None]:
    """Our own referrals whose version is not known to any link: by id, in lower case, when they changed last.

    A pointer is looked for before the reference is: a colleague may have changed that of a linked referral.
    """
    own = [stamp for stamp in page if ctx.scope.is_of_ours(_text(stamp, "organizationId"))]
    known = ctx.map(lambda stamp: _is_known(ctx, stamp), own)
    unknown = (stamp for stamp, is_known in zip(own, known, strict=True) if not is_known)
    return {str(stamp["id"]).lower(): _stamp_date(stamp, "updatedDateTime") for stamp in unknown}


def _unheard_referrals(ctx: Context, page: Sequence[Json]) -> list[Sighting]:
    """The referrals of other parties whose version a deal of ours has not heard, or whose deals are not known."""
    foreign = [_sighting(stamp) for stamp in page if is_foreign(stamp, ctx.scope.organization_id)]
    heard = ctx.map(partial(_is_heard, ctx), foreign) if foreign else ()
    return [sighting for sighting, is_known in zip(foreign, heard, strict=True) if not is_known]


def _sighting(stamp: Json) -> Sighting:
    return Sighting(str(stamp["id"]).lower(), _text(stamp, "engagementId"), _text(stamp, "eTag"))


def _is_heard(ctx: Context, sighting: Sighting) -> bool:
    deals, etag = ctx.store.deals_of_party(sighting.referral_id), sighting.etag or ""
    if not deals:
        return _leads_nowhere(ctx, sighting, etag)
    try:
        links = [entry.value for deal in deals if (entry := ctx.store.link(deal))]
    except UnreadableRow:
        return False
    return bool(links) and all(has_heard(link, sighting.referral_id, etag) for link in links)


def _leads_nowhere(ctx: Context, sighting: Sighting, etag: str) -> bool:
    """Whether a referral without a known deal is left alone, so that a sweep without changes costs one call.

    This version has led nowhere already, or waits in the retry queue, whose entry may lack the engagement (an event
    names none). Outside production, an engagement that is not known may be one of production, and is not listed.
    """
    if sighting.engagement_id and ctx.store.deals_in_engagement(sighting.engagement_id):
        return False
    if ctx.scope.tag is not None or ctx.store.is_none_of_ours(sighting.referral_id, etag):
        return True
    is_waiting = ctx.store.retry_entry(Side.PARTNER_CENTER, sighting.key) is not None
    if is_waiting and sighting.engagement_id:
        ctx.store.keep_engagement_of_party(sighting.referral_id, sighting.engagement_id)
    return is_waiting


def _is_excluded(ctx: Context, stamp: Json) -> bool:
    """Whether a referral without a pointer is not this environment's."""
    organization, reference = _text(stamp, "organizationId"), _text(stamp, "externalReferenceId")
    return ctx.scope.exclusion_reason(organization, reference) is not None or is_target_microsoft(stamp)


def _is_known(ctx: Context, stamp: Json) -> bool:
    """Whether the link has seen this version, or the referral has no link and is not ours or from before the start.

    A pointer or link that cannot be read is not known: the pull then queues that pair alone.
    """
    try:
        return _has_seen_version(ctx, stamp)
    except UnreadableRow:
        return False


def _has_seen_version(ctx: Context, stamp: Json) -> bool:
    pointer = ctx.store.pointer(str(stamp["id"]))
    if pointer is None and _is_excluded(ctx, stamp):
        return True
    if pointer is None:
        created = _stamp_date(stamp, "createdDateTime")
        return created is not None and created < ctx.scope.begin
    if pointer.value.opportunity_id is None:
        return pointer.value.lead is not None and pointer.value.lead.etag == stamp.get("eTag")
    entry = ctx.store.link(pointer.value.opportunity_id)
    if entry is None or (entry.value.state is State.ON_HOLD and entry.value.answer_by is None):
        return False  # an earlier build has linked it: its time to answer is not known
    is_paused = entry.value.state is State.PAUSED and entry.value.intent is None
    is_read = entry.value.etag == stamp.get("eTag") and not _was_left(ctx, entry.value)
    return is_paused or is_read or _is_pushed(ctx, entry.value, stamp)


def linked_deal(ctx: Context, referral_id: str) -> str | None:
    """The opportunity of a referral that has its link and no record in the inbox; None for any other referral."""
    with suppress(UnreadableRow):
        entry = ctx.store.pointer(referral_id)
        return entry.value.opportunity_id if entry is not None and entry.value.inbox is None else None
    return None


def _is_pushed(ctx: Context, link: Link, stamp: Json) -> bool:
    """Whether a push returns to a write of unknown outcome that was decided on this version of the referral."""
    is_pushing = PUSH not in ctx.policy.paused.union(ctx.store.pauses())
    known = stand_in(link, link.intent) if link.intent and is_pushing else None
    is_same = known is not None and known is not link and known.etag == stamp.get("eTag")
    entry = ctx.store.retry_entry(Side.SALESFORCE, link.opportunity_id) if is_same else None
    return entry is not None and _returns_soon(ctx, entry)


def _was_left(ctx: Context, link: Link) -> bool:
    """Whether a run stopped before it queued a pair whose opportunity must be written again."""
    return (link.unwritten or link.unshown is not None) and not any(
        _returns_soon(ctx, entry) for entry in _entries_of(ctx, link)
    )


def _lacks_entry(ctx: Context, link: Link) -> bool:
    """Whether a run stopped before it queued a pair that must be looked at again without an edit.

    An entry from before its newest difference may return at another time.
    """
    if not must_return(link, ctx.clock.now()):
        return False
    since = waits_since(link)
    return not any(
        since is None or _returns_soon(ctx, entry) or (entry.since is not None and entry.since >= since)
        for entry in _entries_of(ctx, link)
    )


def _entries_of(ctx: Context, link: Link) -> Iterator[RetryEntry]:
    keys = {Side.SALESFORCE: link.opportunity_id, Side.PARTNER_CENTER: link.referral_id}
    found = (ctx.store.retry_entry(side, key) for side, key in keys.items() if key)
    return (entry for entry in found if entry is not None and not entry.is_event)


def _returns_soon(ctx: Context, entry: RetryEntry) -> bool:
    """Whether an entry returns to its pair as soon as a write-back is tried again: one may wait for an answer."""
    return entry.at <= ctx.clock.now() + TRY_AGAIN


def _text(stamp: Json, name: str) -> str | None:
    value = stamp.get(name)
    return value if isinstance(value, str) else None


def _stamp_date(stamp: Json, name: str) -> datetime | None:
    """A date of a listed referral; None where it cannot be read: that referral is then pulled like a changed one."""
    try:
        return parse_time(stamp.get(name))
    except ValueError:
        return None
