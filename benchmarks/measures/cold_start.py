"""Processor time of the imports of a cold start. Each build starts from the zip that it deploys, on tables.

The packages have bytecode, because a remote build compiles them. Bytecode of our own files counts only if the zip has
it.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measures.measure import Work
from benchmarks.systems.builds import FOLDER
from benchmarks.systems.processes import CannotMeasure, run_program
from benchmarks.systems.stand import Stand, open_stand

RUNS = 15
START_SECONDS = 120.0
NO_NEW_BYTECODE = "-B"
NEEDED = frozenset({"event_accepted", "opportunity_created", "referral_created", "push_done", "sweep_done"})
"""Log events without which the app has not done the work that loads everything."""


def measure_start(work: Work) -> None:
    """Start the app again and again, each time for new deals."""
    folder = FOLDER / "zips" / work.build.name.replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open_stand(work.build) as stand:
        _unpack_zip(work.build.program("zip_process", str(work.build.root), stand.environ["MAPPING"], str(folder)))
        _start(work, stand, folder)  # this run does not count: the machine reads the files of the packages
        for _ in range(work.effort.runs(RUNS)):
            for name, milliseconds in _start(work, stand, folder).items():
                work.add(f"start-{name}", milliseconds)


def _unpack_zip(command: Sequence[str]) -> None:
    completed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if completed.returncode:
        raise CannotMeasure(f"the zip: {completed.stderr.strip().splitlines()[-1]}")


def _start(work: Work, stand: Stand, folder: Path) -> dict[str, float]:
    """Milliseconds by the end of the row's name."""
    stand.emulators.ask("sellers_create", count=1)
    (event,) = stand.emulators.ask("events", ids=stand.emulators.ask("microsoft_sends", count=1))
    command = work.build.program("start_process", str(folder))
    command.insert(1, NO_NEW_BYTECODE)
    environ = {**stand.environ, "MAPPING": "mapping/bench.toml"}
    with run_program(command, environ, folder, folder / "start.log") as app:
        app.send(event)
        answer = app.answer("the start of the app", START_SECONDS)
    missing = NEEDED - set(answer["events"])
    if missing:
        raise CannotMeasure(f"the app did not do its work: no {', '.join(sorted(missing))}")
    return {name: float(answer[name]) for name in ("first", "all", "answer")}
