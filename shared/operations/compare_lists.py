"""Compares what both services list with the links: versions, referrals and opportunities without a link, duplicates.

The list of Partner Center has ids, versions and dates, so it costs its pages only. A referral is read where its version
is not the one of its link, and where it should have a link and has none.

Source: docs/protocol.md#the-daily-compare.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from shared.domain.compared import GRACE, Finding, FindingKind, is_compared, knows_save, without_old_lease
from shared.domain.deal import CLOSED, Side
from shared.domain.leads import Leads
from shared.foundation.errors import CosellError, NotFound, SignInFailed, Throttled, UnreadableRow
from shared.mapping.paths import parse_time
from shared.mapping.polls import STAMP
from shared.mapping.referral_kind import is_lead, is_target_microsoft
from shared.operations.compare_pairs import look_at_pairs, read_compared
from shared.sync.ports import Context, Json, text_literal, time_literal
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure


class Known(Struct, frozen=True):
    """What the index has of a link: its opportunity, the version of its referral, and whether it is kept in step."""

    opportunity_id: str
    etag: str | None
    is_compared: bool


class Index(Struct):
    """All links by their referrals, and the referral of each opportunity. It holds no value of a deal."""

    by_referral: dict[str, Known]
    referral_of: dict[str, str | None]
    doubled: list[Finding]


def index_links(ctx: Context) -> Index:
    """Read all links once; about 400 bytes of each are kept."""
    index = Index({}, {}, [])
    for entry in ctx.store.links():
        link = without_old_lease(entry.value, entry.age)
        index.referral_of[link.opportunity_id] = link.referral_id
        if link.referral_id is None:
            continue
        if known := index.by_referral.get(link.referral_id):
            index.doubled.append(
                Finding(FindingKind.TWO_LINKS, known.opportunity_id, link.referral_id, other=link.opportunity_id)
            )
        else:
            index.by_referral[link.referral_id] = Known(link.opportunity_id, link.etag, is_compared(link))
    return index


# --- the list of Partner Center


class ListedPage(Struct, frozen=True):
    """A page of the list: what was found, how many referrals it has, and when its last one was created."""

    findings: Sequence[Finding]
    seen: int
    last: datetime | None


def compare_listed(ctx: Context, index: Index, until: datetime | None) -> Iterator[ListedPage]:
    """Compare each page of the list of all referrals with the links, the last created first, from `until` on.

    Raises the errors of the list and of the store.
    """
    pages = ctx.partner_center.all_referrals(until)
    while True:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            page = next(pages, None)
        if page is None:
            return
        own = [stamp for stamp in page if _is_own(ctx, index, stamp)]
        findings = [*_drifted(ctx, index, own), *_unlinked(ctx, index, own)]
        dates = [date for stamp in page if (date := _date(stamp, "createdDateTime"))]
        yield ListedPage(findings, len(own), min(dates, default=None))


def _is_own(ctx: Context, index: Index, stamp: Json) -> bool:
    """Whether a referral is this environment's: a linked one is, whatever its reference says."""
    organization, reference = stamp.get("organizationId"), stamp.get("externalReferenceId")
    if not ctx.scope.is_of_ours(organization) or is_target_microsoft(stamp):
        return False
    return _key(stamp) in index.by_referral or ctx.scope.exclusion_reason(organization, reference) is None


def _key(stamp: Json) -> str:
    return str(stamp["id"]).lower()


def _date(stamp: Json, name: str) -> datetime | None:
    try:
        return parse_time(stamp.get(name))
    except ValueError:
        return None


def _is_settled(ctx: Context, stamp: Json, name: str) -> bool:
    """Whether a date of a referral is so old that its event and the sweep have had their turn."""
    date = _date(stamp, name)
    return date is not None and ctx.clock.now() - date >= GRACE


def _drifted(ctx: Context, index: Index, own: Sequence[Json]) -> list[Finding]:
    """The pairs of a page whose referral has another version than their link, and other values."""
    moved = [index.by_referral[_key(stamp)] for stamp in own if _has_moved(ctx, index, stamp)]
    entries = [entry for known in moved if (entry := ctx.store.link(known.opportunity_id))]
    read, missing = read_compared(ctx, entries)
    return [*missing, *look_at_pairs(ctx, read)]


def _has_moved(ctx: Context, index: Index, stamp: Json) -> bool:
    known = index.by_referral.get(_key(stamp))
    differs = known is not None and known.is_compared and known.etag != stamp.get("eTag")
    return differs and _is_settled(ctx, stamp, "updatedDateTime")


# --- referrals without a link


