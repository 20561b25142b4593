"""The health of each side: paused, throttled or recovering. Every instance reads it from the store.

A side that throttles us is paused for the time that it names, and gets half as many parallel calls. A side that refuses
our sign-in is paused until the next probe (docs/protocol.md#throttling, docs/protocol.md#failed-sign-in).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.domain.deal import Side
from shared.foundation.errors import CosellError, SignInFailed, Throttled
from shared.sync.context import Context, Mode
from shared.sync.outcome import Outcome, Result
from shared.sync.ports import SideState


def pause_side(ctx: Context, side: Side, error: CosellError) -> None:
    """Pause the side for every instance if the error is throttling or a failed sign-in; else do nothing."""
    if isinstance(error, Throttled):
        pause, reason = timedelta(seconds=error.after or 60), "throttled"
    elif isinstance(error, SignInFailed):
        pause, reason = ctx.policy.probe_interval, "sign_in"
        ctx.log("sign_in_failed", side=side, code=error.code)
    else:
        return
    known = ctx.store.side_state(side, fresh=True)
    until = max(ctx.clock.now() + pause, known.paused_until or ctx.clock.now())
    parallelism = max(1, (known.parallelism or ctx.policy.parallelism) // 2) if reason == "throttled" else None
    ctx.store.write_side_state(side, SideState(until, reason, parallelism or known.parallelism))
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


def is_run_skipped(ctx: Context, run: str, *sides: Side, direction: str | None = None) -> bool:
    """Whether a run must not start now, with one log event that says why.

    A skipped run moves no cursor (docs/protocol.md#off-preview-on).
    """
    reason = None
    if ctx.policy.mode is Mode.OFF:
        reason = "off"
    elif direction in ctx.policy.paused:
        reason = "paused"
    elif any(is_paused(ctx, side) for side in sides):
        reason = "side_paused"
    if reason is not None:
        ctx.log("run_skipped", run=run, reason=reason)
    return reason is not None


def restore_side(ctx: Context, side: Side) -> None:
    """Allow one more parallel call after a push without failure, until the full parallelism is back."""
    if ctx.store.side_state(side) == SideState():
        return
    # Another instance may have paused the side since the last read: that pause must stay.
    known = ctx.store.side_state(side, fresh=True)
    if is_paused(ctx, side):
        return
    parallelism = (known.parallelism or ctx.policy.parallelism) + 1
    is_restored = parallelism >= ctx.policy.parallelism
    ctx.store.write_side_state(side, SideState(parallelism=None if is_restored else parallelism))
