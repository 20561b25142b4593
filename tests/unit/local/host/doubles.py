"""Test doubles of the clock and of the worker library."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

from local.host.function_index import Function
from local.host.worker import Call, InvocationFailed, Outcome


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "the condition did not become true in time"
        sleep(0.002)


class SteppedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class ScriptedRunner:
    """Replaces the worker: keeps the calls, and does the action of the test, by default nothing."""

    action: Callable[[Call], object] = lambda _: None
    calls: list[Call] = field(default_factory=list)

    def called_more_than(self, times: int) -> bool:
        return len(self.calls) > times

    def invoke(self, function: Function, call: Call, *, timeout: float) -> Outcome:
        assert timeout > 0
        self.calls.append(call)
        try:
            return Outcome(self.action(call))
        except ValueError as error:
            raise InvocationFailed(function.name, "ValueError", str(error)) from error
