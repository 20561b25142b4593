"""Runs of functions: outputs to the queues, failures kept by name, and the knowledge whether any run is going on."""

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
    """A run that failed: the function, the name of what it raised, and its message, cut short."""

    function: str
    error_type: str
    message: str


@dataclass
class Activity:
    """What is going on: `running` pieces of work, and how many were `begun` since the start."""

    running: int = 0
    begun: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count what is done within."""
        with self._changed:
            self.running += 1
            self.begun += 1
        try:
            yield
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Sleep until nothing runs, `timeout` seconds at most; whether that was reached."""
        with self._changed:
            return self._changed.wait_for(lambda: self.running == 0, timeout)

    def wait(self, timeout: float) -> None:
        """Sleep until a piece of work ends, `timeout` seconds at most."""
        with self._changed:
            self._changed.wait(timeout)


class Runner(Protocol):
    """What runs a function: the worker."""

    def invoke(self, function: Function, call: Call, *, timeout: float) -> Outcome:
        """Run it and wait for its end, `timeout` seconds at most. Raises InvocationFailed."""


class Invocations:
    """Runs functions through the worker."""

    def __init__(self, worker: Runner, queues: Queues, *, timeout: float) -> None:
        """`timeout` is the longest a run may take, in seconds."""
        self._worker = worker
        self._queues = queues
        self._timeout = timeout
        self.activity = Activity()
        self.failures: list[Failure] = []

    def run(self, function: Function, call: Call) -> Outcome:
        """Run a function, send what it put into its queue outputs, and return the outcome.

        Raises InvocationFailed, after it was logged by name and kept in `failures`.
        """
        with self.activity.work():
            try:
                outcome = self._worker.invoke(function, call, timeout=self._timeout)
                self._send_outputs(function, outcome)
            except InvocationFailed as error:
                self._keep(error)
                raise
            except Exception as error:  # whatever the queue service said: a run whose output is lost has failed
                failed = InvocationFailed(function.name, type(error).__name__, str(error))
                self._keep(failed)
                raise failed from error
        return outcome

    def _keep(self, error: InvocationFailed) -> None:
        self.failures.append(Failure(error.function, error.error_type, error.message))
        _log.error("%s", error)
        _log.debug("%s", error.stack)

    def _send_outputs(self, function: Function, outcome: Outcome) -> None:
        for binding in function.outputs:
            if binding["type"] != "queue":
                continue
            value = outcome.returned if binding["name"] == "$return" else outcome.outputs.get(str(binding["name"]))
            for body in _bodies(value):
                self._queues.put(str(binding["queueName"]), body)


def _bodies(value: object) -> list[str]:
    """The messages that a value of a queue output makes: one, or one for each element of a list."""
    if value is None:
        return []
    return [_body(item) for item in (value if isinstance(value, list) else [value])]


def _body(item: object) -> str:
    if isinstance(item, bytes):
        return item.decode()
    return item if isinstance(item, str) else json.dumps(item)
