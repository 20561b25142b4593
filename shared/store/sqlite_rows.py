"""Keep the store's rows in one SQLite file for a local run, or in memory for tests.

Several processes may open the file, because SQLite's own lock serialises their changes. The caller gives the store its
clock.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from shared.foundation.errors import ConfigurationError, StoreConflict, StoreUnavailable
from shared.store.limits import after_prefix, check_changes, check_key, check_list, check_scan
from shared.store.rows import Delete, Insert, Put, Replace, Row, RowChange

SCHEMA_VERSION = 1
BUSY_SECONDS = 10.0
"""The time that a call waits for the transaction of another process."""

_SCAN_PAGE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SELECT = "SELECT partition, key, data, etag, changed, at FROM rows WHERE "
_INSERT = """INSERT INTO rows (partition, key, data, etag, changed, at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
_PUT = "INSERT OR REPLACE INTO rows (partition, key, data, etag, changed, at) VALUES (?, ?, ?, ?, ?, ?)"
_REPLACE = """UPDATE rows SET data = ?, etag = ?, changed = ?, at = ?
    WHERE partition = ? AND key = ? AND CAST(etag AS TEXT) = ?"""
_DELETE = "DELETE FROM rows WHERE partition = ? AND key = ? AND CAST(etag AS TEXT) = ?"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS store (version INTEGER NOT NULL, changes INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS rows (
        partition TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, etag INTEGER NOT NULL,
        changed INTEGER NOT NULL, at INTEGER, PRIMARY KEY (partition, key))""",
    "CREATE INDEX IF NOT EXISTS rows_due ON rows (partition, at) WHERE at IS NOT NULL",
)


def utc_now() -> datetime:
    """Return the time of this machine, in UTC."""
    return datetime.now(UTC)


class SqliteRows:
    """The contract `shared.store.rows.Rows` on SQLite.

    `clock` returns the store's time, in UTC. All threads share one connection, one at a time. Raises ConfigurationError
    if `path` is not a store or was written by a newer program, and StoreUnavailable if it cannot be opened.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the store {path} cannot be opened: {error}") from error
        try:
            self._prepare_file(path)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        with self._lock:
            self._connection.close()

    # --- the contract

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        check_key(partition)
        check_key(key)
        rows = self._select_rows("partition = ? AND key = ?", (partition, key), "")
        return rows[0] if rows else None

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        check_list(partition, prefix, until, limit)
        where = "partition = ? AND key >= ? AND key < ?" + ("" if until is None else " AND at <= ?")
        until_values = () if until is None else (_microseconds(until),)
        values = (partition, prefix, after_prefix(prefix), *until_values, -1 if limit is None else limit)
        return self._select_rows(where, values, "ORDER BY key LIMIT ?")

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`. Rows come in the order of their partitions and are read page by page."""
        check_scan(partition_prefix, key, after)
        return self._scan_pages(partition_prefix, key, after)

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`. Rows are read page by page."""
        partition, key = first, ""
        where = "(partition, key) > (?, ?) AND partition < ?"
        while rows := self._select_rows(where, (partition, key, end, _SCAN_PAGE), "ORDER BY partition, key LIMIT ?"):
            yield from rows
            partition, key = rows[-1].partition, rows[-1].key

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        check_changes(partition, changes)
        if not changes:
            return []
        with self._in_transaction() as connection:
            now = _microseconds(self._clock())
            last = connection.execute("UPDATE store SET changes = changes + ? RETURNING changes", (len(changes),))
            first = last.fetchall()[0][0] - len(changes) + 1
            return [
                self._apply_change(connection, partition, change, etag, now)
                for etag, change in enumerate(changes, first)
            ]

    # --- reading

    def _select_rows(self, where: str, values: Sequence[object], order: str) -> Sequence[Row]:
        with self._locked_connection() as connection:
            results = connection.execute(f"{_SELECT} {where} {order}", values).fetchall()
            read = self._clock()
        return [_row_from(columns, read) for columns in results]

    def _scan_pages(self, partition_prefix: str, key: str, after: str) -> Iterator[Row]:
        # Read in pages, so that no statement stays open while the caller works on a row and perhaps writes it.
        where = "key = ? AND partition >= ? AND partition < ? AND partition > ?"
        while True:
            values = (key, partition_prefix, after_prefix(partition_prefix), after, _SCAN_PAGE)
            rows = self._select_rows(where, values, "ORDER BY partition LIMIT ?")
            yield from rows
            if len(rows) < _SCAN_PAGE:
                return
            after = rows[-1].partition

    # --- writing

    def _apply_change(
        self, connection: sqlite3.Connection, partition: str, change: RowChange, etag: int, now: int
    ) -> str | None:
        statement, values = _statement_for(partition, change, etag, now)
        if connection.execute(statement, values).rowcount != 1:
            raise StoreConflict(f"another instance changed the row first ({type(change).__name__})")
        return None if isinstance(change, Delete) else str(etag)

    @contextmanager
    def _in_transaction(self) -> Iterator[sqlite3.Connection]:
        with self._locked_connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _locked_connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise StoreUnavailable(f"SQLite: {error}") from error

    # --- opening

    def _prepare_file(self, path: Path | str) -> None:
        try:
            self._enable_write_ahead_log()
            with self._in_transaction() as connection:
                for statement in _SCHEMA:
                    connection.execute(statement)
                self._check_version(connection, path)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, sqlite3.OperationalError):
                raise
            raise ConfigurationError(f"{path} is not a store: name another file, or delete this one") from error

    def _enable_write_ahead_log(self) -> None:
        # With this log, readers and one writer can work at once. SQLite does not wait for the lock that switching to it
        # needs, so this loop does.
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with self._locked_connection() as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
                    # If the process stops, nothing is lost. A power failure may lose the last writes of a local run.
                    connection.execute("PRAGMA synchronous = NORMAL")
            except StoreUnavailable as error:
                if not _is_busy(error.__cause__) or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return

    def _check_version(self, connection: sqlite3.Connection, path: Path | str) -> None:
        stored = connection.execute("SELECT version FROM store").fetchone()
        if stored is None:
            connection.execute("INSERT INTO store (version, changes) VALUES (?, 0)", (SCHEMA_VERSION,))
        elif stored[0] > SCHEMA_VERSION:
            raise ConfigurationError(
                f"the store {path} has schema {stored[0]}, and this program supports {SCHEMA_VERSION}: "
                "run the newer program"
            )


def _statement_for(partition: str, change: RowChange, etag: int, now: int) -> tuple[str, Sequence[object]]:
    """Return a statement that changes exactly one row, or none if the change conflicts, and its values."""
    row = (partition, change.key)
    match change:
        case Insert():
            return _INSERT, (*row, change.data, etag, now, _microseconds_or_none(change.at))
        case Put():
            return _PUT, (*row, change.data, etag, now, _microseconds_or_none(change.at))
        case Replace():
            return _REPLACE, (change.data, etag, now, _microseconds_or_none(change.at), *row, change.etag)
        case Delete():
            return _DELETE, (*row, change.etag)


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _microseconds(at: datetime) -> int:
    """Return the microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _microseconds_or_none(at: datetime | None) -> int | None:
    return None if at is None else _microseconds(at)


def _time_from(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND


def _row_from(columns: tuple[Any, ...], read: datetime) -> Row:
    partition, key, data, etag, changed, at = columns
    return Row(partition, key, data, str(etag), _time_from(changed), read, None if at is None else _time_from(at))
