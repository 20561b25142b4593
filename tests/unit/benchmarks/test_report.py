"""The report, the table, the page and the chart of a run."""

import re
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from benchmarks.figures.outcome import Outcome
from benchmarks.figures.rows import chosen_rows
from benchmarks.output.chart import render_chart
from benchmarks.output.page import QUICK, render_page
from benchmarks.output.report import Report, RowResult, commit_of, describe_machine, report_of
from benchmarks.output.terminal import build_table
from benchmarks.output.texts import number
from benchmarks.systems.builds import FORMER, THIS
from tests.unit.docs.docs_reader import DOCS, ROOT

MACHINE = {"processor": "A processor", "cores": "2"}


def result(name: str, this: list[float], former: list[float], *, is_quick: bool = False) -> RowResult:
    samples = {build: found for build, found in ((FORMER, former), (THIS, this)) if found}
    reasons = {build: "the history has no commit f9a8dde" for build in (FORMER, THIS) if build not in samples}
    return RowResult(name, samples, reasons, "2026-12-02", "0123abcd", is_quick)


def report(*rows: RowResult) -> Report:
    return Report(rows, MACHINE, 125.0)


def printed(shown: Report) -> str:
    console = Console(width=300, record=True, file=None, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        console.print(build_table(shown))
    return capture.get()


MEASURED = result("create", [9.0, 10.0, 12.0], [45.0, 50.0, 60.0])
WITHOUT_HISTORY = result("create", [9.0, 10.0, 12.0], [])


def test_the_table_has_both_builds_their_ratio_and_the_verdict() -> None:
    line = next(line for line in printed(report(MEASURED)).splitlines() if "CPU of a create" in line)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == [
        "create", "CPU of a create", "50 ms (45 to 60)", "10 ms (9 to 12)", "0.20x (0.15 to 0.27)",
        "0.20x of f9a8dde", "met",
    ]  # fmt: skip


def test_without_history_the_column_says_not_measured_and_why() -> None:
    page = render_page(report(WITHOUT_HISTORY))
    assert "| create: CPU of a create | not measured | 10 ms (9 to 12) | not measured | 0.20x of f9a8dde |  |" in page
    assert "\n\n- create: f9a8dde: the history has no commit f9a8dde\n\n" in page
    assert "not measured" in printed(report(WITHOUT_HISTORY))
    assert ">not measured</text>" in render_chart(report(WITHOUT_HISTORY))


def test_a_missed_target_is_told() -> None:
    assert "| missed |" in render_page(report(result("webhook", [9.0], [8.0])))
    assert "| met |" in render_page(report(result("webhook", [3.0], [8.0])))


def test_a_row_without_target_has_no_verdict() -> None:
    assert "| 0.06x | 0.06x | 1x |  |  |" in render_page(report(result("naive-tables", [0.06], [0.06])))


def test_the_page_has_the_machine_the_time_and_what_bounds_each_row() -> None:
    page = render_page(report(MEASURED))
    assert (
        "took 2 minutes on this machine: processor A processor, cores 2. This build is the commit 0123abcd on 2" in page
    )
    assert re.search(r"^\| create \| .{20,} \|$", page, re.MULTILINE)


@pytest.mark.parametrize("is_quick", [False, True])
def test_the_page_of_a_quick_run_says_so(*, is_quick: bool) -> None:
    page = render_page(report(result("create", [1.0], [2.0], is_quick=is_quick), MEASURED))
    assert (QUICK in page) is is_quick


def test_the_chart_draws_a_bar_for_each_row_from_one_to_its_ratio() -> None:
    shown = report(MEASURED, result("webhook", [16.0], [8.0]), result("first-id", [5.0], [5000.0]))
    root = ET.fromstring(render_chart(shown))  # noqa: S314 - our own chart
    bars = [each for each in root if each.tag.endswith("rect") and each.get("height") == "12"]
    ends = [(float(bar.get("x") or 0), float(bar.get("x") or 0) + float(bar.get("width") or 0)) for bar in bars]
    one = 545.0
    expected = [(457.6, one), (one, 582.6), (170.0, one)]
    assert [place for bar in ends for place in bar] == pytest.approx([p for bar in expected for p in bar], abs=0.11)
    assert "0.20x (0.15 to 0.27)" in "".join(root.itertext())


def test_a_report_survives_its_file() -> None:
    shown = report(MEASURED, WITHOUT_HISTORY)
    assert Report.from_json(shown.to_json()).to_json() == shown.to_json()
    assert render_page(Report.from_json(shown.to_json())) == render_page(shown)


def test_a_report_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="the report has the form 0, not 1"):
        Report.from_json('{"form": 0}')


def test_some_rows_replace_those_of_the_docs() -> None:
    former = report(result("create", [1.0], [1.0]), result("webhook", [1.0], [1.0]))
    merged = report(result("update", [3.0], [1.0]), result("create", [2.0], [1.0])).merged_into(former)
    assert [(row.name, row.samples[THIS]) for row in merged.rows] == [
        ("create", [2.0]), ("update", [3.0]), ("webhook", [1.0]),
    ]  # fmt: skip


def test_the_time_of_the_page_stays_that_of_the_run_of_all_rows() -> None:
    former = Report([MEASURED], MACHINE, 3600.0)
    assert report(result("update", [3.0], [1.0])).merged_into(former).seconds == 3600.0


def test_rows_of_two_machines_are_not_put_together() -> None:
    former = Report([MEASURED], {"processor": "Another"}, 3600.0)
    with pytest.raises(ValueError, match="another machine"):
        report(result("update", [3.0], [1.0])).merged_into(former)
    whole = report(*(result(row.name, [1.0], [1.0]) for row in chosen_rows("")))
    assert whole.merged_into(former) is whole


def test_the_report_of_a_run_keeps_why_something_was_not_measured() -> None:
    outcome = Outcome({("create", THIS): [1.0]}, {("update", THIS): "the store was full"}, 3.0)
    made = report_of(chosen_rows("create update"), outcome, is_quick=True, missing={FORMER: "no history"})
    assert [(row.name, dict(row.samples), dict(row.reasons), row.is_quick) for row in made.rows] == [
        ("create", {THIS: [1.0]}, {FORMER: "no history"}, True),
        ("update", {}, {FORMER: "no history", THIS: "the store was full"}, True),
    ]
    assert made.seconds == 3.0


def test_the_machine_is_described_without_names() -> None:
    assert list(describe_machine()) == ["processor", "cores", "memory", "system", "Python", "Node.js"]


def test_the_commit_is_empty_without_git() -> None:
    assert commit_of(ROOT / "no such folder") == ""


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0.004, 1, 99.94, 1234.5)] == ["0.00", "1", "99.9", "1,234"]


# --- the docs


def test_page_and_chart_of_the_docs_are_those_of_their_report() -> None:
    shown = Report.from_json((DOCS / "performance.json").read_text(encoding="utf-8"))
    assert render_page(shown) == (DOCS / "performance.md").read_text(encoding="utf-8")
    assert render_chart(shown) == (DOCS / "performance.svg").read_text(encoding="utf-8")


def test_the_docs_show_every_row() -> None:
    shown = Report.from_json((DOCS / "performance.json").read_text(encoding="utf-8"))
    assert [row.name for row in shown.rows] == [row.name for row in chosen_rows("")]
