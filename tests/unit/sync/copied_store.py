"""Copies the store of a harness, and puts a copy into an empty one as after a disaster."""

from datetime import timedelta
from io import BytesIO

from shared.store.import_copy import Import
from shared.store.link_store import LinkStore
from shared.store.rows import Rows
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import check_copy, write_copy
from tests.unit.sync.harness import Harness

ORGANIZATION = "00D000000000001AAA"


def copy_of(harness: Harness) -> bytes:
    """A copy of the harness's store as it is now."""
    harness.store.owner(ORGANIZATION)
    out = BytesIO()
    write_copy(harness.rows, out, began=harness.now(), build="0.8.0")
    return out.getvalue()


def import_into(rows: Rows, copy: bytes, harness: Harness) -> int:
    """Import a copy into a table; returns the number of rows that were missing."""
    imported = Import(rows, check_copy(BytesIO(copy)))
    imported.begin(ORGANIZATION)
    inserted = imported.insert_rows(BytesIO(copy))
    imported.finish(harness.now())
    return inserted


def lose_store(harness: Harness, copy: bytes, rows: Rows | None = None) -> None:
    """The table is gone, every process has ended, and an hour later a copy is in a new table (`rows`, or SQLite)."""
    harness.advance_time(timedelta(hours=1).total_seconds())
    harness.rows.close()
    empty = rows or SqliteRows(":memory:", clock=harness.now)
    harness.rows = empty  # type: ignore[assignment]  # the harness does not use more of it than the contract
    harness.store = LinkStore(empty, harness._timestamp)
    import_into(empty, copy, harness)
    harness.first = harness.new_instance()
