"""Query results in pages, with locators that live for two days (reference/salesforce.md 2.4)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Record
from emulators.salesforce.query.engine import Queries
from emulators.salesforce.rest.call import Call, Reply, Service

SMALLEST, LARGEST = 200, 2_000
LIFETIME = timedelta(days=2)
LOCATOR_PREFIX = "0r8"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A result as it was when the query ran."""

    records: list[Record]
    size: int
    path: str
    until: datetime


class Pages:
    """Runs queries and hands their results out page by page."""

    def __init__(self, service: Service) -> None:
        """No cursor yet; `short_pages` cuts every page to so many rows."""
        self._org = service.org
        self._tag = service.tag
        self._cursors: dict[str, Cursor] = {}
        self.short_pages: int | None = None

    def first(self, call: Call, *, deleted: bool) -> Reply:
        """`GET /query?q=` or `/queryAll?q=`."""
        self._tag("query.all" if deleted else "query")
        unknown = set(call.query) - {"q"}
        if unknown or not call.query.get("q"):
            raise ApiError(400, "MALFORMED_QUERY", f"a query takes q, and here nothing else: {sorted(unknown)}")
        records, total = Queries(self._org, call.version, deleted=deleted).run(call.query["q"])
        size = self._size(call)
        if len(records) <= size:
            return Reply(200, {"totalSize": total, "done": True, "records": records})
        now = self._org.now()
        self._cursors = {name: cursor for name, cursor in self._cursors.items() if now <= cursor.until}
        locator = self._org.ids.next(LOCATOR_PREFIX)
        path = f"{call.base}/{'queryAll' if deleted else 'query'}/{locator}"
        self._cursors[locator] = Cursor(records, size, path, now + LIFETIME)
        return self._page(self._cursors[locator], 0)

    def more(self, locator: str) -> Reply:
        """`GET /query/LOCATOR-OFFSET`. Raises ApiError (INVALID_QUERY_LOCATOR)."""
        self._tag("query.more")
        found = re.fullmatch(r"(\w{18})-(\d+)", locator)
        cursor = self._cursors.get(found[1]) if found else None
        if found is None or cursor is None or self._org.now() > cursor.until or int(found[2]) >= len(cursor.records):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, int(found[2]))

    def expire(self) -> None:
        """Every locator is invalid from now on."""
        self._cursors.clear()

    def _size(self, call: Call) -> int:
        asked = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
        size = min(max(int(asked[1]), SMALLEST), LARGEST) if asked else LARGEST
        return min(size, self.short_pages or size)

    @staticmethod
    def _page(cursor: Cursor, start: int) -> Reply:
        end = start + cursor.size
        body: Record = {"totalSize": len(cursor.records), "done": end >= len(cursor.records)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"{cursor.path}-{end}"
        return Reply(200, {**body, "records": cursor.records[start:end]})
