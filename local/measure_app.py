"""The app alone in a process, as the worker holds it: loads it, gives it work, and tells what its imports cost.

`local.measure` starts it with the app's environment. One line of JSON comes in: `base` (the modules that the
worker has loaded before the app), `absent` (packages that are here for development only), `headers` and `body` of an
event, and `more` (modules of the product that a local run has others in the place of). One line goes out; the process
then waits to be weighed until its input ends.

Each import is timed by the processor time of its thread, whatever else the machine does meanwhile. Nothing but the
standard library is imported here, and nothing of it that azure.functions does not import anyway.
"""

import importlib
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

ACCEPTED = 202
THOUSAND = 1000.0


class Ledger:
    """Milliseconds of processor time that imports took, by module, each without what it imports in its turn."""

    def __init__(self) -> None:
        """Keep the books from now on, for every import of this process."""
        self.spent: dict[str, float] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()
        self._find: Callable[[str, object], object] = vars(importlib._bootstrap)["_find_and_load"]  # noqa: SLF001 - the one place that all imports of modules not yet loaded pass
        vars(importlib._bootstrap)["_find_and_load"] = self._timed  # noqa: SLF001 - as above

    def _timed(self, name: str, importer: object) -> object:
        outer, self._thread.inner = getattr(self._thread, "inner", 0.0), 0.0
        began = time.thread_time()
        try:
            return self._find(name, importer)
        finally:
            spent = time.thread_time() - began
            self._note(name, spent - self._thread.inner)
            self._thread.inner = outer + spent

    def _note(self, name: str, seconds: float) -> None:
        with self._lock:
            self.spent[name] = self.spent.get(name, 0.0) + seconds * THOUSAND

    def closed(self) -> dict[str, float]:
        """What was spent since the last call."""
        with self._lock:
            spent, self.spent = self.spent, {}
        return spent


class Absent:
    """Finds nothing in the place of packages that a deployment does not have."""

    def __init__(self, packages: Sequence[str]) -> None:
        """Their names at the top."""
        self._packages = frozenset(packages)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """As a finder's. Raises ModuleNotFoundError for what is to be absent."""
        if name.split(".", 1)[0] in self._packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


class Events(logging.Handler):
    """The names of the connector's log events: they prove that the work was done."""

    def __init__(self) -> None:
        """Listen to the connector."""
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note an event."""
        self.names.append(json.loads(record.getMessage())["event"])


class Queue:
    """The output binding of the event door."""

    message: str | None = None

    def set(self, value: str) -> None:
        """Take the message."""
        self.message = value


def functions() -> Mapping[str, Callable[..., Any]]:
    """The app's functions by name, as the worker finds them."""
    app = importlib.import_module("function_app").app
    return {found.get_function_name(): found.get_user_function() for found in app.get_functions()}


def receive(told: Mapping[str, Any]) -> tuple[Mapping[str, Callable[..., Any]], str]:
    """Load the app and have it answer its first event; the functions, and the queue's message."""
    func = importlib.import_module("azure.functions")
    request = func.HttpRequest("POST", "/api/events", headers=dict(told["headers"]), body=told["body"].encode())
    queue, found = Queue(), functions()
    answer = found["receive_event"](request, queue)
    if answer.status_code != ACCEPTED or queue.message is None:
        raise RuntimeError(f"the event was answered {answer.status_code}")
    return found, queue.message


def work(told: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    """One event received and applied, one push, one sweep: what each phase's imports cost, and the first answer."""
    sys.meta_path.insert(0, Absent(told["absent"]))
    ledger.closed()
    for name in told["base"]:
        importlib.import_module(name)
    base = ledger.closed()
    began = time.perf_counter()
    found, message = receive(told)
    answered = (time.perf_counter() - began) * THOUSAND
    first = ledger.closed()
    found["apply_event"](importlib.import_module("azure.functions").QueueMessage(body=message))
    found["push_opportunities"](None)
    found["sweep_referrals"](None)
    for name in told["more"]:
        importlib.import_module(name)
    return {"base": base, "answered": answered, "first": first, "later": ledger.closed()}


def main() -> int:
    """Work, tell, wait."""
    told, ledger, events = json.loads(sys.stdin.readline()), Ledger(), Events()
    logging.getLogger("cosell").addHandler(events)
    logging.getLogger("cosell").setLevel(logging.INFO)
    print(json.dumps({**work(told, ledger), "events": events.names}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
