"""Chooses when a host is killed: right before a write of a side, right after it, or some milliseconds after it.

The last kind meets the host while it writes to the store, or prepares the next call. Each host reaches the two sides
through gates of its own, so that it is known whose request a request is.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from emulators.base.server import Request, Response
from tests.processes.hosts import HostProcess

RequestHandler = Callable[[Request], Response]
CLOSED = Response(0, close=True)
MOST_SKIPPED = 4
LONGEST_DELAY = 0.05
"""Seconds from an answer to the kill, at most."""
_WRITING = (b'"POST"', b'"PATCH"', b'"DELETE"')


class Moment(StrEnum):
    """When the host is killed."""

    BEFORE = "before the effect of a write"
    AFTER = "after the effect of a write, before the answer"
    LATER = "milliseconds after the answer"


@dataclass
class Kills:
    """The kills to come, one after the other. `done` counts them by moment and side."""

    left: int
    chance: random.Random
    done: Counter[tuple[Moment, str]] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._plan_next()

    @property
    def count(self) -> int:
        """How many hosts were killed so far."""
        return self.done.total()

    def gate(self, side: str, host: HostProcess, handle: RequestHandler) -> RequestHandler:
        """Return the handler of a side for one host, which may be killed at its requests."""

        def passed(request: Request) -> Response:
            process = host.process
            if not (is_write(request) and self._is_reached(side)):
                return handle(request)
            if self.moment is Moment.BEFORE:
                self._kill(side, host, process)
                return CLOSED
            answer = handle(request)
            if self.moment is Moment.AFTER:
                self._kill(side, host, process)
                return CLOSED
            threading.Timer(self.delay, self._kill, (side, host, process)).start()
            return answer

        return passed

    def _plan_next(self) -> None:
        self.moment, self.side = self.chance.choice(list(Moment)), self.chance.choice(("Salesforce", "Partner Center"))
        self.skip, self.delay = self.chance.randrange(MOST_SKIPPED), self.chance.uniform(0, LONGEST_DELAY)
        self.is_planned = self.left > 0

    def _is_reached(self, side: str) -> bool:
        """Whether the planned kill happens at this write. Only one request hears that it does."""
        with self.lock:
            if not self.is_planned or side != self.side:
                return False
            self.skip -= 1
            self.is_planned = self.skip >= 0
            return not self.is_planned

    def _kill(self, side: str, host: HostProcess, process: object) -> None:
        with self.lock:
            if host.process is process and host.kill(host.process):
                self.done[self.moment, side] += 1
                self.left -= 1
            self._plan_next()


def is_write(request: Request) -> bool:
    """Whether a request may change something. Salesforce has writes within a POST to /composite."""
    if "/composite" in request.path and request.method == "POST":
        return any(word in request.body for word in _WRITING)
    return request.method in ("POST", "PATCH", "DELETE") and "/oauth2/" not in request.path
