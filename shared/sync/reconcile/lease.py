"""The lease of a pair and the intent in it (docs/protocol.md#lease-and-intent).

The link's row is the lock. An instance acquires it by writing an empty intent under the row's ETag. It records the
intent before the first remote write and at every change of the plan, which renews the lease:

    row                        age                         an instance that finds it
    without intent             any                         acquires it
    with intent                within the lease            queues the pair for a retry
    with intent                past the lease              takes it over, and recovers the interrupted work
    with intent to create      past lease + settle time    the same: lists show a new referral late
"""

from copy import replace
from datetime import timedelta

from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.foundation.errors import StoreConflict
from shared.sync.context import Context
from shared.sync.outcome import BUSY, Outcome, Result
from shared.sync.ports import Entry, Line
from shared.sync.reconcile.known_versions import with_known_versions
from shared.sync.reconcile.pair import Pair


def acquire(ctx: Context, opportunity_id: str) -> Pair | Outcome:
    """Acquire the lease of a pair, and create its row if it is missing; an outcome if another instance holds it."""
    try:
        entry = ctx.store.link(opportunity_id)
        if entry is None:
            return _acquired(ctx, ctx.store.insert_link(Link(opportunity_id).with_intent()))
        if entry.value.intent is None:
            return _acquired(ctx, ctx.store.replace_link(entry, entry.value.with_intent()))
        return _take_over(ctx, entry, entry.value.intent)
    except StoreConflict:
        return BUSY


def _acquired(ctx: Context, entry: Entry[Link], interrupted: Intent | None = None) -> Pair:
    return Pair(entry, interrupted=interrupted or Intent(), renewed_at=ctx.clock.now())


def _take_over(ctx: Context, entry: Entry[Link], intent: Intent) -> Pair | Outcome:
    if entry.age < ctx.policy.lease:
        return BUSY
    wait = ctx.policy.lease + _settle_time(ctx, intent)
    if entry.age < wait:
        return Outcome(Result.RETRY, "settling", ctx.clock.now() + wait - entry.age)
    return _acquired(ctx, ctx.store.replace_link(entry, entry.value), intent)


def _settle_time(ctx: Context, intent: Intent) -> timedelta:
    """Return the time to wait after the lease until a referral that may have been created appears in lists."""
    return ctx.policy.settle_time if intent.find(EffectKind.CREATE_REFERRAL) else timedelta()


def record_intent(
    ctx: Context, pair: Pair, *effects: Effect, lines: tuple[Line, ...] = (), link: Link | None = None
) -> None:
    """Store the coming effects before the first of them. Raises StoreConflict: the lease was lost."""
    pair.entry = ctx.store.replace_link(pair.entry, (link or pair.link).with_intent(*effects), lines)
    pair.interrupted, pair.renewed_at = Intent(), ctx.clock.now()


def confirm_effect(ctx: Context, pair: Pair, kind: EffectKind, link: Link, lines: tuple[Line, ...] = ()) -> None:
    """Remove a confirmed effect from the intent, with the base it moves and its audit lines, in one transaction."""
    intent = (pair.link.intent or Intent()).without(kind)
    pair.entry = ctx.store.replace_link(pair.entry, replace(link, intent=intent), lines)
    pair.renewed_at = ctx.clock.now()
    if pair.plan is not None:
        # The rest of the plan starts from what is confirmed; otherwise a later effect would move the base back.
        pair.plan = replace(pair.plan, base=link.base, refused=link.refused)


def is_lease_short(ctx: Context, pair: Pair) -> bool:
    """Whether less than two deadlines of the lease are left: no effect may start then."""
    limit = ctx.policy.lease - 2 * ctx.policy.deadline
    return pair.renewed_at is None or ctx.clock.now() - pair.renewed_at > limit


def release(ctx: Context, pair: Pair, lines: tuple[Line, ...] = ()) -> None:
    """Release the lease and store the versions that are known now; `lines` still have to be written back."""
    link = replace(pair.link, unwritten=pair.link.unwritten or bool(lines))
    known = with_known_versions(link, pair, ctx.translation.rules)
    pair.entry = ctx.store.replace_link(pair.entry, known.without_intent(), lines)


def delete_unused_link(ctx: Context, pair: Pair) -> None:
    """Delete the row of an opportunity that is not synced."""
    ctx.store.delete_link(pair.entry)
