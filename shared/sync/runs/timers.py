"""Runs a push or a sweep, or its preview, when a timer starts it (docs/protocol.md#off-preview-on)."""

from shared.domain.deal import Side
from shared.sync.change_detection.referral_scan import SWEEP
from shared.sync.context import PULL, PUSH, Context, Mode
from shared.sync.outcome import Report
from shared.sync.retry.side_health import is_run_skipped
from shared.sync.runs.guard import guard_run
from shared.sync.runs.preview import preview_push, preview_sweep
from shared.sync.runs.push import push
from shared.sync.runs.sweep import sweep


def run_push(ctx: Context) -> Report:
    """Push, or preview the push."""
    if ctx.policy.mode is not Mode.PREVIEW:
        return push(ctx)
    if not is_run_skipped(ctx, PUSH, *Side):
        with guard_run(ctx, PUSH, Side.SALESFORCE):
            preview_push(ctx)
    return Report()


def run_sweep(ctx: Context) -> Report:
    """Sweep, or preview the sweep."""
    if ctx.policy.mode is not Mode.PREVIEW:
        return sweep(ctx)
    if not is_run_skipped(ctx, SWEEP, Side.PARTNER_CENTER, direction=PULL):
        with guard_run(ctx, SWEEP, Side.PARTNER_CENTER):
            preview_sweep(ctx)
    return Report()
