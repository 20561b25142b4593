"""The builds that are compared, and the command itself."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.figures.outcome import Outcome
from benchmarks.figures.rows import ROWS
from benchmarks.output.page import render_page
from benchmarks.output.report import Report, RowResult
from benchmarks.systems import builds
from benchmarks.systems.builds import FORMER, THIS, former_build, this_build
from benchmarks.systems.processes import CannotMeasure


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout without the earlier commit, as a shallow clone is."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S603, S607 - git, in a folder of the test
    return tmp_path


def test_without_the_commit_there_is_no_former_build(checkout: Path) -> None:
    assert former_build(pytest.fail, checkout / ".bench", checkout) is None
    assert not (checkout / ".bench").exists()


def test_without_git_there_is_no_former_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.systems.builds.shutil.which", lambda _: None)
    assert former_build(pytest.fail, tmp_path / ".bench") is None


def test_the_former_build_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, told = list[str](), list[str]()
    monkeypatch.setattr(builds, "_has_commit", lambda _: True)

    def note(words: list[str]) -> None:
        ran.append(" ".join(words))
        (tmp_path / FORMER / ".venv").mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(builds, "_run", note)
    made = [former_build(told.append, tmp_path, tmp_path) for _ in range(2)]

    assert made[0] == made[1]
    assert made[0] is not None
    assert made[0].python == tmp_path / FORMER / ".venv/bin/python"
    assert told == ["Making a worktree of f9a8dde and its environment. This happens once."]
    assert [("worktree add" in line, "--require-hashes" in line) for line in ran] == [
        (False, False), (True, False), (False, False), (False, True),
    ]  # fmt: skip


def test_what_git_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "_has_commit", lambda _: True)
    with pytest.raises(CannotMeasure, match=r"^git -C .+ worktree failed: fatal: not a git repository"):
        former_build(lambda _: None, tmp_path / ".bench", tmp_path)


def test_a_program_gets_neither_the_shells_paths_nor_its_own_folder() -> None:
    words = this_build().program("app_process", "there")
    assert words[1:] == ["-P", str(builds.INSIDE / "app_process.py"), "there"]


# --- the command


def test_an_unknown_row_ends_with_2_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main({"ROWS": "crate"}) == 2
    assert "ROWS: no row is named 'crate'." in capsys.readouterr().out


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run without measures, whose files go into a folder."""
    samples = {(row.name, THIS): [1.0] for row in ROWS}
    monkeypatch.setattr(command, "run_rows", lambda *_: Outcome(samples, {}, 90.0))
    monkeypatch.setattr(command, "find_builds", lambda _: ({}, {FORMER: command.NO_HISTORY}))
    monkeypatch.setattr(command, "FOLDER", tmp_path / ".bench")
    monkeypatch.setattr(command, "DOCS", tmp_path / "docs")
    return tmp_path


def test_a_run_of_all_rows_writes_the_docs(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main({}) == 0
    assert sorted(path.name for path in (made / "docs").iterdir()) == [
        "performance.json", "performance.md", "performance.svg",
    ]  # fmt: skip
    assert "f9a8dde: the history has no commit f9a8dde" in (made / "docs/performance.md").read_text(encoding="utf-8")
    assert "The whole run took 1.5 minutes." in capsys.readouterr().out


def test_page_and_chart_show_what_the_file_of_the_report_holds(tmp_path: Path) -> None:
    samples = {"this build": [46.949999, 1 / 3], "f9a8dde": [2 / 3, 45.05001]}
    row = RowResult("create", samples, {}, "2026-12-02", "0123abcd", is_quick=False)
    command.write_files(Report([row], {}, 1.0), tmp_path)
    read = Report.from_json((tmp_path / "performance.json").read_text(encoding="utf-8"))
    assert render_page(read) == (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "46.9" not in render_page(read)


def test_a_run_of_some_rows_leaves_the_docs_as_they_are_unless_asked(made: Path) -> None:
    assert command.main({"ROWS": "create"}) == 0
    assert (made / ".bench/last/performance.json").exists()
    assert not (made / "docs").exists()
    assert command.main({"ROWS": "create", "DOCS": "1"}) == 0
    assert (made / "docs/performance.json").exists()


def test_some_rows_of_another_machine_leave_the_docs_and_say_so(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main({}) == 0
    before = (made / "docs/performance.json").read_text(encoding="utf-8")
    monkeypatch.setattr("benchmarks.output.report.describe_machine", dict)
    assert command.main({"ROWS": "create", "DOCS": "1"}) == 0
    assert (
        "docs/performance.md was not changed: the report of the docs is of another machine" in capsys.readouterr().out
    )
    assert (made / "docs/performance.json").read_text(encoding="utf-8") == before


def test_a_row_that_this_build_could_not_measure_is_a_failure(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "run_rows", lambda *_: Outcome({}, {("create", THIS): "no"}, 1.0))
    assert command.main({"ROWS": "create"}) == 1
    assert made.exists()


def test_ctrl_c_ends_with_130_and_writes_nothing(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_rows", interrupt)
    assert command.main({}) == 130
    assert not (made / "docs").exists()
    assert "Stopped. Nothing was written." in capsys.readouterr().out
