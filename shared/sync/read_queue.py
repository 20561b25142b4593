"""Reads the retry queue: what is ready for a run, and the entries of pairs that it works for another reason.

A deal that is in step waits for nobody, so the work that brings it there ends each entry which says otherwise.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.mass_change import waits_for_approval
from shared.foundation.errors import StoreError
from shared.sync.ports import WAITING, Context, Outcomes, Result, RetryEntry

FEW = 4
"""For more pairs than these, the whole queue of a side is read at once."""
NO_END = datetime.max.replace(tzinfo=UTC)
WAITS_FOR_PERSON = frozenset({"held", MASS_CHANGE, MAPPING_CHANGE})
"""Causes of entries that say that a person must act first."""
REFUSES = frozenset({State.HELD, State.PARKED})


class QueuedPairs(Struct, frozen=True):
    """The retry queue of a side: its entries, one batch of a run at most, and those whose time has come, by pair."""

    entries: Sequence[RetryEntry]
    ready: Mapping[str, RetryEntry]


def read_retry_queue(ctx: Context, *sides: Side) -> dict[Side, QueuedPairs]:
    """Read the retry queues of sides.

    A queue is read again only where the first entries are a full batch, because then they may lack ready ones.
    """
    queues: dict[Side, QueuedPairs] = {}
    for side in sides:
        entries = ctx.store.retry_entries(side, NO_END, ctx.policy.batch)
        now = ctx.clock.now()
        is_full = len(entries) >= ctx.policy.batch
        until_now = ctx.store.retry_entries(side, now, ctx.policy.batch) if is_full else entries
        queues[side] = QueuedPairs(entries, {entry.key: entry for entry in until_now if entry.at <= now})
    return queues


def entries_of(ctx: Context, side: Side, keys: Collection[str]) -> dict[str, RetryEntry]:
    """The entries of pairs, by pair. For many, the queue is read instead of each row, unless it is too long."""
    if len(keys) > FEW:
        entries = ctx.store.retry_entries(side, NO_END, ctx.policy.batch)
        if len(entries) < ctx.policy.batch:
            return {entry.key: entry for entry in entries if entry.key in keys}
    found = ctx.map(lambda key: ctx.store.retry_entry(side, key), keys)
    return {entry.key: entry for entry in found if entry is not None}


def read_entries(ctx: Context, referral_ids: Collection[str]) -> Mapping[str, RetryEntry]:
    """The entries of failed work, and of bursts, on referrals that are about to be worked for another reason.

    Their work ends these entries too: otherwise the next push would read each referral once more.
    """
    entries = entries_of(ctx, Side.PARTNER_CENTER, referral_ids)
    return {key: entry for key, entry in entries.items() if entry.is_failure or entry.is_event}


def find_waits(ctx: Context, links: Iterable[Link], asked: Collection[str]) -> Sequence[RetryEntry]:
    """The entries of either side that say that a person must act, of deals that are about to be worked.

    They are looked for where a link is not in step, or its pair is `asked` for: in step, a deal mostly has none. They
    are read under the lease, so that they are from before the work. A failure of the store leaves them to their time.
    """
    chosen = [one for one in links if _is_troubled(one) or one.opportunity_id in asked]
    if not chosen:
        return ()
    keys = {
        Side.SALESFORCE: [one.opportunity_id for one in chosen],
        Side.PARTNER_CENTER: [one.referral_id for one in chosen if one.referral_id],
    }
    try:
        found = [entry for side in Side for entry in entries_of(ctx, side, keys[side]).values()]
    except StoreError:
        return ()
    return [entry for entry in found if entry.cause in WAITS_FOR_PERSON and entry.asked is None]


def _is_troubled(link: Link) -> bool:
    return bool(link.state in REFUSES or link.cause or link.waiting or link.refused)


def end_waits(ctx: Context, waits: Sequence[RetryEntry], links: Iterable[Link], outcomes: Outcomes) -> None:
    """Remove those of `find_waits` whose deals are in step now; one that changed since it was read stays."""
    if not waits:
        return
    settled = [one for one in links if _is_settled(one, outcomes)]
    keys = {key for one in settled for key in (one.opportunity_id, one.referral_id)}
    ended = [entry for entry in waits if entry.key in keys]
    ctx.map(ctx.store.remove_retry_entry, ended)


def _is_settled(link: Link, outcomes: Outcomes) -> bool:
    """Whether the work on a pair has ended, and nothing of the deal waits for a person."""
    outcome = outcomes[link.opportunity_id]
    has_ended = outcome.result is Result.RECONCILED or outcome.cause == WAITING
    is_refused = link.state in REFUSES or link.cause is not None or link.has_refused_value
    return has_ended and not (is_refused or waits_for_approval(link.waiting))


def backlog_fields(ctx: Context, entries: Sequence[RetryEntry]) -> dict[str, int]:
    """How many pairs are late, and the age of the oldest in seconds, as fields of a log event."""
    late = [entry.since for entry in entries if entry.is_failure and entry.since]
    oldest = (ctx.clock.now() - min(late)).total_seconds() if late else 0
    return {"count": len(late), "oldest_seconds": round(oldest)}
