"""Runs the app of one build, as the Functions worker does, and measures the processor time of this process alone.

    python -P app_process.py FOLDER

`FOLDER` has the `function_app.py`; the environment holds the app's settings. The first line of output says that the app
has loaded. Each line of input is then one action, such as {"do": "timer", "name": "push_opportunities"}, and is
answered with one line. The app is called through its own functions only, except by `call`.
"""

import base64
import importlib
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

ACCEPTED = 202
WARM_UPS = 3
"""Calls before the measured ones: they open connections and fetch certificates."""


class EventNames(logging.Handler):
    """Keeps the connector's log lines. They are parsed when asked for, outside what is measured."""

    def __init__(self) -> None:
        """Start with no lines."""
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())

    def take(self) -> Counter[str]:
        """The names of the log events since the last call, counted."""
        lines, self.lines = self.lines, []
        return Counter(json.loads(line)["event"] for line in lines)


class QueueOutput:
    """The output binding of the webhook's function."""

    message: str = ""

    def set(self, value: str) -> None:
        """Keep the message."""
        self.message = value


class Stopwatch:
    """Seconds of processor time of this process, all threads, and of the clock, from its creation on."""

    def __init__(self) -> None:
        """Start."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """Both since the start."""
        return {"cpu": time.process_time() - self._cpu, "wall": time.perf_counter() - self._wall}


class Actions:
    """What can be asked. The public methods are the actions, and their parameters the other keys of the line."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], names: EventNames) -> None:
        """Call these functions of the app."""
        self._functions, self._names = functions, names
        self._func = importlib.import_module("azure.functions")

    def timer(self, name: str) -> dict[str, Any]:
        """Run one timer function."""
        self._names.take()
        watch = Stopwatch()
        self._functions[name](None)
        return {**watch.read(), "events": self._names.take()}

    def receive(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Let the webhook admit signed events, one after the other; `messages` is what it puts into the queue.

        Raises RuntimeError if it refuses one.
        """
        requests, queue = [self._request(event) for event in events], QueueOutput()
        messages: list[str] = []
        receive = self._functions["receive_event"]
        watch = Stopwatch()
        for request in requests:
            queue.message = ""
            answer = receive(request, queue)
            messages.append(queue.message)
            if answer.status_code != ACCEPTED or not queue.message:
                raise RuntimeError(f"the app answered {answer.status_code} to an event")
        return {**watch.read(), "messages": messages}

    def apply(self, messages: Sequence[str], threads: int = 1, age: float = 0.0) -> dict[str, Any]:
        """Hand messages of the queue to the app, `threads` at once, as if they had been put there `age` seconds ago."""
        put_at = datetime.now(UTC) - timedelta(seconds=age)
        kind = type("Message", (self._func.QueueMessage,), {"insertion_time": property(lambda _: put_at)})
        made = [kind(id=str(number), body=message) for number, message in enumerate(messages)]
        self._names.take()
        watch = Stopwatch()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._functions["apply_event"], made))
        return {**watch.read(), "events": self._names.take()}

    def verify(self, count: int, event: Mapping[str, Any]) -> dict[str, Any]:
        """Verify one signature so often with the bare library: of this event's body, with a key of the same size."""
        hashes = importlib.import_module("cryptography.hazmat.primitives.hashes")
        padding = importlib.import_module("cryptography.hazmat.primitives.asymmetric.padding")
        rsa = importlib.import_module("cryptography.hazmat.primitives.asymmetric.rsa")
        size, body = signature_bits(event["headers"]), event["body"].encode()
        key, scheme, digest = rsa.generate_private_key(65537, size), padding.PKCS1v15(), hashes.SHA256()
        signature, public = key.sign(body, scheme, digest), key.public_key()
        watch = Stopwatch()
        for _ in range(count):
            public.verify(signature, body, scheme, digest)
        return watch.read()

    def call(self, side: str, count: int, key: str) -> dict[str, Any]:
        """Make the smallest reading call of one side so often, through the client that the app has connected."""
        connector = importlib.import_module("shared.app").app()
        soql = f"SELECT Id FROM Opportunity WHERE Id = '{key}'"  # noqa: S608 - an id of the emulator
        call: Callable[[], object] = {
            "partner_center": lambda: connector.partner_center.get(key),
            "salesforce": lambda: connector.salesforce.query(soql),
        }[side]
        for _ in range(WARM_UPS):
            call()
        watch = Stopwatch()
        for _ in range(count):
            call()
        return watch.read()

    def _request(self, event: Mapping[str, Any]) -> object:
        return self._func.HttpRequest(
            "POST", "/api/events", headers=dict(event["headers"]), body=event["body"].encode()
        )


def signature_bits(headers: Mapping[str, str]) -> int:
    """The size of the key that signed an event: an RSA signature is as long as its key."""
    named = {name.lower(): text for name, text in headers.items()}
    return len(base64.b64decode(named["x-ms-signature"].removeprefix("Signature "))) * 8


def load_functions() -> Mapping[str, Callable[..., Any]]:
    """The app's functions by name. Raises RuntimeError if the app does not start."""
    module = importlib.import_module("function_app")
    if fault := getattr(module, "start_fault", None):
        raise RuntimeError(f"the app does not start: {fault}")
    return {function.get_function_name(): function.get_user_function() for function in module.app.get_functions()}


def answer(actions: Actions, line: str) -> object:
    """Do what one line asks. Raises AttributeError for an unknown action."""
    asked = json.loads(line)
    return getattr(actions, asked.pop("do"))(**asked)


def main() -> int:
    """Serve until the input ends; returns 0."""
    sys.path.insert(0, sys.argv[1])
    names = EventNames()
    logging.getLogger("cosell").addHandler(names)
    logging.getLogger("cosell").setLevel(logging.INFO)
    actions = Actions(load_functions(), names)
    print(json.dumps({"loaded": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(actions, line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
