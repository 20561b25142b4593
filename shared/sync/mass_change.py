"""Stops mass changes: counts what a batch would change, before its first write, and takes out what is too much.

A count is a row of the store, so that all instances share it. A pair that is planned anew in the same run keeps what it
was given; what is new in its plan is counted then.

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from shared.domain.counted_changes import MASS_CHANGE, NEW_OPPORTUNITY, NEW_REFERRAL, NEW_REQUEST, Counted, Kind
from shared.domain.deal import Side
from shared.domain.link import Difference, EffectKind
from shared.domain.mass_change import awaits, plan_of_stopped_create, was_stopped, without_stopped
from shared.foundation.errors import StoreError
from shared.sync.pair_lease import Pair, run_step
from shared.sync.ports import Context, Outcome, Result

TOGETHER = 5
"""A value counts once a process has given it to so many deals in a day. So an ordinary edit costs no call."""
IS_COUNTED = "*"
"""Stands among the deals that got a value once each further one is counted."""


def stop_mass_changes(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Count the changes of pairs before they are made, each kind once, and take out those that must wait."""
    coming = dict[Counted, dict[str, Pair]]()
    for pair in pairs:
        for one in _changes_of(pair):
            coming.setdefault(one, {})[pair.id] = pair
        pair.take_granted(())
    for one, wanting in coming.items():
        made = _made_before(ctx, one, wanting) if one.kind is Kind.VALUE else ()
        granted = wanting if made is None else _count(ctx, one, wanting, made)
        for key in granted:
            wanting[key].take_granted((one,))


def _changes_of(pair: Pair) -> list[Counted]:
    """The changes of a pair that were not counted before.

    A create of unknown outcome was counted by its first run. A new deal and its request for help are one creation.
    """
    if pair.outcome is not None:
        return []
    if pair.must_create and pair.granted is None:
        intent = pair.entry.value.intent
        is_creating = intent is not None and any(one.kind is EffectKind.CREATE_REFERRAL for one in intent.effects)
        is_repeated = pair.existing is not None or is_creating
        return [] if is_repeated else [NEW_REFERRAL]
    counted = pair.plan.counted if pair.plan is not None else ()
    granted = pair.granted or ()
    return [one for one in counted if not (one in granted or (one == NEW_REQUEST and NEW_REFERRAL in granted))]


def _made_before(ctx: Context, one: Counted, wanting: Mapping[str, Pair]) -> Collection[str] | None:
    """The deals to which this process gave the value before without a count; None while they are few.

    A deal that was stopped is counted even so, and with it each further one. Each day begins anew.
    """
    day = ctx.clock.now().astimezone(UTC).date()
    if day not in ctx.given:
        ctx.given.clear()
    given = ctx.given.setdefault(day, {}).setdefault(one.count, set())
    if IS_COUNTED in given:
        return ()
    before = (pair.entry.value for pair in wanting.values())
    is_known = any(link.waiting and was_stopped(link, one) for link in before)
    if is_known or len(given | wanting.keys()) >= TOGETHER:
        others = given - wanting.keys()
        given.add(IS_COUNTED)
        return others
    given.update(wanting)
    return None


def _count(ctx: Context, one: Counted, wanting: Mapping[str, Pair], made_before: Collection[str]) -> list[str]:
    """Count one change of several pairs, and stop those that are too many; returns the others.

    A failure of the store ends the work on all of them: nothing is written that was not counted.
    """
    now, changes = ctx.clock.now(), {f"{key}.{one.field}": key for key in wanting}
    made = [f"{key}.{one.field}" for key in made_before]
    known = [f"{key}.{one.field}" for key, pair in wanting.items() if was_stopped(pair.entry.value, one)]
    try:
        granted = let_go(ctx, one, changes, made=made, known=known)
    except StoreError as error:
        for pair in wanting.values():
            run_step(ctx, pair, _fail, error)
        return []
    for change, key in changes.items():
        if change not in granted:
            _stop(wanting[key], one, now)
    return [key for change, key in changes.items() if change in granted]


