"""Runs the app in a process of its own, as the Functions worker does, and reports the time of each import.

`local.measure` starts it in the app's folder with the app's environment, and sends one line of JSON:

    base            the modules that the worker loads before the app
    absent          the packages that only development needs; importing them fails here, as in Azure
    headers, body   an event
    more            the modules that the app loads in Azure, but not in a local run

The process answers with one line of JSON. Then it waits until its input ends, so that its memory can be measured.

The time of an import is the processor time of its thread, so other programs on the machine do not add to it. This
module imports only parts of the standard library that azure.functions imports too.
"""

import importlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

ACCEPTED = 202
THOUSAND = 1000.0


class ImportTimer:
    """Measures the processor time of each import in milliseconds, without the imports that it causes."""

    def __init__(self) -> None:
        """Start to measure every import of this process."""
        self.spent: dict[str, float] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()
        self._find: Callable[[str, object], object] = vars(importlib._bootstrap)["_find_and_load"]  # noqa: SLF001 - every import of a module that is not loaded yet calls it
        vars(importlib._bootstrap)["_find_and_load"] = self._time_import  # noqa: SLF001 - as above

    def _time_import(self, name: str, importer: object) -> object:
        outer, self._thread.inner = getattr(self._thread, "inner", 0.0), 0.0
        began = time.thread_time()
        try:
            return self._find(name, importer)
        finally:
            spent = time.thread_time() - began
            self._add_time(name, spent - self._thread.inner)
            self._thread.inner = outer + spent

    def _add_time(self, name: str, seconds: float) -> None:
        with self._lock:
            self.spent[name] = self.spent.get(name, 0.0) + seconds * THOUSAND

    def take_times(self) -> dict[str, float]:
        """The milliseconds by module since the last call."""
        with self._lock:
            spent, self.spent = self.spent, {}
        return spent


class BlockedPackages:
    """An import finder that fails for packages which a deployment does not have."""

    def __init__(self, packages: Sequence[str]) -> None:
        """Block these top-level packages."""
        self._packages = frozenset(packages)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Leave the search to the other finders. Raises ModuleNotFoundError for a blocked package."""
        if name.split(".", 1)[0] in self._packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


class EventNames(logging.Handler):
    """Collects the names of the connector's log events. They show that the app did its work."""

    def __init__(self) -> None:
        """Start with no names."""
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the name of a log event."""
        self.names.append(json.loads(record.getMessage())["event"])


class QueueOutput:
    """The queue output binding of the webhook's function."""

    message: str | None = None

    def set(self, value: str) -> None:
        """Keep the message."""
        self.message = value


def load_functions() -> Mapping[str, Callable[..., Any]]:
    """The app's functions by name; the first call loads the app."""
    app = importlib.import_module("function_app").app
    return {function.get_function_name(): function.get_user_function() for function in app.get_functions()}


def receive_event(instructions: Mapping[str, Any]) -> tuple[Mapping[str, Callable[..., Any]], str]:
    """Load the app, and let it answer its first event; returns the functions and the message for the queue.

    Raises:
        RuntimeError: the app refused the event.
    """
    func = importlib.import_module("azure.functions")
    request = func.HttpRequest(
        "POST", "/api/events", headers=dict(instructions["headers"]), body=instructions["body"].encode()
    )
    queue, functions = QueueOutput(), load_functions()
    answer = functions["receive_event"](request, queue)
    if answer.status_code != ACCEPTED or queue.message is None:
        raise RuntimeError(f"the app answered {answer.status_code} to the event")
    return functions, queue.message


def run_all_functions(instructions: Mapping[str, Any], timer: ImportTimer) -> dict[str, Any]:
    """Receive and apply one event, then push and sweep; returns import times by phase, and the time to the answer."""
    sys.meta_path.insert(0, BlockedPackages(instructions["absent"]))
    timer.take_times()
    for name in instructions["base"]:
        importlib.import_module(name)
    base = timer.take_times()
    began = time.perf_counter()
    functions, message = receive_event(instructions)
    answered = (time.perf_counter() - began) * THOUSAND
    first = timer.take_times()
    functions["apply_event"](importlib.import_module("azure.functions").QueueMessage(body=message))
    functions["push_opportunities"](None)
    functions["sweep_referrals"](None)
    for name in instructions["more"]:
        importlib.import_module(name)
    return {"base": base, "answered": answered, "first": first, "later": timer.take_times()}


def main() -> int:
    """Do the work, print the report, and wait until the input ends; returns 0."""
    sys.path[0] = os.getcwd()  # noqa: PTH109 - the app's folder, in place of this script's, without an import more
    instructions, timer, events = json.loads(sys.stdin.readline()), ImportTimer(), EventNames()
    logging.getLogger("cosell").addHandler(events)
    logging.getLogger("cosell").setLevel(logging.INFO)
    print(json.dumps({**run_all_functions(instructions, timer), "events": events.names}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
