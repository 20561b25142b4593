"""The retry queue: pairs that wait for their next attempt (docs/protocol.md#the-retry-queue).

An entry is removed only under the ETag it was read with, so that an entry which another instance renewed stays.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from shared.domain.deal import Side
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Outcomes, Result
from shared.sync.ports import RetryEntry
from shared.sync.retry.backoff import next_attempt

NOT_LATE = frozenset({"held", "waiting"})
"""Causes of entries that are not late: a person must act first, or a set time has not come yet."""


def keep_retry_queue(ctx: Context, side: Side, outcomes: Outcomes, worked: Mapping[str, RetryEntry | None]) -> None:
    """Queue the pairs that must be tried again, and remove the entries of the others.

    `worked` holds the entries as they were read before the work.
    """
    for key, outcome in outcomes.items():
        entry = worked.get(key)
        if outcome.result is Result.RETRY:
            queue_pair(ctx, side, key, outcome)
        elif outcome.result is Result.HELD:
            at = ctx.clock.now() + ctx.policy.held_interval
            ctx.store.put_retry_entry(RetryEntry(side, key, at, "held", further=entry.further if entry else ()))
        elif entry is not None:
            ctx.store.remove_retry_entry(entry)


def queue_pair(ctx: Context, side: Side, key: str, outcome: Outcome) -> None:
    """Queue one pair. The count of attempts continues, whichever run met the pair (docs/protocol.md#between-runs).

    An attempt before the entry's time does not count: otherwise a burst of events at a busy pair would make it wait
    for an hour.
    """
    now, known = ctx.clock.now(), ctx.store.retry_entry(side, key)
    previous = known if known and known.cause not in NOT_LATE else None
    attempts = previous.attempts + (previous.at <= now) if previous else 0
    since = (previous.since if previous else None) or now
    at = outcome.at or next_attempt(ctx, attempts)
    further = known.further if known else ()
    ctx.store.put_retry_entry(RetryEntry(side, key, at, outcome.cause, attempts, since=since, further=further))
    ctx.log("pair_due", side=side, key=key, cause=outcome.cause, attempts=attempts)


def queue_poisoned_event(ctx: Context, referral_id: str) -> None:
    """Queue a referral whose event failed again and again (docs/protocol.md#poisoned-events)."""
    ctx.log("event_poisoned", referral_id=referral_id)
    queue_pair(ctx, Side.PARTNER_CENTER, referral_id, Outcome(Result.RETRY, "poisoned"))


def queued_entries(ctx: Context, side: Side) -> Sequence[RetryEntry]:
    """The entries of a side, whenever their time is; one batch of a run at most."""
    return ctx.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), ctx.policy.batch)


def ready_entries(ctx: Context, side: Side, queued: Sequence[RetryEntry]) -> dict[str, RetryEntry]:
    """The entries whose time has come, by pair.

    The store is read again only where `queued` is a full batch, because then it may lack entries that are ready.
    """
    now = ctx.clock.now()
    is_full = len(queued) >= ctx.policy.batch
    entries = ctx.store.retry_entries(side, now, ctx.policy.batch) if is_full else queued
    return {entry.key: entry for entry in entries if entry.at <= now}


def must_wait(ctx: Context, entry: RetryEntry) -> bool:
    """Whether a pair that failed waits for a later time than now."""
    return entry.cause not in NOT_LATE and entry.at > ctx.clock.now()


def report_backlog(ctx: Context, entries: Sequence[RetryEntry]) -> None:
    """Log how many pairs are late, and the age of the oldest in seconds."""
    late = [entry.since for entry in entries if entry.cause not in NOT_LATE and entry.since]
    oldest = (ctx.clock.now() - min(late)).total_seconds() if late else 0
    ctx.log("unsynced", count=len(late), oldest_seconds=round(oldest))
