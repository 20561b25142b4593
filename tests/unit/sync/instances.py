"""The ports of one connector process in the harness. A test can crash the process, or do something else, at any call.

A crash raises a BaseException. After it, every port of that instance stays out of use, so that no `finally` block
tidies up what a real crash would leave behind (docs/protocol.md#what-the-tests-need).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.foundation.logs import EVENTS
from shared.sync.ports import Clock

Action = Callable[[], object]


class Crash(BaseException):
    """The process stopped at once. Not an `Exception`, so that no error policy catches it."""


@dataclass(slots=True)
class Interruption:
    """An action at a call of a port: before it, or `after` it, and only once the first `skip` calls have passed.

    `name` is a port and its method, such as "partner_center.patch". An empty name stands for every call.
    """

    name: str
    action: Action
    skip: int = 0
    after: bool = False
    done: bool = False

    def is_reached(self, name: str, *, after: bool) -> bool:
        """Whether the action belongs to this call. Counts the calls to skip."""
        if self.done or after is not self.after or (self.name and self.name != name):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.done = True
        return True


@dataclass(slots=True)
class ProcessState:
    """The calls that one instance made, the interruptions that a test planned, and whether the instance has crashed."""

    calls: list[str] = field(default_factory=list)
    after_each_call: Action | None = None
    interruptions: list[Interruption] = field(default_factory=list)
    crashed: bool = False

    def crash(self) -> None:
        """Crash now."""
        self.crashed = True
        raise Crash

    def check_running(self) -> None:
        """Raise Crash if the process has crashed: it does nothing any more."""
        if self.crashed:
            raise Crash

    def interrupt_at(self, name: str, action: Action, *, skip: int = 0, after: bool = False) -> None:
        """Run `action` before (or right after) a call of a method: the first call, or the one after `skip` calls."""
        self.interruptions.append(Interruption(name, action, skip, after))

    def crash_at(self, number: int, *, after: bool) -> None:
        """Crash before (or right after) the call with this number. Numbers start at 0."""
        self.interrupt_at("", self.crash, skip=number, after=after)

    def run_call[T](self, name: str, call: Callable[[], T]) -> T:
        """Make one call of a port, with the interruptions that belong to it."""
        self.check_running()
        self.calls.append(name)
        self._interrupt(name, after=False)
        try:
            result = call()
        except Exception:
            self._end_call(name)
            raise
        self._end_call(name)
        return result

    def _end_call(self, name: str) -> None:
        if self.after_each_call is not None:
            self.after_each_call()
        self._interrupt(name, after=True)

    def _interrupt(self, name: str, *, after: bool) -> None:
        reached = [item for item in self.interruptions if item.is_reached(name, after=after)]
        for interruption in reached:
            interruption.action()
        self.check_running()


class CrashablePort:
    """A port that makes every call through its process. Each page of an iterator is a call of its own."""

    def __init__(self, name: str, port: object, process: ProcessState) -> None:
        self._name, self._port, self._process = name, port, process

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - stands for every method of any port
        bound = getattr(self._port, method)
        if not callable(bound) or method == "user_id":  # known from the sign-in: no process stops in it
            return bound

        def call(*args: object, **kwargs: object) -> object:
            name = f"{self._name}.{method}"
            if method in ("changed_since", "changed_between", "created_since", "all_referrals", "links"):
                return self._call_for_each_page(name, bound(*args, **kwargs))
            return self._process.run_call(name, lambda: bound(*args, **kwargs))

        return call

    def _call_for_each_page(self, name: str, pages: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            page = self._process.run_call(name, lambda: next(pages, end))
            if page is end:
                return
            yield page


class CrashableClock:
    """The clock of the harness. `sleep` moves it instead of waiting."""

    def __init__(self, now: Callable[[], datetime], advance: Callable[[float], None], process: ProcessState) -> None:
        self._now, self._advance, self._process = now, advance, process

    def now(self) -> datetime:
        self._process.check_running()
        return self._now()

    def sleep(self, duration: timedelta) -> None:
        self._process.check_running()
        self._advance(duration.total_seconds())
        self._process.check_running()


class SerialWorkers:
    """Runs the items one after the other and then, as the port requires, raises the first error."""

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: Callable[[], int]) -> list[R]:
        assert at_most() >= 1
        results: list[R] = []
        failures: list[Exception] = []
        for item in items:
            try:
                results.append(work(item))
            except Exception as error:  # noqa: BLE001 - every other item runs first, whatever the error is
                failures.append(error)
        if failures:
            raise failures[0]
        return results


class RecordedLog:
    """A log that keeps its events and checks the fields of each against the list of known events."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        self._clock.now()  # raises Crash: a process that has crashed logs nothing
        assert set(fields) == set(EVENTS[event][1]), f"{event} has other fields"
        self.events.append((event, fields))

    def opportunities_of(self, event: str) -> list[object]:
        """The opportunities of each logged event with a name, oldest first."""
        return [fields["opportunity_id"] for fields in self.fields_of(event)]

    def fields_of(self, event: str) -> list[dict[str, object]]:
        """The fields of each logged event with a name, oldest first."""
        return [fields for name, fields in self.events if name == event]
