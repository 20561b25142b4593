"""What an error means for a pair and for its side (protocol.md section 9).

error            the pair                       the side
Throttled        due after the side's wish      paused until then, half the parallelism
Unavailable      due, growing distance          -
Locked           due, growing distance          -
Ambiguous        due after the lease: the intent stays, whoever comes back looks first
SignInFailed     due with the probe             paused for every instance, probed every 15 minutes
NotFound         due, growing distance          -
StoreConflict    due: another instance has the pair
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from shared.domain.deal import Side
from shared.foundation.errors import (
    Ambiguous,
    CosellError,
    Retryable,
    SignInFailed,
    StoreConflict,
    StoreError,
    Throttled,
)
from shared.sync.context import Context, Mode
from shared.sync.ports import SideState, Write, Written
from shared.sync.reconcile.pair import Outcome, Pair, Result


def guarded[T](ctx: Context, pair: Pair, step: Callable[..., T], *given: object) -> T | None:
    """Run one pair's step; an error ends the work on this pair only (design.md section 4, rule 7)."""
    try:
        return step(ctx, pair, *given)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one pair must not stop the others
        pair.outcome = outcome_of(ctx, error, pair.id)
        return None


def called(
    ctx: Context,
    pairs: Sequence[Pair],
    call: Callable[[Sequence[Write], Sequence[str]], Sequence[Written]],
    writes: Sequence[Write],
    columns: Sequence[str],
) -> Sequence[Written]:
    """Make one batched call to Salesforce; where the whole call fails, its pairs are due."""
    until = ctx.store.side(Side.SALESFORCE).paused_until
    if until is not None and ctx.clock.now() < until:
        for pair in pairs:
            pair.outcome = Outcome(Result.DUE, "side_paused", until)
        return ()
    try:
        return call(writes, columns)
    except Exception as error:  # noqa: BLE001 - the pairs of other calls go on (design.md section 4, rule 7)
        if isinstance(error, CosellError):
            note_side(ctx, Side.SALESFORCE, error)
        for pair in pairs:
            pair.outcome = outcome_of(ctx, error, pair.id)
        return ()


def outcome_of(ctx: Context, error: Exception, key: str) -> Outcome:
    """When to try again after an error, with one event in the log: its kind and place, never its text."""
    name = type(error).__name__
    if not isinstance(error, StoreConflict):
        ctx.log("pair_failed", key=key, error=name, where=_place(error))
    if isinstance(error, Ambiguous):
        return Outcome(Result.DUE, "ambiguous", ctx.clock.now() + ctx.policy.lease, unsure=True)
    if isinstance(error, SignInFailed):
        return Outcome(Result.DUE, "sign_in", ctx.clock.now() + ctx.policy.probe_interval)
    if isinstance(error, Retryable) and error.after is not None:
        return Outcome(Result.DUE, name, ctx.clock.now() + timedelta(seconds=error.after))
    # The store's own failures and faults of ours may come after a write that happened.
    return Outcome(Result.DUE, name, unsure=isinstance(error, StoreError) or not isinstance(error, CosellError))


def _place(error: Exception) -> str:
    """The innermost module and line of ours that an error passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "shared" in frame.filename]
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else ""


def note_side(ctx: Context, side: Side, error: CosellError) -> None:
    """Tell every instance that a side asked for patience or does not let us in."""
    if isinstance(error, Throttled):
        pause, reason = timedelta(seconds=error.after or 60), "throttled"
    elif isinstance(error, SignInFailed):
        pause, reason = ctx.policy.probe_interval, "sign_in"
        ctx.log("sign_in_failed", side=side, code=error.code)
    else:
        return
    known = ctx.store.side(side, fresh=True)
    until = max(ctx.clock.now() + pause, known.paused_until or ctx.clock.now())
    parallelism = max(1, (known.parallelism or ctx.policy.parallelism) // 2) if reason == "throttled" else None
    ctx.store.write_side(side, SideState(until, reason, parallelism or known.parallelism))
    ctx.log("side_paused", side=side, reason=reason, seconds=int(pause.total_seconds()))


@contextmanager
def watching(ctx: Context, side: Side) -> Iterator[None]:
    """Calls to a side: what the side asks of us is told to every instance, and the error goes on."""
    try:
        yield
    except CosellError as error:
        note_side(ctx, side, error)
        raise


def is_paused(ctx: Context, side: Side) -> bool:
    """Whether the side is to be left alone now; the first to come after the pause is the probe."""
    until = ctx.store.side(side).paused_until
    return until is not None and ctx.clock.now() < until


def is_skipped(ctx: Context, run: str, *sides: Side, pause: str | None = None) -> bool:
    """Whether a run is not to be made now, with one event in the log; then no cursor moves (protocol.md section 1)."""
    reason = None
    if ctx.policy.mode is Mode.OFF:
        reason = "off"
    elif pause in ctx.policy.paused:
        reason = "paused"
    elif any(is_paused(ctx, side) for side in sides):
        reason = "side_paused"
    if reason is not None:
        ctx.log("run_skipped", run=run, reason=reason)
    return reason is not None


def note_success(ctx: Context, side: Side) -> None:
    """Restore a side slowly: one more call at once after each run without throttling."""
    if ctx.store.side(side) == SideState():
        return
    # Another instance may have paused it since: its pause is not to be taken back.
    known = ctx.store.side(side, fresh=True)
    if is_paused(ctx, side):
        return
    parallelism = (known.parallelism or ctx.policy.parallelism) + 1
    restored = parallelism >= ctx.policy.parallelism
    ctx.store.write_side(side, SideState(parallelism=None if restored else parallelism))
