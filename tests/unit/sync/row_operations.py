"""Counts the operations of the row store as Table Storage would: each get, each page of a query, each write.

A write is one operation, however many rows it changes: `entries` counts these.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from shared.store.rows import Row, RowChange, Rows
from tests.unit.sync.harness import Harness, Instance

PAGE = 1000
"""The rows of one page of a query (docs/reference/azure.md#limits-of-table-storage)."""


@dataclass
class CountedRows:
    """The contract `Rows`, on other rows. It counts each call by kind and by what its partition holds."""

    rows: Rows
    operations: Counter[str] = field(default_factory=Counter)
    entries: int = 0

    @property
    def count(self) -> int:
        """How many operations there were since the last `forget`."""
        return self.operations.total()

    def forget(self) -> None:
        """Count from here."""
        self.operations.clear()
        self.entries = 0

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        self._add("get", partition)
        return self.rows.get(partition, key)

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        found = self.rows.list(partition, prefix=prefix, until=until, limit=limit)
        self._add("list", partition, max(1, ceil(len(found) / PAGE)))
        return found

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`."""
        return self._pages("scan", partition_prefix, self.rows.scan(partition_prefix, key, after=after))

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`."""
        return self._pages("walk", first, self.rows.walk(first, end))

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        self._add("write", partition)
        self.entries += len(changes)
        return self.rows.write(partition, changes)

    def _pages(self, kind: str, partition: str, rows: Iterator[Row]) -> Iterator[Row]:
        self._add(kind, partition)
        for number, row in enumerate(rows):
            if number and number % PAGE == 0:
                self._add(kind, partition)
            yield row

    def _add(self, kind: str, partition: str, number: int = 1) -> None:
        self.operations[f"{kind} {partition.partition('|')[0]}"] += number


def counted_instance(harness: Harness) -> tuple[Instance, CountedRows]:
    """A new process whose operations of the store are counted; the rows of all other instances stay uncounted."""
    rows, counted = harness.rows, CountedRows(harness.rows)
    harness.rows = counted  # type: ignore[assignment]  # the harness hands them to the new instance only
    try:
        instance = harness.new_instance()
    finally:
        harness.rows = rows
    return instance, counted
