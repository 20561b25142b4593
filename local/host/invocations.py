"""Runs functions: sends their outputs to the queues, keeps their failures, and counts what is running."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from local.host.function_index import Function
from local.host.queues import Queues
from local.host.worker import Call, InvocationFailed, Outcome

__all__ = ["Activity", "Failure", "InvocationFailed", "Invocations"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed run: the function, the type of the error, and the error's message, shortened."""

    function: str
    error_type: str
    message: str


@dataclass
class Activity:
    """Counts pieces of work: those `running` now, and those `begun` since the start."""

    running: int = 0
    begun: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def count_work(self) -> Iterator[None]:
        """Count the block as one piece of work."""
        with self._changed:
            self.running += 1
            self.begun += 1
        try:
            yield
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nothing runs, at most `timeout` seconds; returns False if something still runs."""
        with self._changed:
            return self._changed.wait_for(lambda: self.running == 0, timeout)

    def wait_for_change(self, timeout: float) -> None:
        """Wait until a piece of work ends, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait(timeout)


class Runner(Protocol):
    """The part of the worker that runs a function."""

    def invoke(self, function: Function, call: Call, *, timeout: float) -> Outcome:
        """Run a function and wait for its end, at most `timeout` seconds. Raises InvocationFailed."""


class Invocations:
    """Runs functions through the worker."""

    def __init__(self, worker: Runner, queues: Queues, *, timeout: float) -> None:
        """`timeout` is the maximum time of a run in seconds."""
        self._worker = worker
        self._queues = queues
        self._timeout = timeout
        self.activity = Activity()
        self.failures: list[Failure] = []

    def run_function(self, function: Function, call: Call) -> Outcome:
        """Run a function, send its queue outputs, and return the outcome.

        Raises:
            InvocationFailed: the run failed, or an output could not be sent. It is logged and kept in `failures`.
        """
        with self.activity.count_work():
            try:
                outcome = self._worker.invoke(function, call, timeout=self._timeout)
                self._send_outputs(function, outcome)
            except InvocationFailed as error:
                self._record_failure(error)
                raise
            except Exception as error:  # a run has failed if its output is lost, whatever the reason is
                failure = InvocationFailed(function.name, type(error).__name__, str(error))
                self._record_failure(failure)
                raise failure from error
        return outcome

    def _record_failure(self, error: InvocationFailed) -> None:
        self.failures.append(Failure(error.function, error.error_type, error.message))
        _log.error("%s", error)
        _log.debug("%s", error.stack)

    def _send_outputs(self, function: Function, outcome: Outcome) -> None:
        for binding in function.output_bindings:
            if binding["type"] != "queue":
                continue
            value = outcome.returned if binding["name"] == "$return" else outcome.outputs.get(str(binding["name"]))
            for body in _message_bodies(value):
                self._queues.put_message(str(binding["queueName"]), body)


def _message_bodies(value: object) -> list[str]:
    """The messages for the value of a queue output: one, or one for each element of a list; none for None."""
    if value is None:
        return []
    return [_message_body(item) for item in (value if isinstance(value, list) else [value])]


def _message_body(item: object) -> str:
    if isinstance(item, bytes):
        return item.decode()
    return item if isinstance(item, str) else json.dumps(item)
