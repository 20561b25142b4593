"""Hears what Microsoft and other partners say in our engagements, and shows it on the opportunity.

An event or a list names a referral: another party's, or our own. It leads to our deals by rows of the store (`M|`,
`E|`, `R|`), or by a list of the engagement where these are missing. Another party's record is never written and makes
no opportunity.

A record is read before the lease. That is safe, because it only moves forward: of two states the later one counts,
whichever is heard last. Source: docs/protocol.md#news-from-microsoft.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from functools import partial

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.help_outcomes import help_confirmed, help_to_show
from shared.domain.link import Effect, EffectKind, Link
from shared.domain.microsoft_news import (
    Hearing,
    heard,
    heard_on_ours,
    heard_partner,
    is_news_for,
    look_again,
    needs_look,
    needs_ours,
    with_columns,
)
from shared.domain.microsoft_record import MicrosoftRecord, PartnerRecord
from shared.domain.sighting import Sighting
from shared.foundation.errors import NotFound, Rejected, SignInFailed, StoreConflict
from shared.mapping.other_parties import is_foreign, msx_id_in, parties_in, record_of_party, with_ours
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair, open_pairs, read_opportunities, record_intent, release, run_step
from shared.sync.ports import BUSY, RECONCILED, Context, Json, Outcome, Outcomes, Result, RetryEntry
from shared.sync.retry_queue import keep_retry_queue, outcome_of_error, pause_of_either_side, pausing_on_failure
from shared.sync.show_request import look_at_again, show_requests
from shared.sync.write_opportunity import batches_of_write_backs, write_back

ACCESS_DENIED = "accessDenied"
TRIES_OF_ARRIVAL = 30
"""With growing waits about a day: so long a referral of ours without a deal is expected to become one."""

type Record = MicrosoftRecord | PartnerRecord


class Found(Struct, frozen=True):
    """Our deals in an engagement, and the records of other parties that were read for them.

    unlinked   our own referrals in it that may still become deals
    is_late    whether the list of the engagement does not even show a referral of ours
    """

    deals: Sequence[str]
    records: Sequence[Record]
    unlinked: Sequence[str] = ()
    is_late: bool = False


def hear_parties(ctx: Context, sightings: Sequence[Sighting], worked: Mapping[str, RetryEntry | None]) -> Outcomes:
    """Hear the referrals that an event or a list names; `worked` holds their retry entries as read before the work."""
    if not sightings:
        return {}
    if pause := pause_of_either_side(ctx):
        outcomes = {one.key: pause for one in sightings}
    else:
        find = partial(_find_or_queue, ctx, worked)
        results = ctx.map(find, sightings, to=Side.PARTNER_CENTER)
        by_key = dict(zip((one.key for one in sightings), results, strict=True))
        found = {key: result for key, result in by_key.items() if isinstance(result, Found)}
        heard_deals = _hear_deals(ctx, found.values())
        outcomes = {key: result for key, result in by_key.items() if isinstance(result, Outcome)}
        outcomes |= {key: _outcome_of(one.deals, heard_deals) for key, one in found.items()}
    _keep_engagements(ctx, sightings, outcomes)
    keep_retry_queue(ctx, Side.PARTNER_CENTER, outcomes, worked)
    return outcomes


def _outcome_of(deals: Iterable[str], outcomes: Outcomes) -> Outcome:
    """The outcome of a sighting: it is tried again if one of its deals is."""
    ended = [outcomes[deal] for deal in deals if deal in outcomes]
    return next((one for one in ended if one.result in (Result.RETRY, Result.PARKED)), RECONCILED)


def _keep_engagements(ctx: Context, sightings: Sequence[Sighting], outcomes: Outcomes) -> None:
    """Keep the engagements of what is tried again: by then the record may be hidden, and only the list leads on."""
    for one in sightings:
        if one.engagement_id and outcomes[one.key].result in (Result.RETRY, Result.PARKED):
            ctx.store.keep_engagement_of_party(one.referral_id, one.engagement_id)


# --- from a referral to our deals


def _find_or_queue(ctx: Context, worked: Mapping[str, RetryEntry | None], sighting: Sighting) -> Found | Outcome:
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            found = _find(ctx, sighting)
        if isinstance(found, Outcome):
            return found
        if found.deals and found.records:
            return found if _is_news(ctx, found) else RECONCILED
        return _try_again_or_leave(ctx, sighting, found, worked.get(sighting.key))
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the others
        return outcome_of_error(ctx, error, sighting.key)


def _try_again_or_leave(ctx: Context, sighting: Sighting, found: Found, entry: RetryEntry | None) -> Outcome:
    """Try a few times what Partner Center does not show; wait for a referral of ours that is still to arrive."""
    limit = TRIES_OF_ARRIVAL if found.unlinked else ctx.policy.tries
    is_over = entry is not None and entry.attempts + 1 >= limit
    is_arriving = any(ctx.store.retry_entry(Side.PARTNER_CENTER, key) for key in found.unlinked)
    if is_arriving or ((found.deals or found.unlinked or found.is_late) and not is_over):
        return Outcome(Result.RETRY, "not_shown")
    for record in found.records:
        ctx.store.keep_none_of_ours(record.id, record.etag)
    if sighting.etag and not found.deals:
        ctx.store.keep_none_of_ours(sighting.referral_id, sighting.etag)
    if found.records:
        return _leave(ctx, sighting, "unknown_engagement")
    return _leave(ctx, sighting, "not_readable")


def _leave(ctx: Context, sighting: Sighting, reason: str) -> Outcome:
    ctx.log("related_referral_ignored", referral_id=sighting.referral_id, reason=reason)
    return RECONCILED


def _is_news(ctx: Context, found: Found) -> bool:
    """Whether a deal has not heard one of the records: else nothing is locked, read or written."""
    links = [entry.value for deal in found.deals if (entry := ctx.store.link(deal))]
    return any(is_news_for(link, record) for link in links for record in found.records)


def _find(ctx: Context, sighting: Sighting) -> Found | Outcome:
    """Read the record and find our deals. Without a known deal, the engagement is listed."""
    deals = ctx.store.deals_of_party(sighting.referral_id)
    if not deals and (own := _deal_of_own_referral(ctx, sighting.referral_id)):
        return _with_known_record(ctx, _listed(ctx, _engagement_of(ctx, own), (own,)), own)
    known = sighting.engagement_id or (None if deals else ctx.store.engagement_of_party(sighting.referral_id))
    if not deals and known:
        deals = ctx.store.deals_in_engagement(known)
        if not deals:
            return _listed(ctx, known)
    raw = read_shown(ctx, sighting.referral_id)
    if raw is None:
        return _listed(ctx, known or _engagement_of(ctx, *deals), deals)
    engagement_id = raw.get("engagementId")
    if not is_foreign(raw, ctx.scope.organization_id) or not isinstance(engagement_id, str):
        unlinked = _unlinked(ctx, (raw,))  # our own referral: its own event, or the sweep, pulls it
        return Found((), (), unlinked) if unlinked else _leave(ctx, sighting, "not_linked")
    return _found_of(ctx, engagement_id, record_of_party(raw), deals or ctx.store.deals_in_engagement(engagement_id))


def _with_known_record(ctx: Context, listed: Found, deal: str) -> Found:
    """What a list shows for a deal; where it shows no other party, Microsoft's record by the id that the deal knows."""
    known = None if listed.records else ctx.store.link(deal)
    heard_id = known.value.microsoft.id if known and known.value.microsoft else None
    raw = read_shown(ctx, heard_id) if heard_id else None
    return replace(listed, records=(record_of_party(raw),)) if raw else listed


