"""Rows under optimistic concurrency: the small contract that Azure Table Storage and SQLite both keep.

A row lives in a partition under a key. Rows of one partition change together in one transaction, all or nothing; rows
of two partitions never do. Every change of a row gives it a new ETag. `changed` and `read` are both the *store's* own
clock (entity timestamp, and the `Date` of the reply), so that the age of a row is right on every instance, however
wrong its own clock is (protocol.md section 3).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct


class Row(Struct, frozen=True):
    """One row as it was read. `at` is an indexed moment (when something falls due), None for rows that never do."""

    partition: str
    key: str
    data: bytes
    etag: str
    changed: datetime
    read: datetime
    at: datetime | None = None

    @property
    def age(self) -> timedelta:
        """Time since the last change, by the store's clock."""
        return self.read - self.changed


class Insert(Struct, frozen=True):
    """Make a row that must not exist yet."""

    key: str
    data: bytes
    at: datetime | None = None


class Replace(Struct, frozen=True):
    """Change a row that must still carry `etag`."""

    key: str
    data: bytes
    etag: str
    at: datetime | None = None


class Put(Struct, frozen=True):
    """Make or overwrite a row, whatever stands there."""

    key: str
    data: bytes
    at: datetime | None = None


class Delete(Struct, frozen=True):
    """Remove a row that must still carry `etag`."""

    key: str
    etag: str


Change = Insert | Replace | Put | Delete


class Rows(Protocol):
    r"""The contract. Adapters: `sqlite.SqliteRows`, `tables.TableRows`.

    Partitions and keys are 1 to 200 characters of ASCII without control characters and `/ \\ # ?`; `data` may hold
    700,000 bytes (an entity's limit is 1 MiB).
    """

    def get(self, partition: str, key: str) -> Row | None:
        """One row, or None. Raises StoreUnavailable."""

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """The partition's rows in the order of their keys: keys that begin with `prefix`, `at` not later than `due`."""

    def scan(self, partition_prefix: str, key: str) -> Iterator[Row]:
        """The rows called `key` of every partition that begins with `partition_prefix`."""

    def write(self, partition: str, changes: Sequence[Change]) -> Sequence[str | None]:
        """Apply up to 100 changes of different keys as one transaction; the new ETags in order (None for a Delete).

        Raises StoreConflict (nothing changed) if an Insert exists, or a Replace or Delete finds another ETag or no
        row; StoreUnavailable if the outcome is unknown.
        """