def _fail(_ctx: Context, _pair: Pair, error: StoreError) -> None:
    raise error


def let_go(
    ctx: Context, one: Counted, changes: Mapping[str, str], *, made: Sequence[str] = (), known: Sequence[str] = ()
) -> frozenset[str]:
    """Count changes before they are made; returns the keys of those that may be made now. Tells what was stopped.

    `made` are changes that were made already without a count, and `known` those that were stopped before.
    A stop lasts until an operator approves it, or until no pair waits for it any more. Raises the store's errors.
    """
    now, limit = ctx.clock.now(), ctx.policy.mass_change_limit
    granted, count = ctx.store.let_changes_go(one.count, changes, now, limit, made=made)
    is_older = len(granted) < len(changes) and count.since is not None and count.since < now
    if is_older and not (known or _is_awaited(ctx, one, count.examples)):
        ctx.store.release_changes(one.count, now)
        granted, count = ctx.store.let_changes_go(one.count, changes, now, limit)
    if len(granted) < len(changes):
        stopped = [deal for key, deal in changes.items() if key not in granted]
        ctx.log(
            "mass_change_stopped", correlation_id=ctx.correlation_id, kind=one.kind, side=one.side,
            field=None if one.field == "*" else one.field, count=len(stopped), limit=count.limit,
            since=count.since and count.since.isoformat(), examples=list(count.examples),
        )  # fmt: skip
    return granted


def _is_awaited(ctx: Context, one: Counted, examples: Collection[str]) -> bool:
    """Whether a deal waits for an operator: what its retry entry says may be the outage of an hour ago."""
    if one == NEW_OPPORTUNITY:
        return _is_arrival_awaited(ctx)
    stored = (entry.value for key in examples if (entry := ctx.store.link(key)))
    return any(awaits(link, one) for link in stored) or any(awaits(entry.value, one) for entry in ctx.store.links())


def _is_arrival_awaited(ctx: Context) -> bool:
    """Whether a referral is queued that has no opportunity. A queue that is too long to read is taken for one.

    An event of a burst is none: whether its referral wants an opportunity is not known, and the next run tells.
    """
    entries = ctx.store.retry_entries(Side.PARTNER_CENTER, datetime.max.replace(tzinfo=UTC), ctx.policy.batch)
    if len(entries) >= ctx.policy.batch:
        return True
    pointers = ((entry, ctx.store.pointer(entry.key)) for entry in entries if not entry.is_event)
    return any(entry.cause == MASS_CHANGE or not (known and known.value.opportunity_id) for entry, known in pointers)


def _stop(pair: Pair, one: Counted, now: datetime) -> None:
    """Take a change out of what a pair is about to do."""
    if one == NEW_REFERRAL:
        pair.decide_create(is_wanted=False)
        pair.take_plan(plan_of_stopped_create(pair.entry.value, now))
    elif pair.plan is not None:
        pair.take_plan(without_stopped(pair.plan, pair.entry.value, (one,), now))


def stopped_opportunity(ctx: Context, referral_id: str, drop_claim: Callable[[Context], None]) -> Outcome | None:
    """The outcome of a referral whose opportunity must wait for an operator; None if it may be created now."""
    entry = ctx.store.retry_entry(Side.PARTNER_CENTER, referral_id)
    known = (referral_id,) if entry is not None and entry.cause == MASS_CHANGE else ()
    if let_go(ctx, NEW_OPPORTUNITY, {referral_id: referral_id}, known=known):
        return None
    drop_claim(ctx)
    return wait_for_approval(ctx)


def wait_for_approval(ctx: Context, waiting: Mapping[str, Difference] = {}) -> Outcome:
    """The outcome of a pair of which something waits for an operator: it is looked at each hour."""
    at = ctx.clock.now() + ctx.policy.held_interval
    if waiting and not any(record.code == MASS_CHANGE for record in waiting.values()):
        return Outcome(Result.RETRY, "mapping_change", at)
    return Outcome(Result.RETRY, "mass_change", at)