def _found_of(ctx: Context, engagement_id: str, record: Record, deals: Sequence[str]) -> Found:
    """A record that was read, and the deals that it leads to. A list need not show it.

    Outside production, an engagement that is not known may be a customer's of production, and is not listed.
    """
    found = Found(deals, (record,))
    if not deals and ctx.scope.tag is None:
        ctx.store.keep_engagement_of_party(record.id, engagement_id)  # as `_keep_engagements`: the list may fail
        found = _listed(ctx, engagement_id)
        found = replace(found, records=(record, *(one for one in found.records if one.id != record.id)))
    if found.deals:
        ctx.store.keep_party(engagement_id, record.id, found.deals)
    return found


def read_shown(ctx: Context, referral_id: str) -> Json | None:
    """A referral, or None where the service does not show it: another party's may be hidden, or forbidden."""
    try:
        return ctx.partner_center.get(referral_id)
    except NotFound:
        return None
    except SignInFailed as error:
        if error.code != ACCESS_DENIED:
            raise
        return None


def _listed(ctx: Context, engagement_id: str | None, deals: Sequence[str] = ()) -> Found:
    """List an engagement: the other parties' records in it, and our deals, with their rows for the next time."""
    if not engagement_id:
        return Found((), ())
    try:
        listed = ctx.partner_center.in_engagement(engagement_id)
    except (NotFound, Rejected):
        return Found(deals, (), is_late=True)
    records, own = parties_in(listed, ctx.scope.organization_id)
    linked = {key: _deal_of_own_referral(ctx, key) for key in own}
    deals = tuple(dict.fromkeys((*deals, *filter(None, linked.values()))))
    for record in records if deals else ():
        ctx.store.keep_party(engagement_id, record.id, deals)
    return Found(deals, records, () if deals else _unlinked(ctx, own.values()), is_late=not own)


