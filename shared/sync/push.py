"""Push: every minute, what changed in Salesforce; then all that is due, on both sides (protocol.md section 8).

One Composite call polls when nothing changed. Each query has its own cursor: after a page that is not the last, the
stamp of its last row; after the last page, the server's time at the query's start. It moves only once every row up to
there is settled, due or parked, and is read with an overlap, because rows become visible late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.deal import Side
from shared.errors import CosellError
from shared.mapping.mapping import STAMPS
from shared.mapping.paths import Json, in_row, moment
from shared.sync.context import Context, Mode
from shared.sync.due import Report, note, tell_backlog
from shared.sync.failing import is_paused, note_side, note_success
from shared.sync.ports import Due, Page
from shared.sync.pull import PULL, pull
from shared.sync.queries import changed
from shared.sync.settle import push_pairs

PUSH = "push"
BEGAN = "began"


@dataclass(frozen=True, slots=True)
class Batch:
    """Opportunities to settle, and the cursors that may move once they are."""

    ids: Sequence[str]
    seen: int
    cursors: dict[str, datetime]


def push(ctx: Context) -> Report:
    """Settle what changed in Salesforce and what is due. Raises nothing of `shared.errors` but the store's."""
    report, started = Report(), ctx.clock.now()
    if ctx.policy.mode is not Mode.ON or PUSH in ctx.policy.paused:
        ctx.log("run_skipped", run=PUSH, reason=ctx.policy.mode if ctx.policy.mode is not Mode.ON else "paused")
        return report
    if any(is_paused(ctx, side) for side in Side):
        ctx.log("run_skipped", run=PUSH, reason="side_paused")
        return report
    try:
        _push_changed(ctx, report, started)
        _push_due(ctx, report, started)
        _pull_due(ctx, report, started)
    except CosellError as error:
        note_side(ctx, Side.SALESFORCE, error)
        ctx.log("run_failed", run=PUSH, error=type(error).__name__)
        return report
    for side in Side:
        note_success(ctx, side)
    tell_backlog(ctx)
    usage = ctx.salesforce.api_usage()
    if usage is not None:
        ctx.log("salesforce_budget", used=usage[0], total=usage[1])
    ctx.store.move_cursor("push_done", ctx.clock.now())
    ctx.log("push_done", **report.fields(), seconds=round((ctx.clock.now() - started).total_seconds(), 3))
    return report


def _push_changed(ctx: Context, report: Report, started: datetime) -> None:
    for batch in polled(ctx):
        report.seen += batch.seen
        for chunk in _chunks(batch.ids, ctx.policy.batch):
            outcomes = push_pairs(ctx, chunk)
            report.add(outcomes)
            note(ctx, Side.SALESFORCE, outcomes, {})
        for name, to in batch.cursors.items():
            ctx.store.move_cursor(name, to)
        if time_is_up(ctx, started):
            return


def polled(ctx: Context) -> Iterator[Batch]:
    """Pages of changed opportunities, all queries together; a row whose stamp the link knows is dropped unread."""
    since = {name: _since(ctx, name) for name in STAMPS}
    answer = ctx.salesforce.query(*(changed(ctx.translation, name, since[name]) for name in STAMPS))
    pages = dict(zip(STAMPS, answer.pages, strict=True))
    start = answer.at
    while pages:
        ids = dict.fromkeys(key for name, page in pages.items() for key in _unknown(ctx, name, page))
        seen = sum(len(page.rows) for page in pages.values())
        yield Batch(list(ids), seen, {f"push_{name}": _cursor_after(name, page, start) for name, page in pages.items()})
        pages = {name: ctx.salesforce.more(page.next).pages[0] for name, page in pages.items() if page.next}


def _since(ctx: Context, name: str) -> datetime:
    cursor = ctx.store.cursor(f"push_{name}")
    return (cursor - ctx.policy.poll_overlap) if cursor else ctx.scope.begin


def _unknown(ctx: Context, name: str, page: Page) -> list[str]:
    rows = ctx.workers.map(lambda row: (row, _is_known(ctx, name, row)), page.rows, at_most=ctx.policy.parallelism)
    return [str(row["Id"]) for row, known in rows if not known]


def _is_known(ctx: Context, name: str, row: Json) -> bool:
    entry = ctx.store.link(str(row["Id"]))
    return entry is not None and entry.value.knows(name, in_row(row, STAMPS[name]))


def _cursor_after(name: str, page: Page, start: datetime) -> datetime:
    return moment(in_row(page.rows[-1], STAMPS[name])) if page.next and page.rows else start


def _push_due(ctx: Context, report: Report, started: datetime) -> None:
    rows = {row.key: row for row in _due(ctx, Side.SALESFORCE)}
    if not rows or time_is_up(ctx, started):
        return
    outcomes = push_pairs(ctx, list(rows))
    report.add(outcomes)
    note(ctx, Side.SALESFORCE, outcomes, rows)


def _pull_due(ctx: Context, report: Report, started: datetime) -> None:
    rows = {row.key: row for row in _due(ctx, Side.PARTNER_CENTER)}
    if rows and PULL not in ctx.policy.paused and not time_is_up(ctx, started):
        report.add(pull(ctx, list(rows), rows))


def _due(ctx: Context, side: Side) -> Sequence[Due]:
    return ctx.store.due(side, ctx.clock.now(), ctx.policy.batch)


def time_is_up(ctx: Context, started: datetime) -> bool:
    """Whether 80 % of the run's time is gone: no new pairs are taken then."""
    return ctx.clock.now() - started > ctx.policy.run_time * 0.8


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
