"""Measures the import time and the memory of the app in fresh processes, and compares them with their limits.

    python -m local.measure
    python -m local.measure --runs 30 --packages 20     also show the slowest packages of each phase
    python -m local.measure --pid 4711                  also show the memory of a running process

The emulated systems run in a process of their own (`local.measure_systems`), so that the measured process holds only
the app. Each run starts a fresh app process (`local.measure_app`) with reset systems and a new store. The app:

- loads `function_app`, which checks the settings and the mapping file
- accepts one signed event, and fetches its certificate from the emulated host
- applies the event, pushes one opportunity, and sweeps

The time of all imports counts, except those of `azure.functions`, which the worker has already loaded. As in Azure, the
app is unpacked from its zip, the packages that requirements.txt does not name are missing, bytecode is present, and the
packages of Table Storage are imported in place of SQLite: docs/reference/azure.md#cold-start.

The times are processor times. Other programs on the machine can only make them longer. Therefore the limit applies to
the sum of each module's fastest import. The table also shows the median of the runs, and the time of `azure.functions`
alone, which shows how fast the machine is. The memory is measured in a process that holds the worker's library too.

Exit status: 0, or 1 if a value is more than a fifth above its limit, 2 if something cannot be measured.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.unpacked_app import unpacked_app

ROOT = Path(__file__).parents[1]
BASE_MODULES = ("azure.functions",)
WORKER_MODULES = ("azure_functions_runtime", *BASE_MODULES)
DEPLOYED_MODULES = ("shared.store.table_storage_rows",)
LOCAL_MODULES = frozenset({"shared.store.sqlite_rows", "sqlite3", "sqlite3.dbapi2", "_sqlite3"})
"""The modules that a local run loads instead of `DEPLOYED_MODULES`. A deployment never loads them."""

RUNS = 15
LIMIT_FIRST, LIMIT_ALL, LIMIT_MEMORY = 80.0, 370.0, 150.0  # milliseconds, milliseconds, MB resident
NOISE = 1.2
"""The command fails only if a value is larger than its limit times this factor."""

REQUIRED_EVENTS = frozenset({"event_accepted", "opportunity_created", "referral_created", "push_done", "sweep_done"})
"""The app logs these events if it did all the work that loads its modules."""


class CannotMeasure(Exception):
    """A process ended early, did not do its work, or does not exist; the message says which."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """The figures of one run.

    `base`, `first` and `later` are milliseconds by module: before the app, up to the first answer, and after it.
    `answered` is the time in milliseconds from the start of loading to the first answer. `resident` is memory in MB.
    """

    base: Mapping[str, float]
    first: Mapping[str, float]
    later: Mapping[str, float]
    answered: float
    resident: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. A measure without a limit is for information."""

    name: str
    value: float
    median: float
    unit: str
    limit: float | None = None

    @property
    def verdict(self) -> str:
        """The text of the last column: "ok", "too slow" or "too much"; empty without a limit."""
        if self.limit is None:
            return ""
        return "ok" if self.value <= self.limit else f"too {'much' if self.unit == 'MB' else 'slow'}"

    @property
    def is_failed(self) -> bool:
        """Whether the value is so far above the limit that noise cannot explain it."""
        return self.limit is not None and self.value > self.limit * NOISE


# --- processes


@contextmanager
def start_systems_process() -> Iterator["subprocess.Popen[str]"]:
    """Run the emulated systems in a process of their own until the block ends."""
    with _start_python(("-m", "local.measure_systems"), ROOT, os.environ) as process:
        yield process


