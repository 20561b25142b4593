"""Timers: on schedule by the injected clock, caught up once after a gap, never two runs of one at once.

Follows reference/azure.md 6.7: a monitored timer (the default, if it runs once a minute at most) that was due while no
host ran starts once with `past_due`; a run that fails waits for the next tick; ticks missed during a run are lost.
"""

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.host.function_index import Function
from local.host.invocations import InvocationFailed, Invocations
from local.host.queues import Clock
from local.host.schedules import parse
from local.host.worker import timer_call

_LONGEST_SLEEP = 0.2  # seconds: the clock may be one that jumps
_MONITORED_FROM = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Status:
    """When a timer ran last, when it was to run next, and when that was written down."""

    last: datetime
    next: datetime
    updated: datetime


class StatusFile:
    """The status of all timers in one JSON file; without a path, nowhere."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, name: str) -> Status | None:
        """What was kept of a timer."""
        with self._lock:
            kept = self._read().get(name)
        return Status(*(datetime.fromisoformat(kept[key]) for key in ("Last", "Next", "LastUpdated"))) if kept else None

    def put(self, name: str, status: Status) -> None:
        """Keep the status of a timer."""
        if self._path is None:
            return
        moments = {"Last": status.last, "Next": status.next, "LastUpdated": status.updated}
        with self._lock:
            content = {**self._read(), name: {key: moment.isoformat() for key, moment in moments.items()}}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_name(self._path.name + ".new")
            fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
            fresh.replace(self._path)

    def _read(self) -> dict[str, dict[str, str]]:
        if self._path is None or not self._path.exists():
            return {}
        content: dict[str, dict[str, str]] = json.loads(self._path.read_text(encoding="utf-8"))
        return content


class Timer:
    """One timer function."""

    def __init__(self, function: Function, invocations: Invocations, clock: Clock, statuses: StatusFile) -> None:
        """The schedule counts from now, or from the run that was missed."""
        self.function = function
        self._invocations = invocations
        self._clock = clock
        self._statuses = statuses
        self._running = threading.Lock()
        self._schedule = parse(str(function.trigger["schedule"]))
        self._monitored = self._is_monitored()
        self._past_due = False
        self._status = statuses.get(function.name) if self._monitored else None
        self._next = self._first()

    @property
    def next(self) -> datetime:
        """When it is to run next."""
        return self._next

    def tick(self) -> bool:
        """Run it if it is due, and wait for the end; whether it was due. A failure is kept by `Invocations`."""
        if self._clock() < self._next:
            return False
        with self._running:
            try:
                self._run(past_due=self._past_due)
            except InvocationFailed:
                pass  # kept and logged where it was caught; the next tick is the next try
            finally:
                self._reschedule()
        return True

    def fire(self) -> None:
        """Run it now, beside the schedule, once a run that is going on has ended. Raises InvocationFailed."""
        with self._running:
            self._run(past_due=False)

    def keep_time(self, stopped: threading.Event) -> None:
        """Tick until `stopped`."""
        while not stopped.is_set():
            if not self.tick():
                remaining = (self._next - self._clock()).total_seconds()
                stopped.wait(min(max(remaining, 0.0), _LONGEST_SLEEP))

    def _first(self) -> datetime:
        now = self._clock()
        if self._status is not None and self._status.next <= now:
            self._past_due = True
            return self._status.next
        return now if self.function.trigger.get("runOnStartup") else self._schedule.after(now)

    def _is_monitored(self) -> bool:
        first = self._schedule.after(self._clock())
        often = self._schedule.after(first) - first < _MONITORED_FROM
        return not often and self.function.trigger.get("useMonitor") is not False

    def _run(self, *, past_due: bool) -> None:
        status = self._status
        call = timer_call(
            past_due=past_due,
            last=status.last if status else None,
            due=self._next,
            updated=status.updated if status else None,
        )
        self._invocations.run(self.function, call)

    def _reschedule(self) -> None:
        ran, now = self._next, self._clock()
        self._past_due = False
        self._next = self._schedule.after(now)
        self._status = Status(last=ran, next=self._next, updated=now)
        if self._monitored:
            self._statuses.put(self.function.name, self._status)


class Timers:
    """All timers of an app, each in a thread of its own once started."""

    def __init__(self, timers: list[Timer]) -> None:
        self._timers = {timer.function.name: timer for timer in timers}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __getitem__(self, name: str) -> Timer:
        """The timer of that name. Raises KeyError."""
        return self._timers[name]

    def start(self) -> None:
        """Keep the schedules from now on."""
        for name, timer in self._timers.items():
            thread = threading.Thread(target=timer.keep_time, args=(self._stopped,), name=f"timer-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Keep them no longer, and wait for runs that are going on."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
