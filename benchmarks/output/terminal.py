"""The table that `make bench` prints."""

from rich.table import Table

from benchmarks.figures.rows import BY_NAME
from benchmarks.output.report import Report
from benchmarks.output.texts import ratio_text, spread_text, target_text, unit_of, verdict_text
from benchmarks.systems.builds import FORMER, THIS

COLOURS = {"met": "green", "missed": "bold red", "": ""}


def build_table(report: Report) -> Table:
    """One line for each row: median, and least to greatest, of both builds, their ratio, and the target."""
    table = Table("row", "measure", FORMER, THIS, "this over f9a8dde", "target", "")
    for result in report.rows:
        row, unit, verdict = BY_NAME[result.name], unit_of(result), verdict_text(result)
        colour = COLOURS[verdict]
        table.add_row(
            row.name, row.title, spread_text(result.spread(FORMER), unit), spread_text(result.spread(THIS), unit),
            ratio_text(result.ratio()), target_text(row.target, unit), f"[{colour}]{verdict}[/]" if colour else "",
        )  # fmt: skip
    return table
