import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.clock import EmulatedClock
from shared.foundation.errors import ConfigurationError, StoreConflict, StoreUnavailable
from shared.store import sqlite_rows
from shared.store.rows import Insert, Put, Replace
from shared.store.sqlite_rows import SqliteRows

LINK = "O|006000000000001AAA"
ROOT = Path(__file__).parents[3]


def start_process(code: str, *arguments: str) -> subprocess.Popen[str]:
    imports = "import os, sys\nfrom shared.foundation.errors import *\nfrom shared.store.rows import *\n"
    imports += "from shared.store.sqlite_rows import SqliteRows\nrows = SqliteRows(sys.argv[1])\n"
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", imports + code, *arguments], cwd=ROOT, text=True, stderr=subprocess.PIPE
    )


def wait_until_ended(processes: Sequence[subprocess.Popen[str]]) -> None:
    for each in processes:
        _, errors = each.communicate(timeout=60)
        assert each.returncode == 0, errors


def test_the_age_of_a_row_is_measured_by_the_given_clock() -> None:
    clock = EmulatedClock()
    clock.freeze()
    clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC))
    with SqliteRows(":memory:", clock=clock.now) as rows:
        rows.write(LINK, [Insert("link", b"")])
        clock.advance(299.999999)
        (row,) = rows.list(LINK)
    assert row.changed == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert row.age == timedelta(seconds=299.999999)


def test_a_process_that_stops_in_a_transaction_leaves_only_committed_rows(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    writer = start_process(
        "rows.write('O|1', [Insert('link', b'committed')])\n"
        "rows._connection.execute('BEGIN IMMEDIATE')\n"
        "rows._connection.execute(\"UPDATE rows SET data = x'00'\")\n"
        "os._exit(9)",
        str(path),
    )
    writer.communicate(timeout=60)
    assert writer.returncode == 9
    with SqliteRows(path) as rows:
        (row,) = rows.list("O|1")
        assert row.data == b"committed"
        rows.write("O|1", [Replace("link", b"goes on", row.etag)])


def test_processes_that_open_a_new_store_at_once_lose_no_increment(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    code = """
try:
    rows.write("O|1", [Insert("counter", b"0")])
except StoreConflict:
    pass
done = 0
while done < 50:
    row = rows.get("O|1", "counter")
    try:
        rows.write("O|1", [Replace("counter", str(int(row.data) + 1).encode(), row.etag)])
        done += 1
    except StoreConflict:
        pass
rows.close()
"""
    wait_until_ended([start_process(code, str(path)) for _ in range(3)])
    with SqliteRows(path) as rows:
        (row,) = rows.list("O|1")
    assert row.data == b"150"


def test_a_store_that_another_process_locks_too_long_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_rows, "BUSY_SECONDS", 0.01)
    with SqliteRows(tmp_path / "store.sqlite") as holder, SqliteRows(tmp_path / "store.sqlite") as rows:
        holder._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            rows.write(LINK, [Put("link", b"")])
        assert rows.get(LINK, "link") is None, "a read needs no lock"
        holder._connection.execute("ROLLBACK")
        rows.write(LINK, [Put("link", b"")])


def test_a_closed_store_is_unavailable_and_may_be_closed_again(tmp_path: Path) -> None:
    rows = SqliteRows(tmp_path / "store.sqlite")
    rows.close()
    rows.close()
    with pytest.raises(StoreUnavailable):
        rows.get(LINK, "link")
    with pytest.raises(StoreUnavailable):
        rows.write(LINK, [Put("link", b"")])


def test_an_interrupted_transaction_leaves_nothing_and_the_store_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        """Raised by simulations instead of a real crash."""

    with SqliteRows(":memory:") as rows:
        change, calls = rows._apply_change, []

        def interrupted(*arguments: object) -> str | None:
            calls.append(arguments)
            if len(calls) == 2:
                raise Crash
            return change(*arguments)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(rows, "_apply_change", interrupted)
        with pytest.raises(Crash):
            rows.write(LINK, [Insert("a|1", b""), Insert("a|2", b"")])
        monkeypatch.undo()
        assert rows.list(LINK) == []
        rows.write(LINK, [Insert("a|1", b"")])


def test_a_conflict_names_no_row() -> None:
    with SqliteRows(":memory:") as rows:
        rows.write(LINK, [Insert("person@example.com", b"")])
        with pytest.raises(StoreConflict) as caught:
            rows.write(LINK, [Insert("person@example.com", b"")])
    assert "example" not in str(caught.value)


def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SqliteRows(path).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE store SET version = version + 1")
    connection.close()
    with pytest.raises(ConfigurationError, match="run the newer program"):
        SqliteRows(path)


def test_a_file_that_is_not_a_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear customer, " * 100)
    with pytest.raises(ConfigurationError, match="is not a store"):
        SqliteRows(path)
    assert path.read_text().startswith("Dear customer")


def test_a_path_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteRows(tmp_path / "nowhere" / "store.sqlite")


def test_retry_entries_are_found_with_an_index() -> None:
    with SqliteRows(":memory:") as rows:
        plan = rows._connection.execute(
            "EXPLAIN QUERY PLAN SELECT key FROM rows WHERE partition = ? AND at <= ?", ("due|salesforce", 0)
        ).fetchall()
    assert "rows_due" in plan[0][-1]
