"""Reads the retry queue: what is ready for a run, and the entries of pairs that it works for another reason.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from shared.domain.deal import Side
from shared.sync.ports import Context, RetryEntry

FEW = 4
"""For more pairs than these, the whole queue of a side is read at once."""
NO_END = datetime.max.replace(tzinfo=UTC)


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
    found = ctx.map(lambda key: ctx.store.retry_entry(side, key), keys, at_most=ctx.policy.parallelism)
    return {entry.key: entry for entry in found if entry is not None}


def read_entries(ctx: Context, referral_ids: Collection[str]) -> Mapping[str, RetryEntry]:
    """The entries of failed work on referrals that are about to be worked for another reason.

    Their work ends these entries too: otherwise the next push would read each referral once more.
    """
    entries = entries_of(ctx, Side.PARTNER_CENTER, referral_ids)
    return {key: entry for key, entry in entries.items() if entry.is_failure}


def backlog_fields(ctx: Context, entries: Sequence[RetryEntry]) -> dict[str, int]:
    """How many pairs are late, and the age of the oldest in seconds, as fields of a log event."""
    late = [entry.since for entry in entries if entry.is_failure and entry.since]
    oldest = (ctx.clock.now() - min(late)).total_seconds() if late else 0
    return {"count": len(late), "oldest_seconds": round(oldest)}
