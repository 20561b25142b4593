"""The result of a run as JSON: `docs/performance.json` is that of the last one, and the page and the chart show it."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures.outcome import Outcome
from benchmarks.figures.rows import BY_NAME, ROWS, Row
from benchmarks.figures.spreads import Spread
from benchmarks.systems.builds import FORMER, ROOT, THIS

FORM = 1
"""The version of the form of the file."""
GIBIBYTE_IN_KIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RowResult:
    """The samples of one row by build, or the reason why there are none, and the run that they are from."""

    name: str
    samples: Mapping[str, list[float]]
    reasons: Mapping[str, str]
    day: str
    commit: str
    is_quick: bool

    def spread(self, build: str) -> Spread | None:
        """The spread of one build; None if it was not measured."""
        return Spread.of(self.samples.get(build, []))

    def ratio(self) -> Spread | None:
        """This build over f9a8dde; None if one of them was not measured."""
        this, former = self.spread(THIS), self.spread(FORMER)
        return this.over(former) if this and former else None

    def is_met(self) -> bool | None:
        """Whether the target is met; None without a target, or without what it needs."""
        target = BY_NAME[self.name].target
        return target.is_met(self.spread(THIS), self.spread(FORMER)) if target else None


@dataclass(frozen=True, slots=True)
class Report:
    """All rows of a report, in the order of `ROWS`, the machine, and how long the last run took."""

    rows: Sequence[RowResult]
    machine: Mapping[str, str]
    seconds: float

    @property
    def is_quick(self) -> bool:
        """Whether a row is from a quick run."""
        return any(row.is_quick for row in self.rows)

    def to_json(self) -> str:
        """The text of the file: a line for each row. Samples have four digits."""
        head = json.dumps({"form": FORM, "seconds": round(self.seconds), "machine": dict(self.machine)})
        rows = ",\n".join(json.dumps(_row_to_json(row)) for row in self.rows)
        return f'{head.removesuffix("}")}, "rows": [\n{rows}\n]}}\n'

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Read the text of a file. Rows that no longer exist are left out. Raises ValueError for another form."""
        body = json.loads(text)
        if body.get("form") != FORM:
            raise ValueError(f"the report has the form {body.get('form')!r}, not {FORM}")
        rows = [RowResult(**row) for row in body["rows"] if row["name"] in BY_NAME]
        return cls(rows, body["machine"], body["seconds"])

    def merged_into(self, former: "Report") -> "Report":
        """The former report with the rows of this one in place of its own; this one if it has all rows.

        Raises ValueError if the former one is of another machine, whose figures do not compare with these.
        """
        if len(self.rows) == len(ROWS):
            return self
        if former.machine != self.machine:
            raise ValueError("the report of the docs is of another machine: only a run of all rows can replace it")
        rows = {row.name: row for row in (*former.rows, *self.rows)}
        return Report([rows[row.name] for row in ROWS if row.name in rows], former.machine, former.seconds)


def _row_to_json(row: RowResult) -> dict[str, Any]:
    body = asdict(row)
    body["samples"] = {build: [float(f"{value:.4g}") for value in values] for build, values in row.samples.items()}
    return body


def report_of(rows: Sequence[Row], outcome: Outcome, *, is_quick: bool, missing: Mapping[str, str]) -> Report:
    """The report of a run. `missing` has the reason for each build that was not there."""
    day, commit = datetime.now(UTC).date().isoformat(), commit_of(ROOT)
    results = []
    for row in rows:
        samples = {build: found for build in (FORMER, THIS) if (found := outcome.samples.get((row.name, build)))}
        reasons = {
            build: missing.get(build) or outcome.reasons.get((row.name, build), "")
            for build in (FORMER, THIS)
            if build not in samples
        }
        results.append(RowResult(row.name, samples, reasons, day, commit, is_quick))
    return Report(results, describe_machine(), outcome.seconds)


def commit_of(root: Path) -> str:
    """The first digits of the commit of a checkout, with a `+` after them if files are changed; empty without git."""
    git = ["git", "-C", str(root)]
    commit, status = (
        subprocess.run([*git, *words], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - our own command
        for words in (("rev-parse", "--short=8", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    )
    return f"{commit}+" if commit and status else commit


def describe_machine() -> dict[str, str]:
    """What the page says of the machine. It names no person and no host."""
    cpu = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+) kB", _read("/proc/meminfo"))
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607 - of the PATH
    return {
        "processor": cpu[1].strip() if cpu else platform.machine(),
        "cores": str(os.process_cpu_count()),
        "memory": f"{int(memory[1]) / GIBIBYTE_IN_KIB:.0f} GiB" if memory else "not known",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Node.js": node.stdout.strip().removeprefix("v") or "not known",
    }


def _read(path: str) -> str:
    place = Path(path)
    return place.read_text(encoding="utf-8") if place.exists() else ""
