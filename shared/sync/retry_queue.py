"""Decides what follows a failure: when a pair is tried again, and when a side is paused for every instance.

error            the pair is tried again
Throttled        when the side allows it; the side is paused until then
Unavailable      after a growing wait
Locked           after a growing wait
Ambiguous        after the lease: the intent stays, and recovery looks for the effect first
                 an UnreadableRefusal after twice the wait of the try before, up to an hour
SignInFailed     at the next probe; the side is paused until then
NotFound         after a growing wait
StoreConflict    after a growing wait: another instance works on the pair

Source: docs/protocol.md#errors-and-retries, docs/protocol.md#the-retry-queue, docs/protocol.md#throttling.
"""

import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Side
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.policy import PAUSED
from shared.domain.sighting import Sighting
from shared.foundation.errors import (
    Ambiguous,
    CosellError,
    Retryable,
    SignInFailed,
    StoreConflict,
    StoreError,
    Throttled,
    UnreadableRefusal,
)
from shared.foundation.logs import failure_fields
from shared.sync.ports import OPERATOR, PUSH, WAITING, Context, Mode, Outcome, Outcomes, Result, RetryEntry, Store

WAITS_FOR_SIGN_IN = frozenset({"sign_in", "side_paused"})
"""Causes of entries that wait until the sign-in of a side works again."""
NOT_BEGUN = frozenset({"busy", "settling", "side_paused", PAUSED})
"""Causes of pairs of which nothing was read: what an operator has asked for is still to be done."""
LONGEST_QUEUE = 5000
"""So many entries of a queue are made due when a pause ends. The others wait for their time."""

PAUSES_ARE_KNOWN = timedelta(seconds=5)
"""So long does a run rely on the pauses that it read at its start."""
PULLED_TOGETHER = 240
"""Pairs of which each needs a GET: if Salesforce fails or is paused before they are written, all are read again."""
PAIRS_FOR_A_CALL = 48
"""Pairs that are worked together for each call at once that a side takes, where it takes fewer than at the start."""

# --- what an error means for a pair


def outcome_of_error(ctx: Context, error: Exception, key: str) -> Outcome:
    """Return when a pair is tried again after an error. Logs the kind and the place of the error, never its text."""
    name = type(error).__name__
    if not isinstance(error, StoreConflict):
        ctx.log("pair_failed", **failure_fields(error, ctx.correlation_id), key=key, where=_innermost_place(error))
    if isinstance(error, UnreadableRefusal):
        wait = min(ctx.policy.longest_wait, ctx.policy.lease * (1 << max(min(error.tries, 10) - 1, 0)))
        at = ctx.clock.now() + max(wait, ctx.policy.lease) if error.tries else None
        return Outcome(Result.RETRY, name, at, unsure=True)
    if isinstance(error, Ambiguous):
        return Outcome(Result.RETRY, "ambiguous", ctx.clock.now() + ctx.policy.lease, unsure=True)
    if isinstance(error, SignInFailed):
        return Outcome(Result.RETRY, "sign_in", ctx.clock.now() + ctx.policy.probe_interval)
    if isinstance(error, Retryable) and error.after is not None:
        return Outcome(Result.RETRY, name, ctx.clock.now() + timedelta(seconds=error.after))
    # A failure of the store, or a defect of this program, may come after a write that took effect.
    return Outcome(Result.RETRY, name, unsure=isinstance(error, StoreError) or not isinstance(error, CosellError))


