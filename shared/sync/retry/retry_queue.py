"""The due list: pairs that wait for their next attempt; a row is removed only under the ETag it was read with."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from shared.domain.deal import Side
from shared.sync.context import Context
from shared.sync.ports import Due
from shared.sync.reconcile.pair import Outcome, Result

PATIENT = frozenset({"held", "waiting"})
"""Causes for which nobody is late: a person must act first, or the time has not come."""


class Report(Struct):
    """What a run did, for the log and for whoever started it by hand."""

    seen: int = 0
    results: dict[Result, int] = field(default_factory=lambda: dict.fromkeys(Result, 0))

    def add(self, outcomes: Mapping[str, Outcome]) -> None:
        """Count outcomes."""
        for outcome in outcomes.values():
            self.results[outcome.result] += 1

    def fields(self) -> dict[str, int]:
        """The counts as log fields."""
        return {"seen": self.seen, **{str(result): count for result, count in self.results.items()}}


def note(ctx: Context, side: Side, outcomes: Mapping[str, Outcome], worked: Mapping[str, Due | None]) -> None:
    """Keep what is due on the list, and take off what is settled; `worked` are due rows as read before the work."""
    for key, outcome in outcomes.items():
        row = worked.get(key)
        if outcome.result is Result.DUE:
            put(ctx, side, key, outcome)
        elif outcome.result is Result.HELD:
            held = Due(side, key, ctx.clock.now() + ctx.policy.held_interval, "held")
            ctx.store.put_due(held)
        elif row is not None:
            ctx.store.remove_due(row)


def put(ctx: Context, side: Side, key: str, outcome: Outcome) -> None:
    """Put one pair on the list; the count of one that failed before goes on, whoever met it (protocol.md section 9).

    An attempt before its time does not count: a burst of events at a busy pair must not make it wait for an hour.
    """
    now, known = ctx.clock.now(), ctx.store.due_of(side, key)
    before = known if known and known.cause not in PATIENT else None
    attempts = before.attempts + (before.at <= now) if before else 0
    since = (before.since if before else None) or now
    at = outcome.at or ctx.due_at(attempts)
    ctx.store.put_due(Due(side, key, at, outcome.cause, attempts, since=since))
    ctx.log("pair_due", side=side, key=key, cause=outcome.cause, attempts=attempts)


def on_list(ctx: Context, side: Side) -> Sequence[Due]:
    """What waits on a side's list, whenever its time is; no more than a run's batch."""
    return ctx.store.due(side, datetime.max.replace(tzinfo=UTC), ctx.policy.batch)


def come_due(ctx: Context, side: Side, listed: Sequence[Due]) -> dict[str, Due]:
    """The pairs whose time has come; only where `on_list` cannot have shown all is the store asked once more."""
    now = ctx.clock.now()
    rows = ctx.store.due(side, now, ctx.policy.batch) if len(listed) >= ctx.policy.batch else listed
    return {row.key: row for row in rows if row.at <= now}


def tell_backlog(ctx: Context, rows: Sequence[Due]) -> None:
    """Tell how much is unsynced, and since when; what waits for a person or for its time is not."""
    late = [row.since for row in rows if row.cause not in PATIENT and row.since]
    oldest = (ctx.clock.now() - min(late)).total_seconds() if late else 0
    ctx.log("unsynced", count=len(late), oldest_seconds=round(oldest))


def put_poisoned(ctx: Context, referral_id: str) -> None:
    """Put a referral on the list whose event failed again and again."""
    ctx.log("event_poisoned", referral_id=referral_id)
    put(ctx, Side.PARTNER_CENTER, referral_id, Outcome(Result.DUE, "poisoned"))
