"""The timer's work with `SYNC=preview`: log what the next push and sweep would do, as `cosell preview` shows it.

A preview reads what it plans, so the timer makes one an hour, and of so many deals at most. Nothing is written.

Source: docs/protocol.md#off-preview-on.
"""

from datetime import timedelta

from shared.app import App
from shared.domain.deal import Side
from shared.domain.policy import PULL, PUSH, Mode
from shared.domain.sweep_cursor import SWEEP
from shared.foundation.errors import CosellError
from shared.foundation.logs import CURRENT_RUN, failure_fields
from shared.operations.preview import preview_next
from shared.operations.preview_context import preview_of
from shared.sync.retry_queue import is_paused

PREVIEW_AGAIN = timedelta(hours=1)
MOST_OPPORTUNITIES, MOST_REFERRALS = 2_000, 100
"""So many are read by one preview of the timer: each of these referrals may cost a call to each side."""


def log_preview(app: App) -> None:
    """Log what the next runs would do, unless the sync is on or off, a side is paused, or it was logged just now.

    Raises errors of the store only.
    """
    ctx, now = app.context, app.clock.now()
    is_recent = app.previewed_at is not None and now - app.previewed_at < PREVIEW_AGAIN
    if ctx.policy.mode is not Mode.PREVIEW or is_recent or any(is_paused(ctx, side) for side in Side):
        return
    app.previewed_at = now
    preview = preview_of(ctx, app.rows)
    token = CURRENT_RUN.set(preview.ctx.correlation_id)
    try:
        report = preview_next(preview, most=(MOST_OPPORTUNITIES, MOST_REFERRALS))
    except CosellError as error:
        ctx.log("run_failed", **failure_fields(error, preview.ctx.correlation_id), run="preview")
        return
    finally:
        CURRENT_RUN.reset(token)
    for run, direction in ((PUSH, PUSH), (SWEEP, PULL)):
        ctx.log("previewed", run=run, **report.counts(direction), left=report.left[direction])