def _unlinked(ctx: Context, own: Iterable[Json]) -> Sequence[str]:
    """The ids of those of our referrals without a deal that may still become one."""
    referrals = (ctx.translation.referral(raw) for raw in own)
    return [one.id for one in referrals if ctx.scope.unlinked_exclusion_reason(one) is None]


def _deal_of_own_referral(ctx: Context, referral_id: str) -> str | None:
    """The deal of a referral of ours. Raises StoreConflict while another instance links it."""
    pointer = ctx.store.pointer(referral_id)
    if pointer and pointer.value.intent is not None and pointer.age < ctx.policy.lease:
        raise StoreConflict("another instance links the referral")
    return pointer.value.opportunity_id if pointer else None


def _engagement_of(ctx: Context, *deals: str) -> str | None:
    links = (entry.value for deal in deals if (entry := ctx.store.link(deal)))
    return next((link.engagement_id for link in links if link.engagement_id), None)


# --- the deals


def _hear_deals(ctx: Context, found: Iterable[Found]) -> Outcomes:
    """Let the deals hear their records, under their leases; a record costs one write-back."""
    wanted: dict[str, list[Record]] = {}
    for one in found:
        for deal in one.deals:
            wanted.setdefault(deal, []).extend(one.records)
    results = ctx.map(partial(_acquire_or_queue, ctx), wanted)
    pairs = [result for result in results if isinstance(result, Pair)]
    read_opportunities(ctx, pairs)
    for pair in (one for one in pairs if one.outcome is None or one.missing_at is not None):
        run_step(ctx, pair, _hear_under_lease, wanted[pair.id])
    unshown = show_requests(ctx, pairs)
    chunks = batches_of_write_backs(ctx, pairs)
    ctx.map(partial(write_back, ctx), chunks, to=Side.SALESFORCE)
    for pair in open_pairs(pairs):
        _log_heard(ctx, pair, wanted[pair.id])
    released = [pair for pair in pairs if not pair.may_have_written]
    ctx.map(lambda pair: run_step(ctx, pair, release), released)
    look_at_again(ctx, unshown)
    ended = {deal: one for deal, one in zip(wanted, results, strict=True) if isinstance(one, Outcome)}
    return {**ended, **{pair.id: pair.outcome or RECONCILED for pair in pairs}}


def _acquire_or_queue(ctx: Context, deal: str) -> Pair | Outcome:
    """Acquire the lease of a deal. A pair with a write of unknown outcome is left to whoever recovers it.

    Only a write-back, which does no harm when it is repeated, is taken over: nobody else may come for it.
    """
    try:
        known = ctx.store.link(deal)
        if known is None:
            return RECONCILED
        is_unknown = known.value.intent is not None and not known.value.intent.only_shows
        return BUSY if is_unknown else acquire(ctx, deal, known={deal: known})
    except Exception as error:  # noqa: BLE001 - as in `_find_or_queue`
        return outcome_of_error(ctx, error, deal)


