"""Keep every change of the store in memory, so that a preview runs the engine's own steps and stores nothing.

Reads show the store with these changes. `forget` drops those of one partition, so that a preview of many deals stays
small. Each change gets an ETag of its own, and conditions are checked as the real store checks them.
"""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from shared.foundation.errors import StoreConflict
from shared.store.limits import check_changes, check_key, check_list, check_scan
from shared.store.rows import Delete, Insert, Replace, Row, RowChange, Rows


class PreviewRows:
    """Implements `Rows` on other rows that it never changes. Safe for many threads."""

    def __init__(self, rows: Rows) -> None:
        """Read from any adapter of `Rows`."""
        self._rows = rows
        self._changed: dict[str, dict[str, Row | None]] = {}
        self._numbers = itertools.count(1)
        self._writing, self._reading = threading.Lock(), threading.Lock()

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        check_key(partition)
        check_key(key)
        changed = self._changed_in(partition)
        return changed[key] if key in changed else self._rows.get(partition, key)

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        check_list(partition, prefix, until, limit)
        changed = self._changed_in(partition)
        if not changed:
            return self._rows.list(partition, prefix=prefix, until=until, limit=limit)
        stored = self._unchanged(self._rows.list(partition, prefix=prefix, until=until))
        mine = (row for key, row in changed.items() if row is not None and key.startswith(prefix))
        due = [row for row in mine if until is None or (row.at is not None and row.at <= until)]
        return sorted([*stored, *due], key=attrgetter("key"))[:limit]

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`."""
        check_scan(partition_prefix, key, after)
        stored = self._unchanged(self._rows.scan(partition_prefix, key, after=after))
        changed = self._changed_rows(
            lambda row: row.key == key and row.partition > after and row.partition.startswith(partition_prefix)
        )
        return heapq.merge(stored, changed, key=attrgetter("partition"))

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`."""
        changed = self._changed_rows(lambda row: first <= row.partition < end)
        return heapq.merge(self._unchanged(self._rows.walk(first, end)), changed, key=attrgetter("partition", "key"))

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`. Nothing leaves this process."""
        check_changes(partition, changes)
        with self._writing:
            for change in changes:
                self._check(change, self.get(partition, change.key))
            return [self._keep(partition, change) for change in changes]

    def close(self) -> None:
        """Close nothing: the rows that are read belong to whoever opened them."""

    def forget(self, partition: str) -> None:
        """Forget the changes of a partition: reads show what is stored."""
        with self._writing, self._reading:
            self._changed.pop(partition, None)

    def _changed_in(self, partition: str) -> Mapping[str, Row | None]:
        with self._reading:
            return dict(self._changed.get(partition, {}))

    def _unchanged(self, rows: Iterator[Row] | Sequence[Row]) -> Iterator[Row]:
        return (row for row in rows if row.key not in self._changed_in(row.partition))

    def _changed_rows(self, is_wanted: Callable[[Row], bool]) -> Sequence[Row]:
        with self._reading:
            rows = [row for changed in self._changed.values() for row in changed.values() if row is not None]
        return sorted(filter(is_wanted, rows), key=attrgetter("partition", "key"))

    @staticmethod
    def _check(change: RowChange, known: Row | None) -> None:
        if isinstance(change, Insert) and known is not None:
            raise StoreConflict
        if isinstance(change, Replace | Delete) and (known is None or known.etag != change.etag):
            raise StoreConflict

    def _keep(self, partition: str, change: RowChange) -> str | None:
        now, etag = datetime.now(UTC), f"preview-{next(self._numbers)}"
        row = None
        if not isinstance(change, Delete):
            at = change.at and change.at.astimezone(UTC)
            row = Row(partition, change.key, change.data, etag, now, now, at)
        with self._reading:
            self._changed.setdefault(partition, {})[change.key] = row
        return etag if row else None
