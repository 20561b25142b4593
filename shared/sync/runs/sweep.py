"""The sweep: a scan by change date that finds what no event reported (docs/protocol.md#the-sweep)."""

from datetime import datetime

from shared.domain.deal import Side
from shared.sync.change_detection.referral_scan import SWEEP, changed_referrals
from shared.sync.context import PULL, Context
from shared.sync.outcome import Report
from shared.sync.reconcile.batches import work_referrals
from shared.sync.retry.side_health import is_run_skipped
from shared.sync.runs.guard import guard_run


def sweep(ctx: Context) -> Report:
    """Pull every referral that changed since the cursor and differs from the version in its link.

    Raises errors of the store only.
    """
    report, started, newest = Report(), ctx.clock.now(), None
    if is_run_skipped(ctx, SWEEP, Side.PARTNER_CENTER, direction=PULL):
        return report
    with guard_run(ctx, SWEEP, Side.PARTNER_CENTER) as guard:
        newest = _pull_changed(ctx, report, started)
    if not guard.has_failed:
        _finish_sweep(ctx, report, started, newest)
    return report


def _finish_sweep(ctx: Context, report: Report, started: datetime, newest: datetime | None) -> None:
    if newest:
        ctx.store.move_cursor(SWEEP, newest)
    ctx.store.move_cursor("sweep_done", ctx.clock.now())
    ctx.log("sweep_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))


def _pull_changed(ctx: Context, report: Report, started: datetime) -> datetime | None:
    """Pull what the pages name; returns the new cursor: the newest date of the first page, None while pages are left.

    Pages are worked together, so that reads and writes of Salesforce are full. A page that cannot be read holds back
    none of the pages before it.
    """
    newest: datetime | None = None
    pending: dict[str, None] = {}
    try:
        for number, page in enumerate(changed_referrals(ctx)):
            newest = page.newest if number == 0 else newest
            report.seen += page.seen
            pending |= dict.fromkeys(page.unknown)
            if len(pending) >= ctx.policy.batch:
                _work_pending(ctx, report, pending)
            if ctx.is_time_up(started):
                return None
    finally:
        _work_pending(ctx, report, pending)
    return newest


def _work_pending(ctx: Context, report: Report, pending: dict[str, None]) -> None:
    report.add(work_referrals(ctx, list(pending), {}))
    pending.clear()
