"""The push runs every minute: it sends what changed in Salesforce, then works the retry queues of both sides.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import batched

from shared.domain.deal import Side
from shared.sync.change_detection.salesforce_poll import changed_opportunities
from shared.sync.context import PULL, PUSH, Context
from shared.sync.outcome import Report
from shared.sync.ports import RetryEntry
from shared.sync.reconcile.batches import work_opportunities, work_referrals
from shared.sync.retry.retry_queue import queued_entries, ready_entries, report_backlog
from shared.sync.retry.side_health import is_run_skipped, restore_side
from shared.sync.runs.guard import guard_run

DIRECTIONS = {Side.SALESFORCE: PUSH, Side.PARTNER_CENTER: PULL}
"""The direction that works each side's retry queue, in the order of the work."""


def push(ctx: Context) -> Report:
    """Push what changed, then work the retry queues. Raises errors of the store only."""
    report, started = Report(), ctx.clock.now()
    if is_run_skipped(ctx, PUSH, *Side):
        return report
    with guard_run(ctx, PUSH, Side.SALESFORCE) as guard:
        _work(ctx, report, started)
    if not guard.has_failed:
        _finish_push(ctx, report, started)
    return report


def _work(ctx: Context, report: Report, started: datetime) -> None:
    """A paused push still works the entries of the pull."""
    if PUSH in ctx.policy.paused:
        ctx.log("run_skipped", run=PUSH, reason="paused")
    else:
        _push_changed(ctx, report, started)
    report_backlog(ctx, [entry for side in DIRECTIONS for entry in _work_retry_queue(ctx, report, started, side)])


def _push_changed(ctx: Context, report: Report, started: datetime) -> None:
    for batch in changed_opportunities(ctx):
        report.seen += batch.seen
        for chunk in batched(batch.opportunities, ctx.policy.batch, strict=False):
            report.add(work_opportunities(ctx, chunk, batch.opportunities))
        ctx.store.move_cursors(batch.cursors)
        if ctx.is_time_up(started):
            return


def _work_retry_queue(ctx: Context, report: Report, started: datetime, side: Side) -> Sequence[RetryEntry]:
    """Work the entries of a side whose time has come; returns the entries that are queued afterwards."""
    queued = queued_entries(ctx, side)
    ready = ready_entries(ctx, side, queued)
    if not ready or DIRECTIONS[side] in ctx.policy.paused or ctx.is_time_up(started):
        return queued
    work = work_opportunities if side is Side.SALESFORCE else work_referrals
    report.add(work(ctx, list(ready), ready))
    return queued_entries(ctx, side)


def _finish_push(ctx: Context, report: Report, started: datetime) -> None:
    """Restore the sides, move the heartbeat and log the counts, after a run without failure."""
    for side in Side:
        restore_side(ctx, side)
    usage = ctx.salesforce.api_usage()
    if usage is not None:
        ctx.log("salesforce_budget", used=usage[0], total=usage[1])
    ctx.store.move_cursor("push_done", ctx.clock.now())
    ctx.log("push_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))
