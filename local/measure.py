"""What the app costs: milliseconds of import and megabytes of memory, in fresh processes, against their limits.

    python -m local.measure
    python -m local.measure --runs 30 --packages 20     the costliest packages of each phase as well
    python -m local.measure --pid 4711                  a running process as well, such as the local host

The emulated systems run in a process of their own (`local.measure_systems`), so that the measured one
holds the app alone.
Each run starts it anew (`local.measure_app`), on systems and a store as new: it loads `function_app` with its settings
and mapping file checked, admits one correctly signed event, whose certificate it fetches from the emulated host,
applies it, pushes one opportunity and sweeps. Counted are all imports beyond `azure.functions`, which the worker has
loaded already, with the check at the start, which runs while `function_app` is imported. Packages that
requirements.txt does not name are kept away, and what Table Storage brings is imported in the place of SQLite.
Bytecode is present, as after a deployment (reference/azure.md section 7).

Times are of the processor. Whatever else the machine does only ever adds to them, so judged is the sum of each
module's fastest import; the median of the runs stands beside it, and what `azure.functions` itself takes shows how
fast the machine is. The memory is that of a process which holds the worker's library besides. Exit status 1 if a limit
is missed by more than a fifth, 2 if something cannot be measured.
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

ROOT = Path(__file__).parents[1]
BASE = ("azure.functions",)
WORKER = ("azure_functions_runtime", *BASE)
MORE = ("shared.store.table_storage_rows", "azure.data.tables")
LOCAL = frozenset({"shared.store.sqlite_rows", "sqlite3", "sqlite3.dbapi2", "_sqlite3"})
"""What a local run has in their place, and a deployment never loads."""

RUNS = 15
LIMIT_FIRST, LIMIT_ALL, LIMIT_MEMORY = 250.0, 400.0, 150.0  # milliseconds, milliseconds, MB resident
NOISE = 1.2
"""A value beyond a limit by more than this factor fails the command."""

NEEDED = frozenset({"event_accepted", "opportunity_created", "referral_created", "push_done", "sweep_done"})
"""Log events without which the app has not done the work that loads everything."""


class CannotMeasure(Exception):
    """A process ended early, did not do its work, or is not there; `str()` says which."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: milliseconds by module in each phase, MB resident, and from start of loading to the first answer."""

    base: Mapping[str, float]
    first: Mapping[str, float]
    later: Mapping[str, float]
    answered: float
    resident: float


@dataclass(frozen=True, slots=True)
class Line:
    """One measure with its median; without a limit it is for information."""

    name: str
    value: float
    median: float
    unit: str
    limit: float | None = None

    @property
    def verdict(self) -> str:
        """What a person reads."""
        if self.limit is None:
            return ""
        return "ok" if self.value <= self.limit else f"too {'much' if self.unit == 'MB' else 'slow'}"

    @property
    def fails(self) -> bool:
        """Whether the limit is missed beyond noise."""
        return self.limit is not None and self.value > self.limit * NOISE


# --- processes


@contextmanager
def scene() -> Iterator["subprocess.Popen[str]"]:
    """The emulated systems in a process of their own; it ends with the block."""
    with _started("local.measure_systems", os.environ) as process:
        yield process


