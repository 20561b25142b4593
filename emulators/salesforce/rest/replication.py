"""List the records that changed or were deleted in a span of time.

The contract: docs/reference/salesforce.md#updated-and-deleted-records.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Record
from emulators.salesforce.data.values import format_stamp
from emulators.salesforce.rest.call import Call, Reply, RestContext
from emulators.salesforce.rest.records import object_by_name

SHORTEST_SPAN = timedelta(minutes=1)
UPDATED_REACH, DELETED_REACH = timedelta(days=30), timedelta(days=15)


class Replication:
    """The resources `/sobjects/NAME/updated` and `/sobjects/NAME/deleted`."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def list_updated(self, call: Call, name: str) -> Reply:
        """The ids of records whose SystemModstamp lies in the span. Raises ApiError."""
        self._tag("updated")
        sobject = object_by_name(self._org, name)
        start, end = self._requested_span(call, UPDATED_REACH)
        undeleted = (record for record in self._records(sobject.name) if not record["IsDeleted"])
        ids = [record["Id"] for record in undeleted if start <= record["SystemModstamp"] < end]
        return Reply(200, {"ids": ids, "latestDateCovered": end})

    def list_deleted(self, call: Call, name: str) -> Reply:
        """The ids of records that entered the recycle bin in the span, with the times. Raises ApiError."""
        self._tag("deleted")
        sobject = object_by_name(self._org, name)
        start, end = self._requested_span(call, DELETED_REACH)
        deleted = [
            {"id": record["Id"], "deletedDate": record["SystemModstamp"]}
            for record in self._records(sobject.name)
            if record["IsDeleted"] and start <= record["SystemModstamp"] < end
        ]
        earliest = format_stamp(self._org.now() - DELETED_REACH)
        return Reply(200, {"deletedRecords": deleted, "earliestDateAvailable": earliest, "latestDateCovered": end})

    def _records(self, sobject: str) -> Iterable[Record]:
        return self._org.readable_records(sobject, self._org.stored_records(sobject))

    def _requested_span(self, call: Call, reach: timedelta) -> tuple[str, str]:
        """Start and end as stamps; the end is the present at the latest. Raises ApiError."""
        try:
            start, end = (datetime.fromisoformat(call.query.get(name, "")) for name in ("start", "end"))
        except ValueError as error:
            raise ApiError(400, "INVALID_REPLICATION_DATE", "start and end are dates with a time zone") from error
        if start.tzinfo is None or end.tzinfo is None or end - start < SHORTEST_SPAN:
            raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must precede endDate by more than a minute")
        if start < self._org.now() - reach:
            message = f"startDate cannot be more than {reach.days} days ago"
            raise ApiError(400, "INVALID_REPLICATION_DATE", message)
        return format_stamp(start), format_stamp(min(end, self._org.now()))
