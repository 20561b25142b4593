"""Rows of a store that keeps its own time, with the times of a simulation in place of it."""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from datetime import datetime

from shared.store.rows import Row, RowChange, Rows


class ClockedRows:
    """The contract `Rows`, on other rows: when a row was changed and read is said by `now`."""

    def __init__(self, rows: Rows, now: Callable[[], datetime], close: Callable[[], None]) -> None:
        self._rows, self._now, self.close = rows, now, close
        self._changed: dict[tuple[str, str, str | None], datetime] = {}

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        row = self._rows.get(partition, key)
        return None if row is None else self._clocked(row)

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        return [self._clocked(row) for row in self._rows.list(partition, prefix=prefix, until=until, limit=limit)]

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`."""
        return map(self._clocked, self._rows.scan(partition_prefix, key, after=after))

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`."""
        return map(self._clocked, self._rows.walk(first, end))

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        etags = self._rows.write(partition, changes)
        for change, etag in zip(changes, etags, strict=True):
            self._changed[partition, change.key, etag] = self._now()
        return etags

    def _clocked(self, row: Row) -> Row:
        """The row as it would be if the store went by the clock of the simulation. Each ETag names one change."""
        return replace(row, changed=self._changed[row.partition, row.key, row.etag], read=self._now())
