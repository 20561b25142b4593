"""What the app costs before it does anything: seconds of import and memory, each in fresh interpreters.

    python -m infra.local.measure
    python -m infra.local.measure --first functions.receive_event --all shared.app --runs 7
    python -m infra.local.measure --pid 4711        a running process as well, such as the local host

Two sets of modules are measured, both beyond `azure.functions`, which the worker has loaded already: `first` is what
is imported up to the answer to the first event, `all` what a process has loaded once every function has run. The times
are medians with bytecode present, as after a deployment (reference/azure.md section 7). The memory is that of a process
which holds the worker's library and all of `all`. Needs nothing running.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

BASE = ("azure.functions",)
WORKER = ("azure_functions_runtime", "azure.functions")
FIRST = ("function_app", "functions.receive_event")
ALL = (
    *FIRST,
    "shared.app",
    "shared.clients.key_vault_secrets",
    "azure.data.tables",
    "httpx",
    "msal",
    "pydantic",
    "simple_salesforce",
)
RUNS = 7
LIMIT_FIRST, LIMIT_ALL = 250.0, 400.0  # milliseconds
LIMIT_MEMORY = 150.0  # MB resident
ROOT = Path(__file__).parents[2]

PROBE = """
import importlib, json, sys, time
base, wanted = json.loads(sys.argv[1])
for name in base:
    importlib.import_module(name)
before, began = set(sys.modules), time.perf_counter()
each = []
for name in wanted:
    mark = time.perf_counter()
    importlib.import_module(name)
    each.append((time.perf_counter() - mark) * 1000)
total = (time.perf_counter() - began) * 1000
print(json.dumps({"total": total, "each": each, "modules": len(set(sys.modules) - before)}), flush=True)
sys.stdin.read()
"""


class CannotMeasure(Exception):
    """A module of the list cannot be imported, or a process is not there; `str()` says which."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over several fresh interpreters: milliseconds in all and by module, modules loaded, MB resident."""

    milliseconds: float
    each: tuple[float, ...]
    modules: int
    resident: float


def measure(wanted: Sequence[str], *, base: Sequence[str] = BASE, runs: int = RUNS) -> Cost:
    """Import `wanted` in that order after `base`, `runs` times; one run before writes the bytecode.

    Raises:
        CannotMeasure: a module does not import.
    """
    _probe(base, wanted)
    found = [_probe(base, wanted) for _ in range(runs)]
    return Cost(
        statistics.median(cost.milliseconds for cost in found),
        tuple(statistics.median(times) for times in zip(*(cost.each for cost in found), strict=True)),
        found[0].modules,
        statistics.median(cost.resident for cost in found),
    )


def _probe(base: Sequence[str], wanted: Sequence[str]) -> Cost:
    # -E: a variable that forbids bytecode or adds paths must not change what is measured.
    command = [sys.executable, "-E", "-c", PROBE, json.dumps([base, wanted])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603 - our own text
        line = process.stdout.readline() if process.stdout else ""
        memory = resident(process.pid) if line else 0.0
        _, errors = process.communicate()
    if not line:
        raise CannotMeasure((errors.strip().splitlines() or ["no reason given"])[-1])
    result = json.loads(line)
    return Cost(result["total"], tuple(result["each"]), result["modules"], memory)


def resident(pid: int) -> float:
    """MB of memory that a process holds now.

    Raises:
        CannotMeasure: there is no such process.
    """
    if Path("/proc/self/status").exists():
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError as error:
            raise CannotMeasure(f"There is no process {pid}.") from error
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
    else:  # macOS
        command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
        found = re.search(r"(\d+)", done.stdout)
    if found is None:
        raise CannotMeasure(f"There is no process {pid}.")
    return int(found[1]) * 1024 / 1_000_000


def times(title: str, wanted: Sequence[str], cost: Cost, limit: float) -> Table:
    """The modules of one set with what each adds, and the sum against its limit."""
    table = Table(title=title, title_justify="left")
    table.add_column("module")
    table.add_column("ms", justify="right")
    for name, milliseconds in zip(wanted, cost.each, strict=True):
        table.add_row(name, f"{milliseconds:.0f}")
    table.add_section()
    table.add_row(f"{cost.modules} modules, limit {limit:.0f} ms", _judged(cost.milliseconds, limit))
    return table


def memory(found: Mapping[str, float]) -> Table:
    """Processes and the memory they hold."""
    table = Table(title=f"Resident memory, limit {LIMIT_MEMORY:.0f} MB", title_justify="left")
    table.add_column("process")
    table.add_column("MB", justify="right")
    for name, megabytes in found.items():
        table.add_row(name, _judged(megabytes, LIMIT_MEMORY))
    return table


def _judged(value: float, limit: float) -> str:
    return f"[green]{value:.0f}[/]" if value < limit else f"[bold red]{value:.0f} (too much)[/]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if something cannot be measured. A value beyond its limit is shown, not punished."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.measure", description=main.__doc__)
    parser.add_argument("--first", nargs="+", default=FIRST, metavar="MODULE", help="up to the first event's answer")
    parser.add_argument("--all", nargs="+", default=ALL, metavar="MODULE", help="everything loaded")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--pid", type=int, action="append", default=[], help="a running process to weigh as well")
    options = parser.parse_args(arguments)
    try:
        first, everything = measure(options.first, runs=options.runs), measure(options.all, runs=options.runs)
        held = {"azure.functions and everything": everything.resident}
        held["the worker's library and everything"] = measure(options.all, base=WORKER, runs=1).resident
        held |= {f"process {pid}": resident(pid) for pid in options.pid}
    except CannotMeasure as error:
        Console(stderr=True).print(f"Cannot measure: {error}", markup=False)
        return 1
    console = Console()
    console.print(times("Up to the first event's answer", options.first, first, LIMIT_FIRST))
    console.print(times("Everything loaded", options.all, everything, LIMIT_ALL))
    console.print(memory(held))
    return 0


if __name__ == "__main__":
    sys.exit(main())