def _innermost_place(error: Exception) -> str:
    """The innermost module and line of this product that an error passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "shared" in frame.filename]
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else ""


# --- the health of each side, which every instance reads from the store


def pause_side(ctx: Context, side: Side, error: CosellError) -> None:
    """Pause the side for every instance if the error is throttling or a failed sign-in; else do nothing."""
    if isinstance(error, Throttled):
        pause, reason = timedelta(seconds=error.after or 60), "throttled"
    elif isinstance(error, SignInFailed):
        pause, reason = ctx.policy.probe_interval, "sign_in"
        ctx.log("sign_in_failed", side=side, code=error.code, call_id=error.call_id)
    else:
        return
    known = ctx.store.side_state(side, fresh=True)
    until = max(ctx.clock.now() + pause, known.paused_until or ctx.clock.now())
    ctx.store.write_side_state(side, replace(known, paused_until=until, reason=reason))
    ctx.log("side_paused", side=side, reason=reason, seconds=int(pause.total_seconds()))


@contextmanager
def pausing_on_failure(ctx: Context, side: Side) -> Iterator[None]:
    """Pause the side if a call within fails by throttling or sign-in; the error goes on."""
    try:
        yield
    except CosellError as error:
        pause_side(ctx, side, error)
        raise


def paused_until(ctx: Context, side: Side) -> datetime | None:
    """The end of the side's pause; None where it is not paused. The first call after the end is the probe."""
    until = ctx.store.side_state(side).paused_until
    return until if until is not None and ctx.clock.now() < until else None


def is_paused(ctx: Context, side: Side) -> bool:
    """Whether the side is paused now."""
    return paused_until(ctx, side) is not None


def retry_after_pause(until: datetime | None) -> Outcome:
    """The outcome of a pair whose side is paused."""
    return Outcome(Result.RETRY, "side_paused", until)


def retry_once_rested(ctx: Context, left: timedelta) -> Outcome:
    """The outcome of a pair whose record was just saved: it is tried again once no other save can be committed.

    The condition of a write has whole seconds, so it does not see a save that began in the same second and ends later
    (docs/protocol.md#writing-values-that-people-edit).
    """
    return Outcome(Result.RETRY, "just_saved", ctx.clock.now() + left)


def pause_of_either_side(ctx: Context) -> Outcome | None:
    """The outcome of work that needs both sides, while one of them is paused; None where neither is."""
    ends = [until for side in Side if (until := paused_until(ctx, side))]
    return retry_after_pause(max(ends)) if ends else None


def paused_directions(ctx: Context) -> frozenset[str]:
    """The directions that the settings or an operator have paused, as the store had it at most 5 seconds ago."""
    return ctx.policy.paused.union(ctx.store.pauses())


def must_stop(ctx: Context, started: datetime, direction: str) -> bool:
    """Whether a run must stop: its time is up, or its direction was paused since it read the pauses at its start."""
    is_recent = ctx.clock.now() - started < PAUSES_ARE_KNOWN
    return ctx.is_time_up(started) or not (is_recent or direction not in paused_directions(ctx))


def left_for_pause(ctx: Context, direction: str) -> Outcome | None:
    """The outcome of a pair that a run leaves, because `direction` was paused meanwhile; None while it is not."""
    return Outcome(Result.RETRY, PAUSED, ctx.clock.now()) if direction in paused_directions(ctx) else None


def reason_to_skip(ctx: Context, *sides: Side, direction: str | None = None) -> str | None:
    """Why a run must not start now; None if it may. A skipped run moves no cursor (docs/protocol.md#off-preview-on)."""
    if ctx.policy.mode is not Mode.ON:
        return str(ctx.policy.mode)
    if direction is not None and direction in paused_directions(ctx):
        return "paused"
    is_any_paused = False
    for side, state in [(side, ctx.store.side_state(side)) for side in sides]:
        if state.paused_until is not None and (left := state.paused_until - ctx.clock.now()) > timedelta():
            ctx.log("side_still_paused", side=side, reason=state.reason, seconds=int(left.total_seconds()))
            is_any_paused = True
    return "side_paused" if is_any_paused else None