def _hear_under_lease(ctx: Context, pair: Pair, records: Sequence[Record]) -> None:
    if pair.interrupted.effects and pair.missing_at is None:
        record_intent(ctx, pair)
    if pair.opportunity is None or not pair.opportunity.flagged:  # deleted, hidden or un-ticked: it may come back
        for record in (one for one in records if is_news_for(pair.link, one)):
            pair.take_link(look_again(pair.link, record))
        pair.end(RECONCILED)
        return
    for record in records:
        take_record(ctx, pair, record)
        _confirm_request(ctx, pair, record)
    lines = pair.pending.dated_notes(ctx.clock.now())
    if lines or pair.news:
        record_intent(ctx, pair, Effect(EffectKind.MARK_OPPORTUNITY), lines=lines)
        pair.pending.drop_notes()


def take_record(ctx: Context, pair: Pair, record: Record) -> None:
    """Let a pair hear a record; the next write of its row stores the lines, and its write-back shows the values."""
    if pair.opportunity is None or not is_news_for(pair.link, record):
        return
    now = ctx.clock.now()
    if isinstance(record, PartnerRecord):
        pair.take_news(heard_partner(pair.link, record, now))
    else:
        if needs_ours(pair.link, record, pair.opportunity.deal):
            own = read_shown(ctx, pair.link.referral_id or "")
            record = with_ours(record, (own,)) if own else record
        pair.take_news(heard(pair.link, record, pair.opportunity.deal, now))


def _confirm_request(ctx: Context, pair: Pair, record: Record) -> None:
    """Take a request for help that Microsoft's record shows: ours of unknown outcome, or a colleague's."""
    if isinstance(record, MicrosoftRecord) and not record.is_sender:
        confirmed = help_confirmed(pair.link, record, ctx.clock.now())
        pair.take_news(Hearing(confirmed.link, confirmed.lines))
        fill_help(pair, record)


def fill_help(pair: Pair, record: MicrosoftRecord) -> None:
    """Let the opportunity show what a colleague asked, in the fields that are empty (`show_request.py`)."""
    if pair.opportunity is not None and pair.link.help is not None:
        pair.take_news(Hearing(pair.link, texts=help_to_show(pair.link, record, pair.opportunity.sharing)))


def _log_heard(ctx: Context, pair: Pair, records: Sequence[Record]) -> None:
    for one in records:
        ctx.log("related_referral_heard", correlation_id=ctx.correlation_id, opportunity_id=pair.id, referral_id=one.id)


# --- a pair that shows less than what was heard


def look_for_news(ctx: Context, pair: Pair) -> None:
    """Read again what the opportunity does not show: a write failed, it was un-ticked, or the org lacked a column.

    The CRM identifier may stand in our own record, which was just read. Raises the client's errors.
    """
    opportunity, now = pair.opportunity, ctx.clock.now()
    if opportunity is None or not opportunity.flagged or pair.link.columns_left_out(now):
        return
    pair.take_link(link := with_columns(pair.link, ctx.translation.news_columns))
    for record in _records_of(ctx, link) if needs_look(link) and not pair.news else ():
        take_record(ctx, pair, record)
        _confirm_request(ctx, pair, record)
    if msx_id := _msx_id_of_ours(ctx, pair):
        pair.take_news(heard_on_ours(pair.link, msx_id, now, pair.news))


def _msx_id_of_ours(ctx: Context, pair: Pair) -> str | None:
    """The CRM identifier in our own record, which is read if the opportunity lacks it and nothing else of Microsoft."""
    if pair.referral is not None and pair.referral.msx_id:
        return pair.referral.msx_id
    known = pair.link.microsoft
    is_lacking = known is not None and not known.id and not known.is_shown
    own = read_shown(ctx, pair.link.referral_id or "") if is_lacking else None
    return msx_id_in(own) if own else None


def _records_of(ctx: Context, link: Link) -> Sequence[Record]:
    is_listed = any(not partner.etag for partner in link.partners.values())
    raw = None if is_listed or not (link.microsoft and link.microsoft.id) else read_shown(ctx, link.microsoft.id)
    return (record_of_party(raw),) if raw is not None else _listed(ctx, link.engagement_id, ()).records
