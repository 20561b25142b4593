"""Acquires the leases of pairs: a row becomes ours when an empty intent is written into it under its ETag.

A row may be left free while something is read: its lease is acquired under the ETag from before, which each lease of
another instance would have changed.

Source: docs/protocol.md#acquiring-the-lock.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import timedelta
from functools import partial

from msgspec import Struct

from shared.domain.link import EffectKind, Intent, Link
from shared.foundation.errors import CosellError, StoreConflict
from shared.sync.pair_lease import Pair, read_opportunities, record_intent, run_step
from shared.sync.ports import BUSY, Context, Entry, Outcome, Result
from shared.sync.retry_queue import outcome_of_error

type KnownLinks = Mapping[str, Entry[Link] | None]
"""The rows that a run has just read, by opportunity id; None for one that did not exist."""


class Work(Struct, frozen=True):
    """The pairs under their leases, and the outcomes of those whose lease could not be acquired."""

    pairs: Sequence[Pair]
    ended: Mapping[str, Outcome]


def acquire_all(ctx: Context, opportunity_ids: Sequence[str], known: KnownLinks | None = None) -> Work:
    """Acquire the leases of pairs, as `acquire` does. An error ends the work on its own pair only."""
    return _open_all(ctx, opportunity_ids, partial(acquire, ctx, known=known))


def open_free(ctx: Context, opportunity_ids: Sequence[str], known: KnownLinks | None = None) -> Work:
    """Acquire the leases of interrupted work, and leave other rows as they are until `hold` acquires them.

    What is read meanwhile was read under the lease: `hold` fails if another instance has had the row. The row of a
    test referral that is to be closed is acquired too, because that happens before its opportunity is read.
    """
    return _open_all(ctx, opportunity_ids, partial(_acquire_unless_free, ctx, known=known or {}))


def hold_all(ctx: Context, pairs: Sequence[Pair]) -> Work:
    """Acquire the leases of pairs that were read; one whose row has changed is acquired and read anew.

    A pair that has ended needs none, unless its row must tell that the opportunity is missing.
    """
    free = [pair for pair in pairs if pair.is_free and (not pair.outcome or (pair.missing_at and pair.entry.etag))]
    ctx.map(lambda pair: run_step(ctx, pair, hold), free)
    if not (moved := {pair.id for pair in free if pair.outcome is BUSY}):
        return Work(pairs, {})
    again = acquire_all(ctx, [*moved])
    read_opportunities(ctx, again.pairs)
    return Work([*(pair for pair in pairs if pair.id not in moved), *again.pairs], again.ended)


def _open_all(ctx: Context, opportunity_ids: Sequence[str], step: Callable[[str], Pair | Outcome]) -> Work:
    results = ctx.map(partial(_run_or_queue, ctx, step), opportunity_ids)
    ended = {key: one for key, one in zip(opportunity_ids, results, strict=True) if isinstance(one, Outcome)}
    return Work([one for one in results if isinstance(one, Pair)], ended)


def _run_or_queue(ctx: Context, step: Callable[[str], Pair | Outcome], opportunity_id: str) -> Pair | Outcome:
    try:
        return step(opportunity_id)
    except CosellError as error:
        return outcome_of_error(ctx, error, opportunity_id)


def _acquire_unless_free(ctx: Context, opportunity_id: str, known: KnownLinks) -> Pair | Outcome:
    entry = known[opportunity_id] if opportunity_id in known else ctx.store.link(opportunity_id)
    if entry is None:
        missing = Entry(Link(opportunity_id), "", timedelta())
        return Pair(opportunity_id, missing, missing.value, ctx.clock.now(), written=[])
    if entry.value.intent is not None or entry.value.close_as_test:
        return acquire(ctx, opportunity_id, known={opportunity_id: entry})
    return Pair(opportunity_id, entry, entry.value, ctx.clock.now())


def acquire(ctx: Context, opportunity_id: str, known: KnownLinks | None = None) -> Pair | Outcome:
    """Acquire the lease of a pair, and create its row if it is missing; an outcome if another instance holds it.

    A row that is `known` to be free is not read again: its ETag says whether it is still the same. If it is not, it is
    read.
    """
    try:
        if known is not None and opportunity_id in known and (taken := _acquire_known(ctx, opportunity_id, known)):
            return taken
        entry = ctx.store.link(opportunity_id)
        if entry is None:
            return _insert(ctx, opportunity_id)
        if entry.value.intent is not None:
            return _take_over(ctx, entry, entry.value.intent)
        return _lock(ctx, entry)
    except StoreConflict:
        return BUSY


def hold(ctx: Context, pair: Pair) -> bool:
    """Acquire the lease of a pair whose row was left free; False ends the work: another instance has it, or had it."""
    if pair.is_free:
        try:
            record_intent(ctx, pair)
        except StoreConflict:
            pair.end(BUSY)
            return False
    return True


def _lock(ctx: Context, entry: Entry[Link]) -> Pair:
    acquired = ctx.store.replace_link(entry, replace(entry.value, intent=Intent()))
    return Pair(acquired.value.opportunity_id, acquired, acquired.value, ctx.clock.now())


def _acquire_known(ctx: Context, opportunity_id: str, known: KnownLinks) -> Pair | None:
    """Acquire the lease under the ETag that the row had; None where it must be read, because another was first."""
    entry = known[opportunity_id]
    if entry is not None and entry.value.intent is not None:
        return None
    try:
        return _insert(ctx, opportunity_id) if entry is None else _lock(ctx, entry)
    except StoreConflict:
        return None


def _insert(ctx: Context, opportunity_id: str) -> Pair:
    inserted = ctx.store.insert_link(Link(opportunity_id, intent=Intent()))
    return Pair(opportunity_id, inserted, inserted.value, ctx.clock.now(), written=[])


def _take_over(ctx: Context, entry: Entry[Link], intent: Intent) -> Pair | Outcome:
    if entry.age < ctx.policy.lease:
        return BUSY
    now, creation = ctx.clock.now(), intent.find(EffectKind.CREATE_REFERRAL)  # lists show a new referral late
    wait = ctx.policy.lease + (ctx.policy.settle_time if creation else timedelta())
    if entry.age < wait:
        return Outcome(Result.RETRY, "settling", now + wait - entry.age)
    taken = ctx.store.replace_link(entry, entry.value)
    return Pair(taken.value.opportunity_id, taken, taken.value, now, intent, now - entry.age)
