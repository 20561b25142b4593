"""Decides when a pair is tried again after an error (docs/protocol.md#errors-and-retries).

error            the pair is tried again
Throttled        when the side allows it; `side_health` pauses the side
Unavailable      after a growing wait
Locked           after a growing wait
Ambiguous        after the lease: the intent stays, and recovery looks for the effect first
SignInFailed     at the next probe; `side_health` pauses the side
NotFound         after a growing wait
StoreConflict    after a growing wait: another instance works on the pair
"""

import traceback
from datetime import timedelta
from pathlib import Path

from shared.foundation.errors import Ambiguous, CosellError, Retryable, SignInFailed, StoreConflict, StoreError
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Result


def outcome_of_error(ctx: Context, error: Exception, key: str) -> Outcome:
    """Return when a pair is tried again after an error. Logs the kind and the place of the error, never its text."""
    name = type(error).__name__
    if not isinstance(error, StoreConflict):
        ctx.log("pair_failed", key=key, error=name, where=_innermost_place(error))
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
