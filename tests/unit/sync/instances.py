"""One process of the connector on the harness: its ports can die at any call, and others can act at any call.

A crash is a BaseException after which every port of that instance stays dead, so that no `finally` tidies up what a
real crash would not (protocol.md section 10).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.foundation.logs import EVENTS
from shared.sync.ports import Clock

Act = Callable[[], object]


class Crash(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Interruption:
    """Something that happens at a call: `name` is a port's method such as "partner_center.patch", empty for any."""

    name: str
    act: Act
    skip: int = 0
    after: bool = False
    done: bool = False

    def comes(self, name: str, *, after: bool) -> bool:
        """Whether this is its call; counts down."""
        if self.done or after is not self.after or (self.name and self.name != name):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.done = True
        return True


@dataclass(slots=True)
class ProcessState:
    """The life of one instance: the calls it made, who looks on after each, and what is to happen at which."""

    calls: list[str] = field(default_factory=list)
    witness: Act | None = None
    turns: list[Interruption] = field(default_factory=list)
    dead: bool = False

    def crash(self) -> None:
        """Die now."""
        self.dead = True
        raise Crash

    def check(self) -> None:
        """A dead process does nothing any more."""
        if self.dead:
            raise Crash

    def at(self, name: str, act: Act, *, skip: int = 0, after: bool = False) -> None:
        """Let something happen before (or right after) a call of a method: the first, or after `skip`."""
        self.turns.append(Interruption(name, act, skip, after))

    def crash_at(self, number: int, *, after: bool) -> None:
        """Crash before, or right after, the call of this number (from 0), whatever it is."""
        self.at("", self.crash, skip=number, after=after)

    def around[T](self, name: str, call: Callable[[], T]) -> T:
        """One call of a port."""
        self.check()
        self.calls.append(name)
        self._turn(name, after=False)
        try:
            result = call()
        except Exception:
            self._ended(name)
            raise
        self._ended(name)
        return result

    def _ended(self, name: str) -> None:
        if self.witness is not None:
            self.witness()
        self._turn(name, after=True)

    def _turn(self, name: str, *, after: bool) -> None:
        for turn in [turn for turn in self.turns if turn.comes(name, after=after)]:
            turn.act()
        self.check()


class CrashablePort:
    """A port whose every call is one of its instance's life; iterators are called page by page."""

    def __init__(self, name: str, port: object, life: ProcessState) -> None:
        self._name, self._port, self._life = name, port, life

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - stands for every method of any port
        bound = getattr(self._port, method)
        if not callable(bound):
            return bound

        def call(*given: object, **named: object) -> object:
            name = f"{self._name}.{method}"
            if method in ("changed_since", "created_since", "links"):
                return self._iterated(name, bound(*given, **named))
            return self._life.around(name, lambda: bound(*given, **named))

        return call

    def _iterated(self, name: str, pages: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            page = self._life.around(name, lambda: next(pages, end))
            if page is end:
                return
            yield page


class CrashableClock:
    """The harness's clock; sleeping moves it."""

    def __init__(self, now: Callable[[], datetime], later: Callable[[float], None], life: ProcessState) -> None:
        self._now, self._later, self._life = now, later, life

    def now(self) -> datetime:
        self._life.check()
        return self._now()

    def sleep(self, duration: timedelta) -> None:
        self._life.check()
        self._later(duration.total_seconds())
        self._life.check()


class SerialWorkers:
    """Work one after the other; as the port says, an error is raised after all have ended."""

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: int) -> list[R]:
        assert at_most >= 1
        results: list[R] = []
        failures: list[Exception] = []
        for item in items:
            try:
                results.append(work(item))
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are worked first
                failures.append(error)
        if failures:
            raise failures[0]
        return results


class RecordedLog:
    """The log: keeps events and holds them against the list of known ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        self._clock.now()  # a dead process logs nothing
        assert set(fields) == set(EVENTS[event][1]), f"{event} has other fields"
        self.events.append((event, fields))

    def of(self, event: str) -> list[dict[str, object]]:
        """The fields of each event of a name."""
        return [fields for name, fields in self.events if name == event]
