"""The poll of Salesforce: ids of opportunities that may have changed (docs/protocol.md#the-salesforce-poll).

The poll returns ids only. The records that a plan is made from are read afterwards, under the lease.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from shared.domain.deal import Side
from shared.foundation.errors import UnreadableRow
from shared.mapping.paths import Json, parse_time, value_in_record
from shared.mapping.translation import STAMPS
from shared.sync.change_detection.echo import is_known_opportunity
from shared.sync.change_detection.poll_query import changed_opportunities_query
from shared.sync.context import Context
from shared.sync.ports import Page, RetryEntry
from shared.sync.retry.retry_queue import must_wait


class Batch(Struct, frozen=True):
    """Opportunities to reconcile, each with its retry entry, and the cursors to move once they are worked.

    `seen` counts the records of the pages, known ones included.
    """

    opportunities: Mapping[str, RetryEntry | None]
    seen: int
    cursors: dict[str, datetime]


def changed_opportunities(ctx: Context) -> Iterator[Batch]:
    """Pages of changed opportunities, all queries together; one Composite call where nothing changed.

    Each query has its own cursor: the stamp of its last record after a page that is not the last, and the server's
    time at the start of the query after the last page. The poll reads with an overlap, because Salesforce may show a
    record late. A cursor moves only after every record up to it is reconciled, queued, held or parked.
    """
    known = ctx.store.cursors()
    cursors = {name: known.get(f"push_{name}") for name in STAMPS}
    answer = ctx.salesforce.query(
        *(changed_opportunities_query(ctx.translation, name, _poll_start(ctx, at)) for name, at in cursors.items())
    )
    pages = dict(zip(STAMPS, answer.pages, strict=True))
    while pages:
        found = {key: entry for name, page in pages.items() for key, entry in _unknown(ctx, name, page, cursors[name])}
        seen = sum(len(page.records) for page in pages.values())
        moved = {f"push_{name}": _cursor_after(name, page, answer.at) for name, page in pages.items()}
        yield Batch(found, seen, moved)
        pages = {name: ctx.salesforce.more(page.next).pages[0] for name, page in pages.items() if page.next}


def _poll_start(ctx: Context, cursor: datetime | None) -> datetime:
    return (cursor - ctx.policy.poll_overlap) if cursor else ctx.scope.begin


def _unknown(ctx: Context, query: str, page: Page, cursor: datetime | None) -> list[tuple[str, RetryEntry | None]]:
    """The opportunities of a page whose stamp is not known to any link.

    A pair that failed and has not changed since the cursor is left to the retry queue: the overlap must not shorten
    its wait.
    """

    def examine(record: Json) -> tuple[str, RetryEntry | None] | None:
        key, stamp = str(record["Id"]), value_in_record(record, STAMPS[query])
        if _is_known(ctx, key, query, stamp):
            return None
        entry = ctx.store.retry_entry(Side.SALESFORCE, key)
        is_before_cursor = cursor is not None and parse_time(stamp) < cursor
        return None if entry and is_before_cursor and must_wait(ctx, entry) else (key, entry)

    examined = ctx.workers.map(examine, page.records, at_most=ctx.policy.parallelism)
    return [one for one in examined if one is not None]


def _is_known(ctx: Context, key: str, query: str, stamp: str | None) -> bool:
    """Whether the link has seen the stamp. One that cannot be read is not known: acquiring it queues that pair."""
    try:
        return is_known_opportunity(ctx.store.link(key), query, stamp)
    except UnreadableRow:
        return False


def _cursor_after(query: str, page: Page, start: datetime) -> datetime:
    return parse_time(value_in_record(page.records[-1], STAMPS[query])) if page.next and page.records else start
