"""The figures of `make bench`, as `rows.toml` lists them: names, units, targets, and what bounds each."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures.spreads import Target, at_most, part_of_former

FILE = Path(__file__).parent / "rows.toml"
TIMES = "times"
"""The unit of a figure that is a ratio already, such as a time over the time of a script."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `line` is the title of the line of the table to which it belongs.

    Without a target the figure is for information.
    """

    name: str
    line: str
    title: str
    unit: str
    bound: str
    target: Target | None


def _read_rows() -> list[Row]:
    lines = tomllib.loads(FILE.read_text(encoding="utf-8"))["line"]
    return [_row(line["title"], row) for line in lines for row in line["row"]]


def _row(line: str, row: dict[str, Any]) -> Row:
    targets = [make(row[name]) for name, make in _TARGETS.items() if name in row]
    return Row(row["name"], line, row["title"], row["unit"], row["bound"], targets[0] if targets else None)


_TARGETS = {"at_most": at_most, "part_of_former": part_of_former}
ROWS = tuple(_read_rows())
BY_NAME = {row.name: row for row in ROWS}
LINES = tuple(dict.fromkeys(row.line for row in ROWS))
"""The lines of the table, in its order."""


def chosen_rows(words: str) -> list[Row]:
    """The rows that a text such as "create update" names; all for an empty text. Raises ValueError."""
    names = words.replace(",", " ").split()
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise ValueError(f"ROWS: no row is named {unknown[0]!r}. The rows are: {', '.join(BY_NAME)}")
    return [row for row in ROWS if not names or row.name in names]
