"""Purges the personal values of deals that were closed some days ago, of leads that have ended, and of lost claims.

Only rows of the store are read and written, so a deal without such values costs no call. Where an audit line changed,
the pair waits in the retry queue, and the push writes the audit of the opportunity. The fields of the opportunity and
of the referral stay: they belong to the people who work with them.

the run        goes on where it stopped: of what is purged, a row says so
a busy pair    is left alone, and found again by the next run

Source: docs/protocol.md#personal-data.
"""

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.erasure import closed_at, erased_line, purged_lead, purged_link
from shared.domain.link import Link, Pointer
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.operations.erase_deal import erase_in_deal, erase_in_lead
from shared.sync.ports import WAITING, Context, Entry, Mode, Outcome, Result
from shared.sync.retry_queue import queue_pair

PURGE = "purge"
DONE = "purge_done"
"""The heartbeat of the last purge that looked at every deal."""
A_RUN = timedelta(hours=20)
"""A purge that ended is not repeated on the same day."""
A_DAY = timedelta(days=1)
MOST = 2000
"""So many deals are purged in one run: the push writes the audit of each."""
LOST_AFTER = timedelta(days=3)
"""So long after its purge a deal whose audit is not written is queued again; then its opportunity is gone."""


class _Purge(Struct):
    """What one run has done: the deals and leads it purged, and those it left to a worker.

    `is_complete` says whether it has looked at all.
    """

    after: timedelta
    purged: int = 0
    busy: int = 0
    is_complete: bool = True


def purge_closed(ctx: Context, after_days: int) -> None:
    """Purge what was closed `after_days` ago or earlier; 0 purges nothing. Raises errors of the store."""
    ctx = ctx.begin_run()
    if not after_days or _was_done_today(ctx):
        return
    started = ctx.clock.now()  # after a read of the store, by whose clock ours goes
    if ctx.policy.mode is not Mode.ON:
        ctx.log("run_skipped", run=PURGE, reason=ctx.policy.mode)
        return
    run = _Purge(timedelta(days=after_days))
    _purge_deals(ctx, run, started)
    _purge_leads(ctx, run, started)
    ctx.store.delete_stale_claims(lambda row: row.age > A_DAY)
    if run.is_complete:
        ctx.store.move_cursor(DONE, ctx.clock.now())
    seconds = round((ctx.clock.now() - started).total_seconds(), 3)
    ctx.log(DONE, count=run.purged, due=run.busy, seconds=seconds, correlation_id=ctx.correlation_id)


def _was_done_today(ctx: Context) -> bool:
    done = ctx.store.cursor(DONE)
    return done is not None and ctx.clock.now() - done < A_RUN


def _end_in_time(ctx: Context, run: _Purge, started: datetime) -> bool:
    if ctx.is_time_up(started) or run.purged >= MOST:
        run.is_complete = False
    return not run.is_complete


# --- deals


def _purge_deals(ctx: Context, run: _Purge, started: datetime) -> None:
    known = ctx.store.purged_deals()
    for entry in ctx.store.links():
        if _end_in_time(ctx, run, started):
            return
        purged_at = known.get(entry.value.opportunity_id)
        if entry.value.has_ended and _is_due(ctx, entry, purged_at, run.after):
            run.purged += _unless_busy(run, partial(_purge_deal, ctx, entry))
        elif purged_at is not None and entry.value.unwritten:
            _queue_again(ctx, entry.value, purged_at)


def _is_due(ctx: Context, entry: Entry[Link], purged_at: datetime | None, after: timedelta) -> bool:
    """Whether a closed deal is to be purged; one that was, is purged again some time after it has changed.

    A link without values is one whose purge was not finished: its lines may not say any more when it was closed.
    """
    now, changed = ctx.clock.now(), ctx.clock.now() - entry.age
    if purged_at is not None:
        return entry.age >= after and changed - purged_at > A_DAY
    if entry.age >= after or purged_link(entry.value) == entry.value:
        return True
    return now - closed_at((one.line for one in ctx.store.stored_lines(entry.value.opportunity_id)), changed) >= after


def _unless_busy(run: _Purge, purge: Callable[[], bool]) -> bool:
    """Whether it was purged; a deal that a worker has is left alone."""
    try:
        if purge():
            return True
    except (StoreConflict, UnreadableRow):
        pass
    run.busy += 1
    return False


def _purge_deal(ctx: Context, entry: Entry[Link]) -> bool:
    """Purge one deal, unless its link has an intent; returns whether it was purged. Raises StoreConflict."""
    link, now = entry.value, ctx.clock.now()
    if link.intent is not None:
        return False
    if link.referral_id is not None and (pointer := ctx.store.pointer(link.referral_id)) is not None:
        _purge_pointer(ctx, link.referral_id, pointer)
    has_lines = bool(erase_in_deal(ctx.store, entry, purged_link(link), erased_line, is_purge=True))
    ctx.store.note_purged_deal(link.opportunity_id, now)
    if has_lines or link.unwritten:
        _queue(ctx, link)
    return True


def _queue(ctx: Context, link: Link) -> None:
    """Let the push write the audit of the opportunity."""
    queue_pair(ctx, Side.SALESFORCE, link.opportunity_id, Outcome(Result.RETRY, WAITING, ctx.clock.now()))


def _queue_again(ctx: Context, link: Link, purged_at: datetime) -> None:
    """Queue a deal whose audit is not written, if a run stopped before it queued it."""
    is_young = ctx.clock.now() - purged_at < LOST_AFTER
    if is_young and ctx.store.retry_entry(Side.SALESFORCE, link.opportunity_id) is None:
        _queue(ctx, link)


# --- leads


def _purge_leads(ctx: Context, run: _Purge, started: datetime) -> None:
    """Purge what is known of leads that ended without becoming a deal, and claims that nobody returned to."""
    for referral_id, entry in ctx.store.pointers():
        if _end_in_time(ctx, run, started):
            return
        lead = entry.value.lead
        if entry.value.intent is not None and entry.value.opportunity_id is None and entry.age >= run.after:
            run.purged += _unless_busy(run, partial(_delete_claim, ctx, referral_id, entry))
        elif lead is not None and lead.is_closed and lead.written and entry.age >= run.after:
            run.purged += _unless_busy(run, partial(_purge_pointer, ctx, referral_id, entry))


def _delete_claim(ctx: Context, referral_id: str, entry: Entry[Pointer]) -> bool:
    """Delete a claim with the values of its intent: its referral is gone, because each look would renew the claim.

    Inbox mark and lead stay. If the referral comes back, an opportunity that was made of it is found by its id.
    """
    if entry.value.inbox is None and entry.value.lead is None:
        ctx.store.delete_pointer(referral_id, entry)
    else:
        ctx.store.replace_pointer(referral_id, entry, replace(entry.value, intent=None))
    ctx.log("claim_purged", referral_id=referral_id)
    return True


def _purge_pointer(ctx: Context, referral_id: str, entry: Entry[Pointer]) -> bool:
    """Purge what a pointer and the audit lines of its lead hold; returns whether it has no intent."""
    pointer = entry.value
    if pointer.intent is not None:
        return False
    if pointer.lead is not None and pointer.lead.written:
        erased = replace(pointer, lead=purged_lead(pointer.lead))
        erase_in_lead(ctx.store, referral_id, entry, erased, erased_line, is_purge=True)
        ctx.store.note_purged_lead(referral_id, ctx.clock.now())
    return True
