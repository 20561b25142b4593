"""What may have changed: the poll of Salesforce, and Partner Center's list by change date (protocol.md section 8).

Both give ids only; the rows that a plan is made from are read afterwards, under the lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from shared.domain.deal import Side
from shared.mapping.paths import Json, in_row, moment
from shared.mapping.translation import STAMPS, is_target_microsoft
from shared.sync.change_detection.poll_query import changed
from shared.sync.context import Context
from shared.sync.ports import Due, Page
from shared.sync.retry.retry_queue import PATIENT

SWEEP = "sweep"
"""The sweep's cursor."""


class Batch(Struct, frozen=True):
    """Opportunities to settle, each with the due row it has already, and the cursors that may move once they are."""

    rows: Mapping[str, Due | None]
    seen: int
    cursors: dict[str, datetime]


def polled(ctx: Context) -> Iterator[Batch]:
    """Pages of changed opportunities, all queries together; a row whose stamp the link knows is dropped unread.

    One Composite call where nothing changed. Each query has its own cursor: after a page that is not the last, the
    stamp of its last row; after the last page, the server's time at the query's start. It is read with an overlap,
    because rows become visible late, and moves only once every row up to there is settled, due or parked. A pair that
    failed, and did not change since the cursor, is left to the due list until its time: the overlap is no shorter wait.
    """
    known = ctx.store.cursors()
    cursors = {name: known.get(f"push_{name}") for name in STAMPS}
    answer = ctx.salesforce.query(*(changed(ctx.translation, name, _since(ctx, at)) for name, at in cursors.items()))
    pages = dict(zip(STAMPS, answer.pages, strict=True))
    start = answer.at
    while pages:
        rows = {key: due for name, page in pages.items() for key, due in _changed(ctx, name, page, cursors[name])}
        seen = sum(len(page.rows) for page in pages.values())
        yield Batch(rows, seen, {f"push_{name}": _cursor_after(name, page, start) for name, page in pages.items()})
        pages = {name: ctx.salesforce.more(page.next).pages[0] for name, page in pages.items() if page.next}


def _since(ctx: Context, cursor: datetime | None) -> datetime:
    return (cursor - ctx.policy.poll_overlap) if cursor else ctx.scope.begin


def _changed(ctx: Context, name: str, page: Page, cursor: datetime | None) -> list[tuple[str, Due | None]]:
    def look(row: Json) -> tuple[str, Due | None] | None:
        key, stamp = str(row["Id"]), in_row(row, STAMPS[name])
        entry = ctx.store.link(key)
        if entry is not None and entry.value.knows(name, stamp):
            return None
        due = ctx.store.due_of(Side.SALESFORCE, key)
        is_seen = cursor is not None and moment(stamp) < cursor
        return None if due and is_seen and _must_wait(ctx, due) else (key, due)

    found = ctx.workers.map(look, page.rows, at_most=ctx.policy.parallelism)
    return [one for one in found if one is not None]


def _must_wait(ctx: Context, due: Due) -> bool:
    return due.cause not in PATIENT and due.at > ctx.clock.now()


def _cursor_after(name: str, page: Page, start: datetime) -> datetime:
    return moment(in_row(page.rows[-1], STAMPS[name])) if page.next and page.rows else start


def swept_since(ctx: Context) -> datetime:
    """Where the sweep begins: the cursor less the overlap, or the beginning."""
    cursor = ctx.store.cursor(SWEEP)
    return (cursor - ctx.policy.sweep_overlap) if cursor else ctx.scope.begin


def unknown_referrals(ctx: Context, page: Sequence[Json]) -> list[str]:
    """Referrals of ours whose version no link knows; the stamp is enough to drop the others without a read."""
    ours = [
        stamp
        for stamp in page
        if not ctx.scope.excludes(_text(stamp, "organizationId"), _text(stamp, "externalReferenceId"))
        and not is_target_microsoft(stamp)
    ]
    known = ctx.workers.map(lambda stamp: _is_known_referral(ctx, stamp), ours, at_most=ctx.policy.parallelism)
    return [str(stamp["id"]).lower() for stamp, seen in zip(ours, known, strict=True) if not seen]


def _is_known_referral(ctx: Context, stamp: Json) -> bool:
    pointer = ctx.store.pointer(str(stamp["id"]))
    if pointer is None:
        created = stamp_moment(stamp, "createdDateTime")
        return created is not None and created < ctx.scope.begin
    if pointer.value.opportunity_id is None:
        return False
    link = ctx.store.link(pointer.value.opportunity_id)
    return link is not None and link.value.etag == stamp.get("eTag")


def _text(stamp: Json, name: str) -> str | None:
    value = stamp.get(name)
    return value if isinstance(value, str) else None


def stamp_moment(stamp: Json, name: str) -> datetime | None:
    """A date of a stamp; None where it cannot be read: such a referral is pulled, and the others do not suffer."""
    try:
        return moment(stamp.get(name))
    except ValueError:
        return None