def end_sign_in_pause(store: Store, side: Side, now: datetime) -> bool:
    """End the pause that a failed sign-in began, because a sign-in has worked. Returns whether there was one.

    The pairs that waited for the sign-in are due at once. A side that limits the number of calls stays paused until the
    time that it has named.
    """
    known = store.side_state(side, fresh=True)
    if not known.waits_for_sign_in:
        return False
    store.write_side_state(side, replace(known, paused_until=None, reason=None))
    for queue in Side:
        for entry in store.retry_entries(queue, datetime.max.replace(tzinfo=UTC), LONGEST_QUEUE):
            if entry.cause in WAITS_FOR_SIGN_IN and entry.at > now:
                store.put_retry_entry(replace(entry, at=now))
    return True


def forget_ended_pauses(ctx: Context) -> None:
    """Forget the pauses that have ended, after a push without failure."""
    for side in Side:
        if ctx.store.side_state(side).paused_until is None:
            continue
        # Another instance may have paused the side since the last read: that pause must stay.
        known = ctx.store.side_state(side, fresh=True)
        if not is_paused(ctx, side):
            ctx.store.write_side_state(side, replace(known, paused_until=None, reason=None))


def batches_of_pairs[T](ctx: Context, pairs: Iterable[T], most: int) -> Iterator[list[T]]:
    """The pairs in batches, each as large as it may be when it begins, and `most` at most."""
    left = list(pairs)
    while left:
        size = pairs_at_once(ctx, most) if len(left) > PAIRS_FOR_A_CALL else most
        yield left[:size]
        del left[:size]


def pairs_at_once(ctx: Context, most: int) -> int:
    """How many pairs are worked together: fewer while a side takes fewer calls at once than at the start.

    What was read of a pair that is not written before the next pause is read again.
    """
    fewest = min(ctx.paces.calls_at_once(side) for side in Side)
    limited = PAIRS_FOR_A_CALL * fewest if fewest < ctx.paces.usual else ctx.policy.batch
    return min(most, limited, ctx.policy.batch)


# --- the retry queue: pairs that wait for their next attempt


def keep_retry_queue(ctx: Context, side: Side, outcomes: Outcomes, worked: Mapping[str, RetryEntry | None]) -> None:
    """Queue the pairs that must be tried again, and remove the entries of the others.

    `worked` holds the entries as they were read before the work. An entry is removed only under the ETag it was read
    with, so that an entry which another instance renewed stays. A pull whose referral is known leaves the rest to a
    push, which need not read it again; what waits for a person is left to a push too, so that it waits in one place.
    """
    for key, outcome in outcomes.items():
        entry = worked.get(key)
        if outcome.pushed and side is Side.PARTNER_CENTER and PUSH not in paused_directions(ctx):
            _leave(ctx, Side.SALESFORCE, outcome.pushed, outcome)
            if entry is not None:
                ctx.store.remove_retry_entry(entry)
        else:
            _leave(ctx, side, key, outcome, entry)


def _leave(ctx: Context, side: Side, key: str, outcome: Outcome, entry: RetryEntry | None = None) -> None:
    """Queue one pair that must be tried again, or remove the entry that its work has ended."""
    if outcome.result is Result.RETRY:
        queue_pair(ctx, side, key, outcome, entry)
    elif outcome.result is Result.HELD or outcome.at is not None:
        now, known = ctx.clock.now(), ctx.store.retry_entry(side, key)
        at, further = outcome.at or now + ctx.policy.held_interval, entry.further if entry else ()
        if not (_is_asked_meanwhile(known, entry) or _is_changed_meanwhile(known, entry)):
            since = known.since if known and known.cause in ("held", OPERATOR) else now
            ctx.store.put_retry_entry(RetryEntry(side, key, at, "held", since=since, further=further))
    elif entry is not None:
        ctx.store.remove_retry_entry(entry)


def asked_for(worked: Mapping[str, RetryEntry | None]) -> frozenset[str]:
    """The pairs that an operator has asked for."""
    return frozenset(key for key, entry in worked.items() if entry is not None and entry.cause == OPERATOR)


def _is_asked_meanwhile(known: RetryEntry | None, worked: RetryEntry | None) -> bool:
    """Whether an operator has asked for the pair since `worked` was read: that entry must stay."""
    return known is not None and known.cause == OPERATOR and known.etag != (worked.etag if worked else "")


