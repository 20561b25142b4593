"""Sweep: a scan by change date that finds what no event told us (protocol.md section 8)."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.deal import Side
from shared.errors import CosellError
from shared.mapping.paths import Json, moment
from shared.sync.context import Context, Mode
from shared.sync.due import Report
from shared.sync.failing import is_paused, note_side
from shared.sync.pull import PULL, pull
from shared.sync.push import time_is_up

CURSOR = "sweep"


def sweep(ctx: Context) -> Report:
    """Pull every referral that changed since the cursor and differs from what its link knows."""
    report, started = Report(), ctx.clock.now()
    if ctx.policy.mode is not Mode.ON or PULL in ctx.policy.paused:
        ctx.log("run_skipped", run=CURSOR, reason=ctx.policy.mode if ctx.policy.mode is not Mode.ON else "paused")
        return report
    if is_paused(ctx, Side.PARTNER_CENTER):
        ctx.log("run_skipped", run=CURSOR, reason="side_paused")
        return report
    try:
        complete, newest = _pages(ctx, report, started)
    except CosellError as error:
        note_side(ctx, Side.PARTNER_CENTER, error)
        ctx.log("run_failed", run=CURSOR, error=type(error).__name__)
        return report
    if complete and newest:
        ctx.store.move_cursor(CURSOR, newest)
    ctx.store.move_cursor("sweep_done", ctx.clock.now())
    ctx.log("sweep_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))
    return report


def _pages(ctx: Context, report: Report, started: datetime) -> tuple[bool, datetime | None]:
    """Work page by page, newest first; the first page's newest stamp becomes the cursor if all pages were worked."""
    newest: datetime | None = None
    for page in ctx.partner_center.changed_since(since(ctx)):
        if newest is None and page:
            newest = max((at for stamp in page if (at := _moment(stamp, "updatedDateTime"))), default=None)
        report.seen += len(page)
        report.add(pull(ctx, unknown(ctx, page), {}))
        if time_is_up(ctx, started):
            return False, newest
    return True, newest


def since(ctx: Context) -> datetime:
    """Where the sweep begins: the cursor less the overlap, or the beginning."""
    cursor = ctx.store.cursor(CURSOR)
    return (cursor - ctx.policy.sweep_overlap) if cursor else ctx.scope.begin


def unknown(ctx: Context, page: Sequence[Json]) -> list[str]:
    """Referrals of ours whose version no link knows; the stamp is enough to drop the others without a read."""
    ours = [
        stamp
        for stamp in page
        if not ctx.scope.excludes(stamp.get("organizationId"), stamp.get("externalReferenceId"))
        and not any(target.get("id") == "msft" for target in stamp.get("target") or [])
    ]
    known = ctx.workers.map(lambda stamp: _is_known(ctx, stamp), ours, at_most=ctx.policy.parallelism)
    return [str(stamp["id"]).lower() for stamp, seen in zip(ours, known, strict=True) if not seen]


def _is_known(ctx: Context, stamp: Json) -> bool:
    pointer = ctx.store.pointer(str(stamp["id"]))
    if pointer is None:
        created = _moment(stamp, "createdDateTime")
        return created is not None and created < ctx.scope.begin
    if pointer.value.opportunity_id is None:
        return False
    link = ctx.store.link(pointer.value.opportunity_id)
    return link is not None and link.value.etag == stamp.get("eTag")


def _moment(stamp: Json, name: str) -> datetime | None:
    """A date of a stamp; None where it cannot be read: such a referral is pulled, and the others do not suffer."""
    try:
        return moment(stamp.get(name))
    except ValueError:
        return None
