"""Push: every minute, what changed in Salesforce; then all that is due, on both sides (protocol.md section 8)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched

from shared.domain.deal import Side
from shared.errors import CosellError
from shared.sync.context import Context, Mode
from shared.sync.due import Report, note, tell_backlog
from shared.sync.failing import is_skipped, note_side, note_success
from shared.sync.noticing import polled
from shared.sync.ports import Due
from shared.sync.preview import preview_push
from shared.sync.pull import PULL, pull
from shared.sync.settle import push_pairs

PUSH = "push"


def push(ctx: Context) -> Report:
    """Settle what changed in Salesforce and what is due. Raises nothing of `shared.errors` but the store's."""
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
        _push_due(ctx, report, started)
    _pull_due(ctx, report, started)


def _tell(ctx: Context, report: Report, started: datetime) -> None:
    """After a run without failure: sides recover, the heartbeat beats, the log says how we stand."""
    for side in Side:
        note_success(ctx, side)
    tell_backlog(ctx)
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
        for name, to in batch.cursors.items():
            ctx.store.move_cursor(name, to)
        if time_is_up(ctx, started):
            return


def _push_due(ctx: Context, report: Report, started: datetime) -> None:
    rows = {row.key: row for row in _due(ctx, Side.SALESFORCE)}
    if rows and not time_is_up(ctx, started):
        _push(ctx, report, list(rows), rows)


def _push(ctx: Context, report: Report, ids: Sequence[str], worked: Mapping[str, Due | None]) -> None:
    outcomes = push_pairs(ctx, ids)
    report.add(outcomes)
    note(ctx, Side.SALESFORCE, outcomes, worked)


def _pull_due(ctx: Context, report: Report, started: datetime) -> None:
    rows = {row.key: row for row in _due(ctx, Side.PARTNER_CENTER)}
    if rows and PULL not in ctx.policy.paused and not time_is_up(ctx, started):
        report.add(pull(ctx, list(rows), rows))


def _due(ctx: Context, side: Side) -> Sequence[Due]:
    return ctx.store.due(side, ctx.clock.now(), ctx.policy.batch)


def time_is_up(ctx: Context, started: datetime) -> bool:
    """Whether 80 % of the run's time is gone: no new pairs are taken then."""
    return ctx.clock.now() - started > ctx.policy.run_time * 0.8