@contextmanager
def _started(module: str, environ: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    # -E: a variable that forbids bytecode or adds paths must not change what is measured.
    command, pipe = [sys.executable, "-E", "-m", module], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own modules
        try:
            yield process
            process.communicate()
        finally:
            process.kill()


def _asked(process: "subprocess.Popen[str]", line: str, what: str) -> dict[str, Any]:
    """The process's answer to a line. Raises CannotMeasure."""
    assert process.stdin is not None  # noqa: S101 - for the type checker: a pipe was asked for
    assert process.stdout is not None  # noqa: S101 - as above
    try:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise CannotMeasure(f"{what} ended early; its reason stands above") from None
    answer = process.stdout.readline()
    if not answer:
        raise CannotMeasure(f"{what} ended early; its reason stands above")
    found: dict[str, Any] = json.loads(answer)
    return found


def probe(systems: "subprocess.Popen[str]", base: Sequence[str] = BASE) -> Cost:
    """One run of the app on systems as new, in a fresh process, beyond `base`. Raises CannotMeasure."""
    return run(_asked(systems, "", "the emulated systems"), base)


def run(staged: Mapping[str, Any], base: Sequence[str]) -> Cost:
    """The same on what `local.measure_systems` has staged."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    told = {**staged, "base": base, "more": MORE, "absent": development_only()}
    with _started("local.measure_app", environ | staged["environ"]) as app:
        found = _asked(app, json.dumps(told), "the app")
        missing = NEEDED - set(found["events"])
        if missing:
            raise CannotMeasure(f"the app did not do its work: no {', '.join(sorted(missing))}")
        later = {module: spent for module, spent in found["later"].items() if module not in LOCAL}
        return Cost(found["base"], found["first"], later, found["answered"], resident(app.pid))


def development_only() -> list[str]:
    """Packages of this environment that no distribution of requirements.txt brings."""
    deployed = {_plain(name) for name in re.findall(r"^([\w.-]+)==", _requirements(), re.MULTILINE)}
    return [
        package
        for package, distributions in packages_distributions().items()
        if deployed.isdisjoint(map(_plain, distributions)) and package not in WORKER
    ]


def _requirements() -> str:
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def resident(pid: int) -> float:
    """MB of memory that a process holds now.

    Raises:
        CannotMeasure: there is no such process.
    """
    if Path("/proc/self/status").exists():
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError as error:
            raise CannotMeasure(f"there is no process {pid}") from error
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
    else:  # macOS
        command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
        found = re.search(r"(\d+)", done.stdout)
    if found is None:
        raise CannotMeasure(f"there is no process {pid}")
    return int(found[1]) * 1024 / 1_000_000


# --- what is shown


def lines(runs: Sequence[Cost], weighed: Cost, others: Mapping[str, float]) -> list[Line]:
    """The measures of several runs, of one that held the worker's library too, and the memory of other processes."""
    first, everything = [run.first for run in runs], [{**run.first, **run.later} for run in runs]
    answered = [run.answered for run in runs]
    return [
        _imports("imports up to the first event's answer", first, LIMIT_FIRST),
        _imports("imports with everything loaded", everything, LIMIT_ALL),
        Line("memory of the app's process", weighed.resident, weighed.resident, "MB", LIMIT_MEMORY),
        *(Line(f"memory of process {pid}", size, size, "MB") for pid, size in others.items()),
        Line("elapsed to the first answer", min(answered), statistics.median(answered), "ms"),
        _imports("azure.functions itself", [run.base for run in runs]),
    ]


def fastest(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each module's fastest import."""
    modules = dict.fromkeys(module for run in runs for module in run)
    return {module: min(run[module] for run in runs if module in run) for module in modules}


def _imports(name: str, runs: Sequence[Mapping[str, float]], limit: float | None = None) -> Line:
    return Line(name, sum(fastest(runs).values()), statistics.median(sum(run.values()) for run in runs), "ms", limit)


def table(shown: Sequence[Line]) -> Table:
    """The measures against their limits."""
    made = Table("what", "", "median", "limit", "", title="What the app costs", title_justify="left")
    for column in (1, 2, 3):
        made.columns[column].justify = "right"
    for line in shown:
        limit = "" if line.limit is None else f"{line.limit:.0f} {line.unit}"
        colour = "green" if line.verdict == "ok" else "bold red"
        value, median = f"{line.value:.0f} {line.unit}", f"{line.median:.0f}"
        made.add_row(line.name, value, median, limit, f"[{colour}]{line.verdict}[/]" if line.verdict else "")
    return made


def packages(title: str, spent: Mapping[str, float], most: int) -> Table:
    """The costliest packages of one phase; Azure's, and our own, by what is below."""
    sums: Counter[str] = Counter()
    for module, milliseconds in spent.items():
        depth = 2 if module.startswith(("azure.", "shared.")) else 1
        sums[".".join(module.split(".")[:depth])] += milliseconds  # type: ignore[assignment]  # a Counter of floats
    made = Table(title, "ms")
    for name, milliseconds in sums.most_common(most):
        made.add_row(name, f"{milliseconds:.1f}")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m local.measure", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--packages", type=int, default=0, metavar="N", help="show the N costliest packages of a phase")
    parser.add_argument("--pid", type=int, action="append", default=[], help="a running process to weigh as well")
    options, console = parser.parse_args(arguments), Console()
    try:
        others = {str(pid): resident(pid) for pid in options.pid}
        with scene() as systems:
            weighed = probe(systems, WORKER)  # writes the bytecode too
            runs = [probe(systems) for _ in range(max(1, options.runs))]
    except CannotMeasure as error:
        Console(stderr=True).print(f"Cannot measure: {error}.", markup=False)
        return 2
    shown = lines(runs, weighed, others)
    console.print(table(shown))
    if options.packages:
        first, later = fastest([run.first for run in runs]), fastest([run.later for run in runs])
        console.print(packages("up to the first event's answer", first, options.packages))
        console.print(packages("after it", later, options.packages))
    return 1 if any(line.fails for line in shown) else 0


if __name__ == "__main__":
    sys.exit(main())
