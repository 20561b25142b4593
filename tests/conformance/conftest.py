from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from local import azurite
from shared.store.preview_rows import PreviewRows
from shared.store.rows import Rows
from shared.store.sqlite_rows import SqliteRows
from shared.store.table_storage_rows import open_tables_from_connection_string

ON_AZURITE = pytest.param("azurite tables", marks=pytest.mark.node)


@dataclass(frozen=True)
class Store:
    """An empty store. Each call of `open_adapter` opens another adapter of it, which the end of the test closes.

    `rounds` is the number of repetitions of a race. Azurite needs 10 ms where SQLite needs 0.1 ms.
    """

    open_adapter: Callable[[], Rows]
    rounds: int


@pytest.fixture(scope="session")
def running_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    if reason := azurite.unavailable_reason():
        pytest.skip(f"NOT RUN: {reason}")
    with azurite.start_azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(params=["sqlite file", ON_AZURITE])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store that several adapters can open at the same time."""
    table = f"t{uuid4().hex}"

    def new_adapter() -> AbstractContextManager[Rows]:
        if request.param == "sqlite file":
            return SqliteRows(tmp_path / "store.sqlite")
        running = request.getfixturevalue("running_azurite")
        return open_tables_from_connection_string(running.connection_string, table)

    with ExitStack() as stack:
        yield Store(lambda: stack.enter_context(new_adapter()), 200 if request.param == "sqlite file" else 50)


@pytest.fixture(params=["sqlite memory", "sqlite file", "preview", ON_AZURITE])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows]:
    """An adapter of an empty store."""
    if request.param == "azurite tables":
        running = request.getfixturevalue("running_azurite")
        with open_tables_from_connection_string(running.connection_string, f"t{uuid4().hex}") as tables:
            yield tables
    else:
        with SqliteRows(tmp_path / "store.sqlite" if request.param == "sqlite file" else ":memory:") as sqlite:
            yield PreviewRows(sqlite) if request.param == "preview" else sqlite
