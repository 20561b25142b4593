"""Rows of the store that fail: Table Storage does not answer, its reply is lost, or another instance was faster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.foundation.errors import StoreUnavailable
from shared.store.rows import Delete, Replace, Row, RowChange, Rows


class RowFaultKind(StrEnum):
    """What fails."""

    READ = "read"  # no answer to a read
    WRITE = "write"  # no answer to a write, which does not happen
    LOST = "lost"  # the write happens, and its reply is lost
    CONFLICT = "conflict"  # another instance writes the row just before


@dataclass(slots=True)
class RowFault:
    """A fault of the next `times` reads or writes of partitions that begin with `partition`."""

    kind: RowFaultKind
    times: int = 1
    partition: str = ""

    def applies_to(self, kinds: Sequence[RowFaultKind], partition: str) -> bool:
        """Whether the fault applies to this call, which it counts then."""
        applies = self.times > 0 and self.kind in kinds and partition.startswith(self.partition)
        self.times -= applies
        return applies


class FaultyRows:
    """The contract `shared.store.rows.Rows`, with faults in front of any adapter."""

    def __init__(self, rows: Rows, faults: list[RowFault]) -> None:
        self._rows, self._faults = rows, faults

    def get(self, partition: str, key: str) -> Row | None:
        self._check_read(partition)
        return self._rows.get(partition, key)

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        self._check_read(partition)
        return self._rows.list(partition, prefix=prefix, until=until, limit=limit)

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        self._check_read(partition_prefix)
        return self._rows.scan(partition_prefix, key, after=after)

    def walk(self, first: str, end: str) -> Iterator[Row]:
        return self._rows.walk(first, end)

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        if self._meets(partition, RowFaultKind.WRITE):
            raise StoreUnavailable("Table Storage did not answer a write, and its outcome is unknown")
        guarded = [change for change in changes if isinstance(change, Replace | Delete)]
        if guarded and self._meets(partition, RowFaultKind.CONFLICT):
            self._touch(partition, guarded[0].key)
        written = self._rows.write(partition, changes)
        if self._meets(partition, RowFaultKind.LOST):
            raise StoreUnavailable("Table Storage did not answer a write, and its outcome is unknown")
        return written

    def _check_read(self, partition: str) -> None:
        if self._meets(partition, RowFaultKind.READ):
            raise StoreUnavailable("Table Storage did not answer a read")

    def _meets(self, partition: str, *kinds: RowFaultKind) -> bool:
        return any(fault.applies_to(kinds, partition) for fault in self._faults)

    def _touch(self, partition: str, key: str) -> None:
        """Give the row another ETag, as another instance does that has looked at the pair."""
        if row := self._rows.get(partition, key):
            self._rows.write(partition, [Replace(key, row.data, row.etag, row.at)])
