"""The probe tests storage: it writes a row of its own, reads it back and removes it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import override

import pytest

from shared.foundation.errors import StoreUnavailable
from shared.store.link_store import LinkStore
from shared.store.rows import Row, RowChange
from shared.store.sqlite_rows import SqliteRows


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[SqliteRows]:
    rows = SqliteRows(str(tmp_path / "store.sqlite"))
    yield rows
    rows.close()


def test_the_probe_leaves_no_row(rows: SqliteRows) -> None:
    LinkStore(rows).probe()
    LinkStore(rows).probe()
    assert rows.list("probe") == []


class ForgetfulRows(SqliteRows):
    """Rows that report a write but never return it."""

    @override
    def get(self, partition: str, key: str) -> Row | None:
        return None


def test_the_probe_fails_if_the_row_cannot_be_read_back(tmp_path: Path) -> None:
    rows = ForgetfulRows(str(tmp_path / "store.sqlite"))
    with pytest.raises(StoreUnavailable, match="does not return"):
        LinkStore(rows).probe()
    rows.close()


class ReadOnlyRows(SqliteRows):
    """Rows that can only be read, as for an account with a reader's role."""

    @override
    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        raise StoreUnavailable("Table Storage did not answer a write: 403")


def test_the_probe_fails_without_the_right_to_write(tmp_path: Path) -> None:
    rows = ReadOnlyRows(str(tmp_path / "store.sqlite"))
    with pytest.raises(StoreUnavailable, match="403"):
        LinkStore(rows).probe()
    rows.close()
