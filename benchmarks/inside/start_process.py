"""Starts the app of one build once, and measures its imports: `python -P start_process.py FOLDER`.

`FOLDER` has the unpacked zip; the environment holds the app's settings. The first line of input is a signed event. The
line of output has the milliseconds of imports until the app has answered it, and until it has applied it, pushed and
swept. `azure.functions` does not count: the worker has loaded it before the app.

`answer` is the processor time of the whole process until then, so that work which leaves the imports is not hidden. The
time of an import is that of its thread, so other programs on the machine do not add to it.

This module imports only parts of the
standard library that azure.functions imports too.
"""

import importlib
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

ACCEPTED = 202
MILLISECONDS = 1000.0


class ImportTimer:
    """Sums the processor time of all imports of this process. An import within another is part of it."""

    def __init__(self) -> None:
        """Measure from now on."""
        self.seconds = 0.0
        self._lock, self._thread = threading.Lock(), threading.local()
        machinery = vars(importlib._bootstrap)  # noqa: SLF001 - every import of a module that is not loaded yet passes here
        self._find: Callable[[str, object], object] = machinery["_find_and_load"]
        machinery["_find_and_load"] = self._import

    def _import(self, name: str, importer: object) -> object:
        if getattr(self._thread, "is_within", False):
            return self._find(name, importer)
        self._thread.is_within = True
        began = time.thread_time()
        try:
            return self._find(name, importer)
        finally:
            self._thread.is_within = False
            with self._lock:
                self.seconds += time.thread_time() - began


class EventNames(logging.Handler):
    """Keeps the names of the connector's log events, which show that it did its work."""

    def __init__(self) -> None:
        """Start with no names."""
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one name."""
        self.names.append(json.loads(record.getMessage())["event"])


class QueueOutput:
    """The output binding of the webhook's function."""

    message: str | None = None

    def set(self, value: str) -> None:
        """Keep the message."""
        self.message = value


def start(event: dict[str, Any], names: EventNames) -> dict[str, object]:
    """Load the app, answer the event, and do everything else once. Raises RuntimeError if the app refuses the event."""
    func = importlib.import_module("azure.functions")
    timer, queue = ImportTimer(), QueueOutput()
    began = time.process_time()
    app = importlib.import_module("function_app").app
    functions = {each.get_function_name(): each.get_user_function() for each in app.get_functions()}
    request = func.HttpRequest("POST", "/api/events", headers=event["headers"], body=event["body"].encode())
    answer = functions["receive_event"](request, queue)
    if answer.status_code != ACCEPTED:
        raise RuntimeError(f"the app answered {answer.status_code} to the event")
    first, answered = timer.seconds, time.process_time() - began
    functions["apply_event"](func.QueueMessage(body=queue.message))
    functions["push_opportunities"](None)
    functions["sweep_referrals"](None)
    seconds = {"first": first, "all": timer.seconds, "answer": answered}
    return {name: spent * MILLISECONDS for name, spent in seconds.items()} | {"events": names.names}


def main() -> int:
    """Measure once; returns 0."""
    sys.path.insert(0, sys.argv[1])
    names = EventNames()
    logging.getLogger("cosell").addHandler(names)
    logging.getLogger("cosell").setLevel(logging.INFO)
    print(json.dumps(start(json.loads(sys.stdin.readline()), names)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
