"""Runs timer functions on schedule, by an injected clock.

It follows docs/reference/azure.md#timers. Two runs of one timer never overlap. A failed run is not repeated before the
next run of the schedule. Runs that become due during a run are skipped. A timer is monitored unless its binding says
otherwise or it runs more often than once a minute. If a monitored timer was due while no host ran, it runs once at the
start, with `past_due`.
"""

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.host.function_index import Function
from local.host.invocations import InvocationFailed, Invocations
from local.host.queues import Clock
from local.host.worker import timer_call
from shared.settings.schedules import parse_schedule

_LONGEST_SLEEP_SECONDS = 0.2  # short, because the clock of a test may jump
_MONITORED_FROM = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Status:
    """The last run of a timer, its next run, and the time when this was stored."""

    last: datetime
    next: datetime
    updated: datetime


class StatusFile:
    """The status of all timers in one JSON file. Without a path, nothing is stored."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read_status(self, name: str) -> Status | None:
        """The stored status of a timer, or None."""
        with self._lock:
            entry = self._read_statuses().get(name)
        return (
            Status(*(datetime.fromisoformat(entry[key]) for key in ("Last", "Next", "LastUpdated"))) if entry else None
        )

    def write_status(self, name: str, status: Status) -> None:
        """Store the status of a timer."""
        if self._path is None:
            return
        moments = {"Last": status.last, "Next": status.next, "LastUpdated": status.updated}
        with self._lock:
            content = {**self._read_statuses(), name: {key: moment.isoformat() for key, moment in moments.items()}}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_name(self._path.name + ".new")
            fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
            fresh.replace(self._path)

    def _read_statuses(self) -> dict[str, dict[str, str]]:
        if self._path is None or not self._path.exists():
            return {}
        content: dict[str, dict[str, str]] = json.loads(self._path.read_text(encoding="utf-8"))
        return content


class Timer:
    """One timer function with its schedule."""

    def __init__(self, function: Function, invocations: Invocations, clock: Clock, statuses: StatusFile) -> None:
        """Compute the first run: the missed run if there is one, else the next run of the schedule."""
        self.function = function
        self._invocations = invocations
        self._clock = clock
        self._statuses = statuses
        self._running = threading.Lock()
        self._schedule = parse_schedule(str(function.trigger_binding["schedule"]))
        self._monitored = self._is_monitored()
        self._past_due = False
        self._status = statuses.read_status(function.name) if self._monitored else None
        self._next_run = self._first_run()

    @property
    def next_run(self) -> datetime:
        """The time of the next run."""
        return self._next_run

    def run_if_due(self) -> bool:
        """Run the function if it is due, and wait for its end; returns whether it was due.

        `Invocations` keeps a failure.
        """
        if self._clock() < self._next_run:
            return False
        with self._running:
            try:
                self._run_function(past_due=self._past_due)
            except InvocationFailed:
                pass  # `Invocations` has logged and kept it; the function runs again at its next time
            finally:
                self._schedule_next_run()
        return True

    def run_now(self) -> None:
        """Run the function now, after a run in progress has ended. The schedule stays. Raises InvocationFailed."""
        with self._running:
            self._run_function(past_due=False)

    def run_on_schedule(self, stopped: threading.Event) -> None:
        """Run the function on schedule until `stopped` is set."""
        while not stopped.is_set():
            if not self.run_if_due():
                remaining = (self._next_run - self._clock()).total_seconds()
                stopped.wait(min(max(remaining, 0.0), _LONGEST_SLEEP_SECONDS))

    def _first_run(self) -> datetime:
        now = self._clock()
        if self._status is not None and self._status.next <= now:
            self._past_due = True
            return self._status.next
        return now if self.function.trigger_binding.get("runOnStartup") else self._schedule.next_after(now)

    def _is_monitored(self) -> bool:
        first = self._schedule.next_after(self._clock())
        often = self._schedule.next_after(first) - first < _MONITORED_FROM
        return not often and self.function.trigger_binding.get("useMonitor") is not False

    def _run_function(self, *, past_due: bool) -> None:
        status = self._status
        call = timer_call(
            past_due=past_due,
            last=status.last if status else None,
            due=self._next_run,
            updated=status.updated if status else None,
        )
        self._invocations.run_function(self.function, call)

    def _schedule_next_run(self) -> None:
        ran, now = self._next_run, self._clock()
        self._past_due = False
        self._next_run = self._schedule.next_after(now)
        self._status = Status(last=ran, next=self._next_run, updated=now)
        if self._monitored:
            self._statuses.write_status(self.function.name, self._status)


class Timers:
    """All timers of an app. Each runs in a thread of its own."""

    def __init__(self, timers: list[Timer]) -> None:
        self._timers = {timer.function.name: timer for timer in timers}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __getitem__(self, name: str) -> Timer:
        """The timer of that name. Raises KeyError."""
        return self._timers[name]

    def start(self) -> None:
        """Start to run the timers on schedule."""
        for name, timer in self._timers.items():
            thread = threading.Thread(
                target=timer.run_on_schedule, args=(self._stopped,), name=f"timer-{name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Start no more runs, and wait for the runs in progress."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
