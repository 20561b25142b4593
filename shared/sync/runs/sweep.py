"""Sweep: a scan by change date that finds what no event told us (protocol.md section 8)."""

from datetime import datetime

from shared.domain.deal import Side
from shared.foundation.errors import CosellError
from shared.sync.change_detection.noticing import SWEEP, stamp_moment, swept_since, unknown_referrals
from shared.sync.context import Context, Mode
from shared.sync.retry.error_policy import is_skipped, note_side
from shared.sync.retry.retry_queue import Report
from shared.sync.runs.preview import preview_sweep
from shared.sync.runs.pull import PULL, pull
from shared.sync.runs.push import time_is_up


def sweep(ctx: Context) -> Report:
    """Pull every referral that changed since the cursor and differs from what its link knows."""
    report, started = Report(), ctx.clock.now()
    if is_skipped(ctx, SWEEP, Side.PARTNER_CENTER, pause=PULL):
        return report
    try:
        if ctx.policy.mode is Mode.PREVIEW:
            preview_sweep(ctx)
            return report
        newest = _scanned(ctx, report, started)
    except CosellError as error:
        note_side(ctx, Side.PARTNER_CENTER, error)
        ctx.log("run_failed", run=SWEEP, error=type(error).__name__)
        return report
    if newest:
        ctx.store.move_cursor(SWEEP, newest)
    ctx.store.move_cursor("sweep_done", ctx.clock.now())
    ctx.log("sweep_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))
    return report


def _scanned(ctx: Context, report: Report, started: datetime) -> datetime | None:
    """Pull what the pages name, newest first; the first page's newest stamp is the cursor, None while pages are left.

    Pages are worked together, so that reads and writes of Salesforce are full; a page that cannot be read holds back
    none of those before it.
    """
    newest: datetime | None = None
    found: dict[str, None] = {}
    try:
        for number, page in enumerate(ctx.partner_center.changed_since(swept_since(ctx))):
            if number == 0:
                newest = max((at for stamp in page if (at := stamp_moment(stamp, "updatedDateTime"))), default=None)
            report.seen += len(page)
            found |= dict.fromkeys(unknown_referrals(ctx, page))
            if len(found) >= ctx.policy.batch:
                _pull(ctx, report, found)
            if time_is_up(ctx, started):
                return None
    finally:
        _pull(ctx, report, found)
    return newest


def _pull(ctx: Context, report: Report, found: dict[str, None]) -> None:
    report.add(pull(ctx, list(found), {}))
    found.clear()
