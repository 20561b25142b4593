"""What was changed or deleted in a span of time (reference/salesforce.md 2.14)."""

from datetime import datetime, timedelta

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.values import stamp
from emulators.salesforce.rest.call import Call, Reply, Service
from emulators.salesforce.rest.records import data_object

SHORTEST = timedelta(minutes=1)
UPDATED_BACK, DELETED_BACK = timedelta(days=30), timedelta(days=15)


class Replication:
    """`/sobjects/NAME/updated` and `/deleted`."""

    def __init__(self, service: Service) -> None:
        """Share the org."""
        self._org = service.org
        self._tag = service.tag

    def updated(self, call: Call, name: str) -> Reply:
        """Ids of records created or changed in the span, by SystemModstamp."""
        self._tag("updated")
        sobject = data_object(self._org, name)
        start, end = self._span(call, UPDATED_BACK)
        rows = (row for row in self._org.rows(sobject.name) if not row["IsDeleted"])
        ids = [row["Id"] for row in rows if start <= row["SystemModstamp"] < end]
        return Reply(200, {"ids": ids, "latestDateCovered": end})

    def deleted(self, call: Call, name: str) -> Reply:
        """Ids of records that went into the recycle bin in the span."""
        self._tag("deleted")
        sobject = data_object(self._org, name)
        start, end = self._span(call, DELETED_BACK)
        rows = [
            row for row in self._org.rows(sobject.name) if row["IsDeleted"] and start <= row["SystemModstamp"] < end
        ]
        records = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows]
        earliest = stamp(self._org.now() - DELETED_BACK)
        return Reply(200, {"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": end})

    def _span(self, call: Call, back: timedelta) -> tuple[str, str]:
        try:
            start, end = (datetime.fromisoformat(call.query.get(name, "")) for name in ("start", "end"))
        except ValueError as error:
            raise ApiError(400, "INVALID_REPLICATION_DATE", "start and end are dates with a time zone") from error
        if start.tzinfo is None or end.tzinfo is None or end - start < SHORTEST:
            raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must precede endDate by more than a minute")
        if start < self._org.now() - back:
            message = f"startDate cannot be more than {back.days} days ago"
            raise ApiError(400, "INVALID_REPLICATION_DATE", message)
        return stamp(start), stamp(min(end, self._org.now()))
