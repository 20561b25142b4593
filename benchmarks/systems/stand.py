"""Starts what a measure needs of one build: its emulators, a store, and its app, each in a process of its own."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.systems.builds import FOLDER, Build
from benchmarks.systems.processes import CannotMeasure, Conversation, run_program
from local.azurite import start_azurite

EMBEDDED, TABLES = "embedded", "tables"
"""The store in a SQLite file, and in Azurite's tables."""
START_SECONDS = 120.0
RESTED_SECONDS = 60.0
"""Neither build writes to a record that somebody has saved a moment before."""
_REQUEST = re.compile(rb'"[A-Z]+ /devstoreaccount1\S* HTTP/1')
LOG_SECONDS = 0.05
"""If nothing was written for so long, the log is complete."""
MOST_RUNS = 60
"""A timer that leaves work behind is called again, so often at most."""


class TableLog:
    """Counts the operations of the table service: the requests in Azurite's log. A batch is one request."""

    def __init__(self, log: Path | None) -> None:
        """Read this log; None for a store without one."""
        self._log, self._position = log, 0

    def take(self) -> int:
        """The number of operations since the last call."""
        if self._log is None:
            return 0
        new = self._read_new(self._log)
        while more := self._read_new(self._log):
            new += more
        return count_operations(new)

    def _read_new(self, log: Path) -> bytes:
        """What Azurite has written since the last call. It writes the line of a request after its answer."""
        time.sleep(LOG_SECONDS)
        with log.open("rb") as lines:
            lines.seek(self._position)
            new = lines.read()
        self._position += len(new)
        return new


def count_operations(log: bytes) -> int:
    """The number of requests that a part of Azurite's log names."""
    return len(_REQUEST.findall(log))


@dataclass(frozen=True)
class Stand:
    """One build at work."""

    build: Build
    emulators: Conversation
    app: Conversation
    tables: TableLog
    environ: Mapping[str, str]

    # --- the app

    def push(self) -> dict[str, Any]:
        """Run the push once."""
        return dict(self.app.ask("timer", name="push_opportunities"))

    def sweep(self) -> dict[str, Any]:
        """Run the sweep once."""
        return dict(self.app.ask("timer", name="sweep_referrals"))

    def push_all(self, ids: list[str]) -> dict[str, float]:
        """Push until each of the opportunities shows a referral; returns the sums of processor time and time.

        Raises CannotMeasure if that needs too many runs.
        """
        sums = {"cpu": 0.0, "wall": 0.0}
        for _ in range(MOST_RUNS):
            took = self.push()
            sums = {name: sums[name] + took[name] for name in sums}
            if self.emulators.ask("shown", ids=ids) == len(ids):
                return sums
        raise CannotMeasure(f"after {MOST_RUNS} runs of the push, some of {len(ids)} deals have no referral")

    def messages_of(self, referrals: list[str]) -> list[str]:
        """Events of these referrals as messages of the queue, admitted by the webhook."""
        events = self.emulators.ask("events", ids=referrals)
        return list(self.app.ask("receive", events=events)["messages"])

    # --- people and time

    def link(self, count: int) -> tuple[list[str], list[str]]:
        """Let sellers create so many deals, and push them; returns the ids of both sides."""
        ids = list(self.emulators.ask("sellers_create", count=count))
        self.push_all(ids)
        self.rest()
        return ids, list(self.emulators.ask("referrals_of", ids=ids))

    def rest(self, seconds: float = RESTED_SECONDS) -> None:
        """Let time pass on both sides, and forget the calls and operations until now."""
        self.emulators.ask("pass_time", seconds=seconds)
        self.take_calls()

    def take_calls(self) -> tuple[int, int]:
        """The calls to both sides, and the operations of the table service, since the last time."""
        return sum(self.emulators.ask("take_calls").values()), self.tables.take()

    def at_latency(self, seconds: float) -> None:
        """Let each call of both sides take so much longer from now on."""
        self.emulators.ask("delay", seconds=seconds)


@contextmanager
def open_stand(build: Build, store: str = TABLES, folder: Path = FOLDER, **settings: str) -> Iterator[Stand]:
    """Start emulators, store and app of a build. `settings` add to the app's settings or replace some.

    Raises:
        CannotMeasure: one of them did not start.
        ConfigurationError: Azurite cannot run on this machine.
    """
    logs = folder / "logs" / build.name.replace(" ", "-")
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        command = build.program("emulators_process", str(build.root))
        emulators = stack.enter_context(run_program(command, {}, build.root, logs / "emulators.log"))
        environ: dict[str, str] = emulators.answer("the start of the emulators", START_SECONDS)
        if store == TABLES:
            azurite = stack.enter_context(start_azurite(logs, log_requests=True))
            environ |= {"STORE_FILE": "", "STORE_CONNECTION_STRING": azurite.connection_string}
        command = build.program("app_process", str(build.root))
        app = stack.enter_context(run_program(command, {**environ, **settings}, build.root, logs / "app.log"))
        app.answer("the start of the app", START_SECONDS)
        log = logs / "azurite.log" if store == TABLES else None
        yield Stand(build, emulators, app, TableLog(log), environ)
