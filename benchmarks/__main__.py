"""`make bench`: measure the rows, print the table, write report and chart. A run of all rows also writes the docs.

    make bench                          all rows
    make bench ROWS="create update"     some rows
    make bench QUICK=1                  a tenth of the deals and fewer runs
    make bench ROWS=story DOCS=1        some rows, which replace those of the docs

Exit status 0, 1 if a row of this build could not be measured, 2 for a wrong ROWS, 130 after Ctrl-C.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from benchmarks.figures.effort import Effort
from benchmarks.figures.rows import ROWS, chosen_rows
from benchmarks.output.chart import render_chart
from benchmarks.output.page import render_page
from benchmarks.output.report import Report, report_of
from benchmarks.output.terminal import build_table
from benchmarks.run import run_rows
from benchmarks.systems.builds import FOLDER, FORMER, ROOT, THIS, Build, former_build, this_build
from benchmarks.systems.processes import CannotMeasure

DOCS = ROOT / "docs"
NO_HISTORY = f"the history has no commit {FORMER}"
INTERRUPTED = 128 + signal.SIGINT
PLAIN_WIDTH = 200
"""Columns of the output if it does not go to a terminal."""


def find_builds(tell: Callable[[str], None]) -> tuple[dict[str, Build], dict[str, str]]:
    """The builds that can be measured, and for the others the reason."""
    builds, missing = {THIS: this_build()}, dict[str, str]()
    try:
        former = former_build(tell)
    except CannotMeasure as error:
        former, missing[FORMER] = None, str(error)
    if former:
        builds[FORMER] = former
    else:
        missing.setdefault(FORMER, NO_HISTORY)
    return builds, missing


def write_files(report: Report, folder: Path) -> None:
    """Write report, chart and page of a report. The others show what the file of the report holds."""
    folder.mkdir(parents=True, exist_ok=True)
    text = report.to_json()
    (folder / "performance.json").write_text(text, encoding="utf-8")
    written = Report.from_json(text)
    (folder / "performance.svg").write_text(render_chart(written), encoding="utf-8")
    (folder / "performance.md").write_text(render_page(written), encoding="utf-8")


def report_for_docs(report: Report, folder: Path) -> Report:
    """This report, with the rows that it lacks taken from the docs. Raises ValueError if they do not fit together."""
    known = folder / "performance.json"
    return report.merged_into(Report.from_json(known.read_text(encoding="utf-8"))) if known.exists() else report


def _write_docs(report: Report) -> str:
    """Write the files of the docs; returns what to tell."""
    try:
        write_files(report_for_docs(report, DOCS), DOCS)
    except ValueError as error:
        return f"docs/performance.md was not changed: {error}."
    return "docs/performance.md shows this run."


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Measure as the variables ROWS, QUICK and DOCS say."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)

    def tell(text: str) -> None:
        console.print(text, markup=False)

    try:
        rows = chosen_rows(environ.get("ROWS", ""))
    except ValueError as error:
        tell(str(error))
        return 2
    effort = Effort(is_quick=bool(environ.get("QUICK")))
    try:
        builds, missing = find_builds(tell)
        outcome = run_rows(rows, builds, effort, tell)
    except KeyboardInterrupt:
        tell("Stopped. Nothing was written.")
        return INTERRUPTED
    report = report_of(rows, outcome, is_quick=effort.is_quick, missing=missing)
    console.print(build_table(report))
    write_files(report, FOLDER / "last")
    if len(rows) == len(ROWS) or environ.get("DOCS"):
        tell(_write_docs(report))
    tell(f"The whole run took {outcome.seconds / 60:.1f} minutes. Its files are in .bench/last.")
    return 1 if any(result.spread(THIS) is None for result in report.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
