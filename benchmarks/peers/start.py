"""Starts a script against the emulators of a stand, in a process and with packages of this build."""

import sys
from dataclasses import asdict

from benchmarks.peers.task import Task
from benchmarks.systems.builds import FOLDER, ROOT
from benchmarks.systems.processes import run_program
from benchmarks.systems.stand import Stand


def run_peer(stand: Stand, name: str, ids: list[str], changed_since: str, in_flight: int) -> float:
    """Let a script do its work for these opportunities; returns its seconds. Raises CannotMeasure if it failed."""
    tokens = stand.emulators.ask("tokens")
    task = Task(
        stand.environ["BENCH_SALESFORCE"], stand.environ["PARTNER_CENTER_URL"], tokens["salesforce"],
        tokens["partner_center"], stand.environ["CA_BUNDLE"], ids, changed_since, in_flight,
    )  # fmt: skip
    command = [sys.executable, "-m", f"benchmarks.peers.{name}"]
    with run_program(command, {}, ROOT, FOLDER / "logs" / f"{name}.log") as script:
        script.send(asdict(task))
        return float(script.answer(f"the script {name}")["seconds"])
