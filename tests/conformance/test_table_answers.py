"""Azurite answers a refusal as the client reads it: each reason has its code, and a transaction names the change."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest

from local import azurite
from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store.rows import Delete, Insert, Put, Replace, RowChange
from shared.store.shared_key import read_connection_string
from shared.store.table_client import TableClient
from shared.store.table_errors import TableRefusal
from shared.store.table_storage_rows import TableRows, open_tables_from_connection_string

LINK = "O|006000000000001AAA"
OLD = "W/\"datetime'2026-03-01T12%3A00%3A00.1234567Z'\""

pytestmark = pytest.mark.node


@pytest.fixture
def rows(running_azurite: azurite.Azurite) -> Iterator[TableRows]:
    with open_tables_from_connection_string(running_azurite.connection_string, f"t{uuid4().hex}") as opened:
        opened.write(LINK, [Insert("link", b"base")])
        yield opened


def refusal(error: BaseException) -> tuple[int, str | None, int | None]:
    cause = error.__cause__
    assert isinstance(cause, TableRefusal)
    return cause.status, cause.code, cause.index


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (Insert("link", b""), 409, "EntityAlreadyExists"),
        (Replace("link", b"", OLD), 412, "UpdateConditionNotSatisfied"),
        (Delete("link", OLD), 412, "UpdateConditionNotSatisfied"),
        (Replace("gone", b"", OLD), 404, "ResourceNotFound"),
        (Delete("gone", OLD), 404, "ResourceNotFound"),
    ],
)
def test_each_conflict_has_its_code(rows: TableRows, change: RowChange, status: int, code: str) -> None:
    with pytest.raises(StoreConflict) as caught:
        rows.write(LINK, [change])
    assert refusal(caught.value) == (status, code, None)
    together: Sequence[RowChange] = [Put("a|1", b""), Put("a|2", b""), change]
    with pytest.raises(StoreConflict) as caught:
        rows.write(LINK, together)
    assert refusal(caught.value)[:2] == (status, code)
    assert [row.key for row in rows.list(LINK)] == ["link"]


def test_a_missing_table_is_neither_a_conflict_nor_a_missing_row(running_azurite: azurite.Azurite) -> None:
    endpoint, key = read_connection_string(running_azurite.connection_string)
    with TableRows(TableClient(endpoint, "missing", key, ca_bundle=None, seconds=60)) as rows:
        with pytest.raises(StoreUnavailable) as caught:
            rows.write(LINK, [Insert("link", b"")])
        assert refusal(caught.value)[1] == "TableNotFound"
        with pytest.raises(StoreUnavailable) as caught:
            rows.list(LINK)
        assert refusal(caught.value)[1] == "TableNotFound"


def test_a_wrong_key_is_refused_with_its_code(running_azurite: azurite.Azurite) -> None:
    wrong = running_azurite.connection_string.replace("AccountKey=E", "AccountKey=F")
    with pytest.raises(StoreUnavailable) as caught:
        open_tables_from_connection_string(wrong, "rows")
    assert refusal(caught.value)[:2] == (403, "AuthorizationFailure")


def test_a_table_that_is_there_is_opened_again(running_azurite: azurite.Azurite) -> None:
    for _ in range(2):
        open_tables_from_connection_string(running_azurite.connection_string, "again").close()