def _is_changed_meanwhile(known: RetryEntry | None, worked: RetryEntry | None) -> bool:
    """Whether an event of a burst came since `worked` was read: its change may be newer than what was read."""
    return known is not None and known.is_event and known.etag != (worked.etag if worked else "")


def queue_event(ctx: Context, key: str) -> Outcome | None:
    """Leave an entry for the event of a referral; None if it must be applied at once. Raises the store's errors.

    It is applied at once while a side is paused, and where another entry is known: that one says more than an event
    does. The entry of an earlier event is renewed, so that a run which has read the referral already leaves it.
    """
    if pause_of_either_side(ctx):
        return None
    now = ctx.clock.now()
    entry = RetryEntry.of_event(key, now)
    for _ in range(ctx.policy.tries):
        try:
            ctx.store.write_retry_entry(entry)
        except StoreConflict:
            known = ctx.store.retry_entry(Side.PARTNER_CENTER, key)
            if known is not None and not known.is_event:
                return None
            entry = replace(entry, etag=known.etag if known else "")
        else:
            due = {"side": entry.side, "key": key, "cause": entry.cause, "attempts": 0}
            ctx.log("pair_due", correlation_id=ctx.correlation_id, **due)
            return Outcome(Result.RETRY, entry.cause, now)
    return None


def queue_pair(ctx: Context, side: Side, key: str, outcome: Outcome, worked: RetryEntry | None = None) -> None:
    """Queue one pair. The count of attempts continues, whichever run met the pair (docs/protocol.md#between-runs).

    An attempt before the entry's time does not count: otherwise a burst of events at a busy pair would make it wait
    for an hour. A pair that waits for a set time keeps an earlier entry that was written since `worked` was read.
    """
    now, known = ctx.clock.now(), ctx.store.retry_entry(side, key)
    is_newer = known is not None and known.etag != (worked.etag if worked else "")
    has_set_time = outcome.cause in (WAITING, MASS_CHANGE, MAPPING_CHANGE)
    if has_set_time and outcome.at and known and is_newer and known.at < outcome.at:
        return
    if _is_asked_meanwhile(known, worked) and outcome.cause != OPERATOR:
        return
    previous = known if known and known.is_failure else None
    attempts, since = (previous.attempts + (previous.at <= now), previous.since or now) if previous else (0, now)
    at = outcome.at or now + wait_after(ctx, attempts)
    is_asked = known is not None and known.cause == OPERATOR and outcome.cause in NOT_BEGUN
    cause, asked = (OPERATOR, known.asked) if is_asked and known else (outcome.cause, None)
    further = known.further if known else ()
    ctx.store.put_retry_entry(RetryEntry(side, key, at, cause, attempts, "", since, further, asked))
    ctx.log("pair_due", correlation_id=ctx.correlation_id, side=side, key=key, cause=cause, attempts=attempts)


def wait_after(ctx: Context, attempts: int) -> timedelta:
    """The wait after a number of failed attempts, with full jitter (docs/protocol.md#between-runs).

    It is random, between the shortest wait and a bound that doubles with each attempt, an hour at most.
    """
    longest = min(ctx.policy.longest_wait, ctx.policy.shortest_wait * (1 << min(attempts, 10)))
    return ctx.policy.shortest_wait + (longest - ctx.policy.shortest_wait) * ctx.chance()


def queue_poisoned_event(
    ctx: Context, referral_id: str, event_id: str | None = None, *, is_related: bool = False
) -> None:
    """Queue a referral whose event failed again and again (docs/protocol.md#poisoned-events)."""
    ctx.log("event_poisoned", referral_id=referral_id, event_id=event_id)
    key = Sighting(referral_id).key if is_related else referral_id
    queue_pair(ctx.begin_run(event_id), Side.PARTNER_CENTER, key, Outcome(Result.RETRY, "poisoned"))
