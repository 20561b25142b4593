"""Push: every minute, what changed in Salesforce; then all that is due, on both sides (protocol.md section 8)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched

from shared.domain.deal import Side
from shared.foundation.errors import CosellError
from shared.sync.change_detection.noticing import polled
from shared.sync.context import Context, Mode
from shared.sync.ports import Due
from shared.sync.reconcile.reconcile import push_pairs
from shared.sync.retry.error_policy import is_skipped, note_side, note_success
from shared.sync.retry.retry_queue import Report, come_due, note, on_list, tell_backlog
from shared.sync.runs.preview import preview_push
from shared.sync.runs.pull import PULL, pull

PUSH = "push"
WORKED_BY = {Side.SALESFORCE: PUSH, Side.PARTNER_CENTER: PULL}
"""Which direction works a side's due list, in the order of the work."""


def push(ctx: Context) -> Report:
    """Settle what changed in Salesforce and what is due. Raises nothing of `foundation.errors` but the store's."""
    report, started = Report(), ctx.clock.now()
    if is_skipped(ctx, PUSH, *Side):
        return report
    try:
        _run(ctx, report, started)
    except CosellError as error:
        note_side(ctx, Side.SALESFORCE, error)
        ctx.log("run_failed", run=PUSH, error=type(error).__name__)
        return report
    if ctx.policy.mode is Mode.ON:
        _tell(ctx, report, started)
    return report


def _run(ctx: Context, report: Report, started: datetime) -> None:
    """What is due for the pull is worked here too, and so even while the push is paused."""
    if ctx.policy.mode is Mode.PREVIEW:
        preview_push(ctx)
        return
    if PUSH in ctx.policy.paused:
        ctx.log("run_skipped", run=PUSH, reason="paused")
    else:
        _push_changed(ctx, report, started)
    tell_backlog(ctx, [row for side in WORKED_BY for row in _work_due(ctx, report, started, side)])


def _tell(ctx: Context, report: Report, started: datetime) -> None:
    """After a run without failure: sides recover, the heartbeat beats, the log says how we stand."""
    for side in Side:
        note_success(ctx, side)
    usage = ctx.salesforce.api_usage()
    if usage is not None:
        ctx.log("salesforce_budget", used=usage[0], total=usage[1])
    ctx.store.move_cursor("push_done", ctx.clock.now())
    ctx.log("push_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))


def _push_changed(ctx: Context, report: Report, started: datetime) -> None:
    for batch in polled(ctx):
        report.seen += batch.seen
        for chunk in batched(batch.rows, ctx.policy.batch, strict=False):
            _push(ctx, report, chunk, batch.rows)
        ctx.store.move_cursors(batch.cursors)
        if time_is_up(ctx, started):
            return


def _work_due(ctx: Context, report: Report, started: datetime, side: Side) -> Sequence[Due]:
    """Work the pairs of a side whose time has come; what stands on its list then."""
    listed = on_list(ctx, side)
    rows = come_due(ctx, side, listed)
    if not rows or WORKED_BY[side] in ctx.policy.paused or time_is_up(ctx, started):
        return listed
    if side is Side.SALESFORCE:
        _push(ctx, report, list(rows), rows)
    else:
        report.add(pull(ctx, list(rows), rows))
    return on_list(ctx, side)


def _push(ctx: Context, report: Report, ids: Sequence[str], worked: Mapping[str, Due | None]) -> None:
    outcomes = push_pairs(ctx, ids)
    report.add(outcomes)
    note(ctx, Side.SALESFORCE, outcomes, worked)


def time_is_up(ctx: Context, started: datetime) -> bool:
    """Whether 80 % of the run's time is gone: no new pairs are taken then."""
    return ctx.clock.now() - started > ctx.policy.run_time * 0.8