def _unlinked(ctx: Context, index: Index, own: Sequence[Json]) -> list[Finding]:
    wanted = [stamp for stamp in own if _key(stamp) not in index.by_referral and _should_have_link(ctx, stamp)]
    found = ctx.map(partial(_find_unlinked, ctx, index.referral_of), wanted, to=Side.PARTNER_CENTER)
    return [one for one in found if one is not None]


def _should_have_link(ctx: Context, stamp: Json) -> bool:
    """Whether, as far as the list says, a referral is an open deal of ours that is to have an opportunity."""
    created = _date(stamp, "createdDateTime")
    is_early = created is not None and created < ctx.scope.begin
    is_ignored = is_lead(stamp) and ctx.scope.leads is Leads.OFF
    return not (is_early or is_ignored or stamp.get("status") == CLOSED) and _is_settled(ctx, stamp, "createdDateTime")


def _find_unlinked(ctx: Context, referral_of: Mapping[str, str | None], stamp: Json) -> Finding | None:
    key, named = _key(stamp), ctx.scope.opportunity_named_by(str(stamp.get("externalReferenceId") or ""))
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            linked = referral_of.get(named) if named else None
            if named and linked:
                is_double = all(_is_open(ctx, each) for each in (linked, key))
                return Finding(FindingKind.TWO_REFERRALS, named, key, other=linked) if is_double else None
            is_missed = _is_unheard(ctx, key) and _is_open(ctx, key, is_to_arrive=True)
            return Finding(FindingKind.UNLINKED_REFERRAL, None, key) if is_missed else None
    except (Throttled, SignInFailed):
        raise
    except CosellError as error:  # one bad record must not stop the others
        outcome_of_error(ctx, error, key)
        return None


def _is_unheard(ctx: Context, referral_id: str) -> bool:
    """Whether neither a pointer (a link that is new, a claim, a Lead, the inbox) nor a retry entry has the referral."""
    has_pointer = ctx.store.pointer(referral_id) is not None
    return not has_pointer and ctx.store.retry_entry(Side.PARTNER_CENTER, referral_id) is None


def _is_open(ctx: Context, referral_id: str, *, is_to_arrive: bool = False) -> bool:
    """Whether a referral is open, and, if that is asked, nothing excludes it from the sync."""
    try:
        referral = ctx.translation.referral(ctx.partner_center.get(referral_id))
    except NotFound:
        return False
    is_final = referral.status is not None and referral.status.is_final
    is_excluded = is_to_arrive and ctx.scope.unlinked_exclusion_reason(referral) is not None
    return not (is_final or is_excluded)


# --- opportunities without a link


class TickedPage(Struct, frozen=True):
    """A page of ticked opportunities without a referral: those that no look has taken, and the id of the last one."""

    findings: Sequence[Finding]
    last: str


def unlinked_opportunities(ctx: Context, after: str) -> Iterator[TickedPage]:
    """Pages of the ticked opportunities without a referral, by id, from behind `after` on.

    Raises the errors of Salesforce and of the store.
    """
    with pausing_on_failure(ctx, Side.SALESFORCE):
        page = ctx.salesforce.query(_ticked_soql(ctx, after)).pages[0]
    while page.records:
        saved = [(str(record["Id"]), str(record[STAMP])) for record in page.records]
        unseen = ctx.map(partial(_find_unseen, ctx), saved)
        yield TickedPage([one for one in unseen if one], saved[-1][0])
        if not page.next:
            return
        with pausing_on_failure(ctx, Side.SALESFORCE):
            page = ctx.salesforce.more(page.next).pages[0]


def _ticked_soql(ctx: Context, after: str) -> str:
    ours, until = ctx.translation.file.ours, ctx.clock.now() - GRACE
    behind = f"AND Id > {text_literal(after)} " if after else ""
    return (
        f"SELECT Id, {STAMP} FROM Opportunity WHERE {ours.flag} = true AND {ours.identifier} = null {behind}"  # noqa: S608 - names from the checked mapping file, and literals
        f"AND LastModifiedDate >= {time_literal(ctx.scope.begin)} AND LastModifiedDate < {time_literal(until)} "
        "ORDER BY Id"
    )


def _find_unseen(ctx: Context, opportunity: tuple[str, str]) -> Finding | None:
    key, saved = opportunity
    is_known = _is_known(ctx, key, saved) or ctx.store.retry_entry(Side.SALESFORCE, key) is not None
    return None if is_known else Finding(FindingKind.UNLINKED_OPPORTUNITY, key)


def _is_known(ctx: Context, opportunity_id: str, saved: str) -> bool:
    """Whether a link has an opportunity as it was last saved, also one that this build cannot read."""
    try:
        entry = ctx.store.link(opportunity_id)
    except UnreadableRow:
        return True
    return entry is not None and knows_save(without_old_lease(entry.value, entry.age), saved)