@contextmanager
def _start_python(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    # With -E, Python ignores variables that could forbid bytecode or add paths and so change the result.
    command, pipe = [sys.executable, "-E", *words], subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environ, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own modules
        try:
            yield process
            process.communicate()
        finally:
            process.kill()


def _exchange_line(process: "subprocess.Popen[str]", line: str, process_name: str) -> dict[str, Any]:
    """Send a line to a process; returns its answer. Raises CannotMeasure if the process ends first."""
    assert process.stdin is not None  # noqa: S101 - for the type checker: stdin is a pipe
    assert process.stdout is not None  # noqa: S101 - as above
    try:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise CannotMeasure(f"{process_name} ended early; its error message is above") from None
    answer = process.stdout.readline()
    if not answer:
        raise CannotMeasure(f"{process_name} ended early; its error message is above")
    answer_document: dict[str, Any] = json.loads(answer)
    return answer_document


def measure_fresh_run(systems: "subprocess.Popen[str]", base: Sequence[str] = BASE_MODULES) -> RunCost:
    """Reset the systems, and measure one run of the app. Imports of the modules `base` do not count.

    Raises:
        CannotMeasure: a process ended early, or the app did not do its work.
    """
    return measure_staged_run(_exchange_line(systems, "", "the emulated systems"), base)


def measure_staged_run(staged: Mapping[str, Any], base: Sequence[str]) -> RunCost:
    """Measure one run of the app with the answer of `local.measure_systems`. Raises CannotMeasure."""
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    instructions = {**staged, "base": base, "more": DEPLOYED_MODULES, "absent": development_packages()}
    with (
        unpacked_app(passed_on | staged["environ"]) as (home, environ),
        _start_python((str(ROOT / "local" / "measure_app.py"),), home, environ) as app,
    ):
        report = _exchange_line(app, json.dumps(instructions), "the app")
        missing = REQUIRED_EVENTS - set(report["events"])
        if missing:
            raise CannotMeasure(f"the app did not do its work: no {', '.join(sorted(missing))}")
        later = {module: spent for module, spent in report["later"].items() if module not in LOCAL_MODULES}
        return RunCost(report["base"], report["first"], later, report["answered"], resident_megabytes(app.pid))


def development_packages() -> list[str]:
    """The packages of this environment that no distribution in requirements.txt brings."""
    deployed = {_normalised_name(name) for name in re.findall(r"^([\w.-]+)==", _read_requirements(), re.MULTILINE)}
    return [
        package
        for package, distributions in packages_distributions().items()
        if deployed.isdisjoint(map(_normalised_name, distributions)) and package not in WORKER_MODULES
    ]


def _read_requirements() -> str:
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def _normalised_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def resident_megabytes(pid: int) -> float:
    """The memory that a process holds now, in MB.

    Raises:
        CannotMeasure: no process has this id.
    """
    if Path("/proc/self/status").exists():
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError as error:
            raise CannotMeasure(f"no process has the id {pid}") from error
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
    else:  # macOS
        command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
        match = re.search(r"(\d+)", completed.stdout)
    if match is None:
        raise CannotMeasure(f"no process has the id {pid}")
    return int(match[1]) * 1024 / 1_000_000


# --- output


def list_measures(runs: Sequence[RunCost], worker_run: RunCost, other_processes: Mapping[str, float]) -> list[Measure]:
    """All measures: from several runs, from one run with the worker's library, and the memory of other processes."""
    first_imports, all_imports = [run.first for run in runs], [{**run.first, **run.later} for run in runs]
    answered = [run.answered for run in runs]
    return [
        _import_measure("imports until the first answer", first_imports, LIMIT_FIRST),
        _import_measure("imports until everything is loaded", all_imports, LIMIT_ALL),
        Measure("memory of the app process", worker_run.resident, worker_run.resident, "MB", LIMIT_MEMORY),
        *(Measure(f"memory of process {pid}", size, size, "MB") for pid, size in other_processes.items()),
        Measure("time until the first answer", min(answered), statistics.median(answered), "ms"),
        _import_measure("import of azure.functions alone", [run.base for run in runs]),
    ]


def fastest_imports(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The fastest import of each module in milliseconds."""
    modules = dict.fromkeys(module for run in runs for module in run)
    return {module: min(run[module] for run in runs if module in run) for module in modules}


def _import_measure(name: str, runs: Sequence[Mapping[str, float]], limit: float | None = None) -> Measure:
    return Measure(
        name, sum(fastest_imports(runs).values()), statistics.median(sum(run.values()) for run in runs), "ms", limit
    )


def build_table(measures: Sequence[Measure]) -> Table:
    """The table that the command prints."""
    result = Table(
        "measure", "value", "median", "limit", "result", title="Import time and memory of the app", title_justify="left"
    )
    for column in (1, 2, 3):
        result.columns[column].justify = "right"
    for line in measures:
        limit = "" if line.limit is None else f"{line.limit:.0f} {line.unit}"
        colour = "green" if line.verdict == "ok" else "bold red"
        value, median = f"{line.value:.0f} {line.unit}", f"{line.median:.0f}"
        result.add_row(line.name, value, median, limit, f"[{colour}]{line.verdict}[/]" if line.verdict else "")
    return result


def build_package_table(title: str, times: Mapping[str, float], most: int) -> Table:
    """A table of the slowest packages of one phase. Packages of Azure and of the product are split by subpackage."""
    sums: Counter[str] = Counter()
    for module, milliseconds in times.items():
        depth = 2 if module.startswith(("azure.", "shared.")) else 1
        sums[".".join(module.split(".")[:depth])] += milliseconds  # type: ignore[assignment]  # a Counter of floats
    result = Table(title, "ms")
    for name, milliseconds in sums.most_common(most):
        result.add_row(name, f"{milliseconds:.1f}")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure import time and memory of the app, and compare them with their limits."""
    parser = argparse.ArgumentParser(prog="python -m local.measure", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument(
        "--packages", type=int, default=0, metavar="N", help="show the N slowest packages of each phase"
    )
    parser.add_argument("--pid", type=int, action="append", default=[], help="a process whose memory to show")
    options, console = parser.parse_args(arguments), Console()
    try:
        other_processes = {str(pid): resident_megabytes(pid) for pid in options.pid}
        with start_systems_process() as systems:
            worker_run = measure_fresh_run(systems, WORKER_MODULES)  # this first run also writes the bytecode
            runs = [measure_fresh_run(systems) for _ in range(max(1, options.runs))]
    except CannotMeasure as error:
        Console(stderr=True).print(f"Cannot measure: {error}.", markup=False)
        return 2
    measures = list_measures(runs, worker_run, other_processes)
    console.print(build_table(measures))
    if options.packages:
        first, later = fastest_imports([run.first for run in runs]), fastest_imports([run.later for run in runs])
        console.print(build_package_table("until the first answer", first, options.packages))
        console.print(build_package_table("after the first answer", later, options.packages))
    return 1 if any(line.is_failed for line in measures) else 0


if __name__ == "__main__":
    sys.exit(main())
