"""Run queries and return the results page by page (docs/reference/salesforce.md#query-pages)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Record
from emulators.salesforce.query.columns import query_columns
from emulators.salesforce.query.engine import QueryRunner
from emulators.salesforce.rest.call import Call, Reply, RestContext

SMALLEST_PAGE, LARGEST_PAGE = 200, 2_000
LOCATOR_LIFETIME = timedelta(days=2)
LOCATOR_PREFIX = "0r8"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The result of a query as it was when the query ran; `size` is the number of records of a page."""

    records: list[Record]
    size: int
    path: str
    until: datetime


class QueryPages:
    """The resources `/query` and `/queryAll`.

    `short_pages` limits the size of every page, and `short_lists` that of the records of a subquery.
    """

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag
        self._cursors: dict[str, Cursor] = {}
        self.short_pages: int | None = None
        self.short_lists: int | None = None

    def first_page(self, call: Call, *, deleted: bool) -> Reply:
        """Answer `GET /query?q=`, or with `deleted` `GET /queryAll?q=`. Raises ApiError."""
        self._tag("query.all" if deleted else "query")
        unknown = sorted(set(call.query) - {"q", "columns"})
        if unknown:
            raise ApiError(400, "MALFORMED_QUERY", f"the emulator does not support the parameters {unknown}")
        if not call.query.get("q"):
            raise ApiError(400, "MALFORMED_QUERY", "the parameter q is required")
        if call.query.get("columns", "").lower() == "true":
            return Reply(200, query_columns(self._org, call.query["q"]))
        records, total = QueryRunner(self._org, call.version, deleted=deleted).run(call.query["q"])
        base, size = f"{call.base_path}/{'queryAll' if deleted else 'query'}", self._page_size(call)
        if self.short_lists:
            records = [self._with_short_lists(each, base, self.short_lists) for each in records]
        if len(records) <= size:
            return Reply(200, {"totalSize": total, "done": True, "records": records})
        return Reply(200, self._page(self._new_cursor(records, size, base), 0))

    def _new_cursor(self, records: list[Record], size: int, base: str) -> Cursor:
        now = self._org.now()
        self._cursors = {name: cursor for name, cursor in self._cursors.items() if now <= cursor.until}
        locator = self._org.ids.next_id(LOCATOR_PREFIX)
        self._cursors[locator] = Cursor(records, size, f"{base}/{locator}", now + LOCATOR_LIFETIME)
        return self._cursors[locator]

    def _with_short_lists(self, record: Record, base: str, size: int) -> Record:
        """The record with the first page of each subquery that has more records."""
        long = {
            name: value["records"]
            for name, value in record.items()
            if isinstance(value, dict) and value.get("totalSize", 0) > size
        }
        return record | {name: self._page(self._new_cursor(each, size, base), 0) for name, each in long.items()}

    def next_page(self, locator: str) -> Reply:
        """Answer `GET /query/LOCATOR-OFFSET`. Raises ApiError (INVALID_QUERY_LOCATOR)."""
        self._tag("query.more")
        match = re.fullmatch(r"(\w{18})-(\d+)", locator)
        cursor = self._cursors.get(match[1]) if match else None
        if match is None or cursor is None or self._org.now() > cursor.until or int(match[2]) >= len(cursor.records):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return Reply(200, self._page(cursor, int(match[2])))

    def expire_locators(self) -> None:
        """Make every locator invalid."""
        self._cursors.clear()

    def _page_size(self, call: Call) -> int:
        options = call.headers.get("sforce-query-options", "")
        batch = re.search(r"batchSize\s*=\s*(\d+)", options, re.IGNORECASE)
        size = min(max(int(batch[1]), SMALLEST_PAGE), LARGEST_PAGE) if batch else LARGEST_PAGE
        return min(size, self.short_pages or size)

    @staticmethod
    def _page(cursor: Cursor, start: int) -> Record:
        end = start + cursor.size
        body: Record = {"totalSize": len(cursor.records), "done": end >= len(cursor.records)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"{cursor.path}-{end}"
        return {**body, "records": cursor.records[start:end]}
