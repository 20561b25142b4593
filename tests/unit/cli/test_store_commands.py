"""`cosell store`: a copy that it exports is imported into an empty store, and any other place is refused."""

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.forget import run_forget
from shared.cli.output import Output
from shared.cli.store import run_export, run_import
from shared.foundation.errors import ConfigurationError, StoreUnavailable
from shared.operations.copy_store import keep_erasures
from shared.store.row_codec import unpack
from shared.store.sqlite_rows import SqliteRows
from shared.sync.runs import run_push, run_sweep


@pytest.fixture
def deal(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deal that the app of production has created."""
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "links.sqlite"))
    monkeypatch.setenv("SYNC", "on")
    deal = systems.seller_creates("Big deal")
    push()
    return deal


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)
        run_sweep(app.context)


def exported(place: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    run_export(Output(as_json=True), place)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def imported(place: str, capsys: pytest.CaptureFixture[str], *, yes: bool = True) -> tuple[Exit, dict[str, object]]:
    code = run_import(Output(as_json=True), place, yes=yes)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


@pytest.mark.parametrize("kind", ["file", "container"])
def test_a_copy_goes_into_a_new_store_and_the_app_goes_on_with_it(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    place = str(tmp_path / "copy.gz") if kind == "file" else kind
    document = exported(place, capsys)
    (tmp_path / "links.sqlite").rename(tmp_path / "lost.sqlite")
    before = systems.salesforce.record("Opportunity", deal)["LastModifiedDate"]

    assert imported(place, capsys, yes=False) == (Exit.PROBLEM, {"ok": False})
    assert run_import(Output(), place, yes=False) is Exit.PROBLEM
    began = datetime.fromisoformat(str(document["began"]))
    shown = " ".join(capsys.readouterr().out.split())
    assert f"of {began:%Y-%m-%d %H:%M} UTC: {document['rows']} rows of the organisation" in shown, "before the question"
    code, result = imported(place, capsys)
    assert (code, result["rows"], result["organization"]) == (Exit.OK, document["rows"], document["organization"])
    assert imported(place, capsys)[1]["inserted"] == 0

    push()
    assert systems.salesforce.record("Opportunity", deal)["LastModifiedDate"] == before
    assert len(systems.partner_center.referrals()) == 1


def test_a_store_in_use_a_file_that_exists_and_a_missing_copy_are_refused(
    deal: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del deal
    place = str(tmp_path / "copy.gz")
    exported(place, capsys)
    for refused in (lambda: exported(place, capsys), lambda: imported(place, capsys), lambda: imported("no", capsys)):
        with pytest.raises(ConfigurationError):
            refused()
    with pytest.raises(ConfigurationError, match="holds no copy"):
        imported("container", capsys)
    unknown = "container/store-2026-01-01T00-00-00Z.jsonl.gz"
    with pytest.raises(ConfigurationError, match=r"no copy store-2026-01-01T00-00-00Z\.jsonl\.gz: it holds none"):
        imported(unknown, capsys)
    exported("container", capsys)
    with pytest.raises(ConfigurationError, match=r"its newest ones are store-\S+Z\.jsonl\.gz$"):
        imported(unknown, capsys)


def stored_texts(file: Path) -> str:
    with SqliteRows(file) as rows:
        return "".join(str(unpack(row.data)) for row in rows.walk("", "~")).casefold()


@pytest.mark.parametrize("stops", [False, True])
def test_what_was_forgotten_since_the_copy_is_erased_again(
    systems: Systems,
    deal: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stops: bool,
) -> None:
    systems.salesforce.edit("Opportunity", deal, {"Description": "Ask kim@northwind.example."})
    push()
    exported("container", capsys)
    run_forget(Output(as_json=True), "kim@northwind.example", yes=True, dry_run=False)
    with closing(App()) as app:
        keep_erasures(app)
    capsys.readouterr()
    (tmp_path / "links.sqlite").rename(tmp_path / "lost.sqlite")

    if stops:
        with monkeypatch.context() as patched:
            patched.setattr("shared.operations.import_store.erase_again", stop)
            with pytest.raises(StoreUnavailable):
                imported("container", capsys)
        assert "kim@northwind" in stored_texts(tmp_path / "links.sqlite")
    imported("container", capsys)

    assert "kim@northwind" not in stored_texts(tmp_path / "links.sqlite")
    with closing(App()) as app:
        assert app.store.erasures().persons


def stop(*_: object) -> None:
    raise StoreUnavailable("stopped")
