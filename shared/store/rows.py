"""Define rows with optimistic concurrency: the contract that Table Storage and SQLite both fulfil.

A row has a partition and a key. Rows of one partition can change together in one transaction, all or nothing. Rows of
two partitions cannot. Each change of a row gives it a new ETag. `changed` and `read` are times of the *store's* own
clock (the timestamp of the entity, and the `Date` of the reply). So the age of a row is right even on an instance whose
own clock is wrong. Sources: docs/protocol.md#time-and-deadlines, docs/protocol.md#how-rows-change.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct


class Row(Struct, frozen=True):
    """One row as it was read. `at` is an indexed time: when a retry entry is to be tried next; None for other rows."""

    partition: str
    key: str
    data: bytes
    etag: str
    changed: datetime
    read: datetime
    at: datetime | None = None

    @property
    def age(self) -> timedelta:
        """The time since the last change, by the store's clock."""
        return self.read - self.changed


class Insert(Struct, frozen=True):
    """Insert a row that must not exist yet."""

    key: str
    data: bytes
    at: datetime | None = None


class Replace(Struct, frozen=True):
    """Replace a row that must still have this `etag`."""

    key: str
    data: bytes
    etag: str
    at: datetime | None = None


class Put(Struct, frozen=True):
    """Write a row, whether or not it exists."""

    key: str
    data: bytes
    at: datetime | None = None


class Delete(Struct, frozen=True):
    """Delete a row that must still have this `etag`."""

    key: str
    etag: str


RowChange = Insert | Replace | Put | Delete


class Rows(Protocol):
    r"""The contract. Its adapters are `sqlite_rows.SqliteRows` and `table_storage_rows.TableRows`.

    Partitions and keys have 1 to 200 characters of ASCII, without control characters and `/ \\ # ?`. `data` may hold
    700,000 bytes (docs/reference/azure.md#limits-of-table-storage).
    """

    def get(self, partition: str, key: str) -> Row | None:
        """Return one row, or None. Raises StoreUnavailable."""

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """Return rows of a partition in the order of their keys.

        With `prefix`, only keys that begin with it; with `until`, only rows whose `at` is not later; with `limit`, only
        the first ones. Raises StoreUnavailable.
        """

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """Iterate over the rows with this key in every partition that begins with `partition_prefix`.

        They come in the order of their partitions; with `after`, only those behind that partition. Raises
        StoreUnavailable.
        """

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """Iterate over all rows of the partitions from `first` to below `end`, in the order of partition and key.

        Rows that are written meanwhile may be missing. Raises StoreUnavailable.
        """

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """Apply up to 100 changes of different keys as one transaction; return the new ETags, None for a Delete.

        Raises StoreConflict if the row of an Insert exists, or if a Replace or Delete finds no row or another ETag;
        nothing has changed then. Raises StoreUnavailable if the outcome is unknown.
        """
