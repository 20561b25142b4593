"""Each day one copy is kept. Old ones go, the newest never, and nothing is copied while a copy is imported."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from local.systems import Systems
from shared.app import App
from shared.operations.copy_store import copies_of, newest_copy, run_daily_copy
from shared.operations.import_store import import_store
from shared.store.copies import time_of_copy
from shared.store.import_copy import Import
from shared.store.store_copy import check_copy
from tests.unit.operations.conftest import LoggedEvents

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def app(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    del systems
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "links.sqlite"))
    monkeypatch.setenv("BACKUP_RETENTION_DAYS", "2")
    with closing(App()) as opened:
        opened.store.owner(opened.salesforce.organization_id())
        yield opened


def copy_on(app: App, day: int) -> bool:
    return run_daily_copy(app, lambda: NOON + timedelta(days=day))


def days_of_copies(app: App) -> list[int]:
    times = (time_of_copy(name) for name in copies_of(app).names())
    return [(at - NOON).days for at in times if at]


def test_copies_are_deleted_after_their_days(app: App, logged: LoggedEvents) -> None:
    assert all(copy_on(app, day) for day in range(6))
    assert days_of_copies(app) == [3, 4, 5]
    assert [(event["rows"], event["deleted"]) for event in logged("store_copied")] == [(1, 0)] * 3 + [(1, 1)] * 3


def test_the_newest_copies_stay_however_old_they_are(app: App) -> None:
    for day in (0, 1, 2, 90):
        copy_on(app, day)
    assert days_of_copies(app) == [1, 2, 90]


def test_a_copy_that_fails_is_told_and_deletes_none(app: App, logged: LoggedEvents, tmp_path: Path) -> None:
    copy_on(app, 0)
    (tmp_path / "links.sqlite.copies").rename(tmp_path / "moved")
    (tmp_path / "links.sqlite.copies").write_text("a file is in the way")
    assert not copy_on(app, 90)
    assert [(event["run"], event["error"]) for event in logged("run_failed")] == [("copy", "StoreUnavailable")]
    (tmp_path / "links.sqlite.copies").unlink()
    (tmp_path / "moved").rename(tmp_path / "links.sqlite.copies")
    assert days_of_copies(app) == [0]


def read_newest(app: App) -> BytesIO:
    copies, into = copies_of(app), BytesIO()
    copies.read(newest_copy(copies) or "", into)
    into.seek(0)
    return into


def test_nothing_is_copied_while_a_copy_is_imported(
    app: App, logged: LoggedEvents, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy_on(app, 0)
    source = read_newest(app)
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "new.sqlite"))
    with closing(App()) as other:
        Import(other.rows, check_copy(source)).begin(other.salesforce.organization_id())
        assert not copy_on(other, 1)
        assert [event["reason"] for event in logged("run_skipped")] == ["import"]
        source.seek(0)
        assert import_store(other, source, check_copy(source)).inserted == 1
        source.seek(0)
        assert import_store(other, source, check_copy(source)).is_repeated
