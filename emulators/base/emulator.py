"""What every emulator shares: a clock of its own, a journal, faults on demand, and the control API.

An emulator is a function from request to response, called under one lock, so that a seed replays. The control API
lives under `/_control` of the same address and is never part of the emulated service:

    GET    /_control/journal          every request and answer since the last reset: method, path, status, sizes, tags
    DELETE /_control/journal
    POST   /_control/faults           add a fault (see `Fault`)          DELETE /_control/faults   remove all
    POST   /_control/clock            {"advance": seconds} or {"set": ISO time} or {"freeze": true}
    POST   /_control/reset            as at the start

A body that cannot be meant is answered 400 with a sentence, when it comes.
"""

import random
import re
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec

from emulators.base.server import Request, Response

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CONTROL = "/_control"

_UNMEANT = (ValueError, TypeError, KeyError, AttributeError, OverflowError, msgspec.ValidationError)
type Pause = Annotated[float, msgspec.Meta(ge=0, le=3600)]  # seconds


class EmulatedClock:
    """Real time plus an offset, or standing still."""

    def __init__(self) -> None:
        """Start with the real time."""
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The emulated time, UTC."""
        return (self._frozen or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward (or back) by `seconds`."""
        self._offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Jump to `moment`."""
        self._offset += moment - self.now()

    def freeze(self, frozen: bool = True) -> None:
        """Stand still at the present emulated time, or run on from it."""
        now = self.now()
        self._offset = timedelta()
        self._frozen = now if frozen else None
        if not frozen:
            self.set(now)


class FaultKind(StrEnum):
    """When a fault strikes and what the caller sees."""

    ANSWER = "answer"  # the given answer; the service did nothing
    ANSWER_AFTER = "answer_after"  # the service did its work, then the given answer instead of its own
    DROP = "drop"  # connection closed; nothing done
    DROP_AFTER = "drop_after"  # work done, connection closed: the lost reply
    TRUNCATE = "truncate"  # work done, the body breaks off half-way
    DELAY = "delay"  # work done at once, the answer comes `seconds` later
    DELAY_BEFORE = "delay_before"  # the work itself begins `seconds` later


def checked[T: DataclassInstance](kind: type[T], wanted: object) -> T:
    """The body of a control call as a dataclass of that kind. Raises ValueError, msgspec.ValidationError."""
    found = msgspec.convert(wanted, kind)
    unknown = set(wanted) - {f.name for f in fields(kind)} if isinstance(wanted, dict) else set()
    if unknown:
        raise ValueError(f"a {kind.__name__} has no {sorted(unknown)}")
    return found


def check_pattern(text: str) -> None:
    """Raises ValueError for what is no regular expression."""
    try:
        re.compile(text)
    except re.PatternError as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None


class Countdown:
    """What faults have in common: they pass over the first `skip` chances, then strike `times` times."""

    times: int
    skip: int
    probability: float

    def is_due(self, chance: random.Random) -> bool:
        """Whether it strikes now, for something that fits it; counts down."""
        if self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if chance.random() >= self.probability:
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class Fault(Countdown):
    """Strikes requests whose method and path (regular expression, searched) match, after `skip`, `times` times."""

    kind: FaultKind
    path: str = ""
    method: str = ""
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: Pause = 0.0

    def __post_init__(self) -> None:
        """Refuse what could only fail when it strikes. Raises ValueError."""
        check_pattern(self.path)
        self.answer()
        for text in (word for header in self.headers.items() for word in header):
            if not (text.isascii() and text.isprintable()):
                raise ValueError(f"a header holds printable ASCII, not {text!r}")

    def strikes(self, request: Request, chance: random.Random) -> bool:
        """Whether this request is hit; counts down."""
        fits = self.method in {"", request.method} and re.search(self.path, request.path) is not None
        return fits and self.is_due(chance)

    def answer(self) -> Response:
        """The answer a person scripted."""
        return Response(self.status, self.body.encode(), {"Content-Type": "application/json", **self.headers})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; `tags` are what the emulator noted of the request (an operation's name, a count)."""

    at: str
    method: str
    path: str
    query: Mapping[str, str]
    status: int
    fault: str | None
    sent: int
    received: int
    tags: tuple[str, ...] = ()


class Emulator:
    """Base of all emulators. Subclasses implement `respond`, `restart`, and may extend `control`."""

    def __init__(self, *, seed: int = 0) -> None:
        """`seed` makes ids and chances repeatable."""
        self.clock = EmulatedClock()
        self.lock = threading.RLock()
        self.seed = seed
        self.chance = random.Random(seed)
        self.journal: list[Entry] = []
        self.faults: list[Fault] = []
        self.tags: list[str] = []

    # --- for subclasses

    def respond(self, request: Request) -> Response:
        """Answer one request of the emulated service, under the lock."""
        raise NotImplementedError

    def restart(self) -> None:
        """Forget everything but the configuration."""

    def broken(self, request: Request) -> Response:
        """The 500 of the emulated service, sent where the emulator itself has a defect."""
        del request
        return Response.of({"error": "An unexpected error occurred."}, 500)

    def control(self, request: Request) -> Response | None:
        """Answer a control request of this emulator's own; None: not known.

        May raise what a body that cannot be meant causes, from ValueError to AttributeError: it is answered 400.
        """
        del request
        return None

    def tag(self, text: str) -> None:
        """Note something about the present request in the journal."""
        self.tags.append(text)

    # --- the way of a request

    def handle(self, request: Request) -> Response:
        """Answer one request: control, fault, service, journal."""
        if request.path.startswith(CONTROL):
            with self.lock:
                return self._control(request)
        with self.lock:
            fault = next((f for f in self.faults if f.strikes(request, self.chance)), None)
        if fault is not None and fault.kind is FaultKind.DELAY_BEFORE:
            time.sleep(fault.seconds)
        with self.lock:
            self.tags = []
            response = self._struck(fault, request)
            self._record(request, response, fault)
        if fault is not None and fault.kind is FaultKind.DELAY:
            time.sleep(fault.seconds)
        return response

    def _struck(self, fault: Fault | None, request: Request) -> Response:
        if fault is not None and fault.kind is FaultKind.ANSWER:
            return self._dated(fault.answer())
        if fault is not None and fault.kind is FaultKind.DROP:
            return Response(0, close=True)
        response = self._dated(self._answered(request))
        match fault.kind if fault else None:
            case FaultKind.ANSWER_AFTER if fault:
                return self._dated(fault.answer())
            case FaultKind.DROP_AFTER:
                return Response(0, close=True)
            case FaultKind.TRUNCATE:
                return Response(response.status, response.body, response.headers, cut=len(response.body) // 2)
        return response

    def _answered(self, request: Request) -> Response:
        try:
            return self.respond(request)
        except Exception:  # noqa: BLE001 - a defect of ours: told where a person sees it, answered as the service would
            traceback.print_exc()
            return self.broken(request)

    def _dated(self, response: Response) -> Response:
        """Date every answer by the emulated clock: clients take it for the server's time."""
        date = format_datetime(self.clock.now().replace(microsecond=0), usegmt=True)
        return Response(
            response.status, response.body, {**response.headers, "Date": date}, response.close, response.cut
        )

    def _record(self, request: Request, response: Response, fault: Fault | None) -> None:
        at, kind = self.clock.now().isoformat(), fault.kind if fault else None
        self.journal.append(
            Entry(
                at, request.method, request.path, dict(request.query), response.status, kind,
                len(response.body), len(request.body), tuple(self.tags),
            )
        )  # fmt: skip

    # --- control

    def _control(self, request: Request) -> Response:
        routes: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/journal"): lambda _: Response.of([asdict(entry) for entry in self.journal]),
            ("DELETE", "/journal"): lambda _: self._cleared(self.journal),
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): lambda _: self._cleared(self.faults),
            ("POST", "/clock"): self._set_clock,
            ("POST", "/reset"): lambda _: self._reset(),
        }
        known = routes.get((request.method, request.path.removeprefix(CONTROL)))
        try:
            answer = known(request) if known else self.control(request)
        except _UNMEANT as error:
            sentence = f"{request.method} {request.path}: bad control body: {type(error).__name__} {error}"
            return Response.of({"error": sentence}, 400)
        return answer or Response.of({"error": f"no control {request.method} {request.path}"}, 404)

    def _cleared(self, things: list[Entry] | list[Fault]) -> Response:
        things.clear()
        return Response.of({"ok": True})

    def _add_fault(self, request: Request) -> Response:
        self.faults.append(checked(Fault, request.json()))
        return Response.of({"ok": True})

    def _set_clock(self, request: Request) -> Response:
        wanted = request.json()
        if "advance" in wanted:
            self.clock.advance(float(wanted["advance"]))
        if "set" in wanted:
            self.clock.set(datetime.fromisoformat(wanted["set"]))
        if "freeze" in wanted:
            self.clock.freeze(bool(wanted["freeze"]))
        return Response.of({"now": self.clock.now().isoformat()})

    def _reset(self) -> Response:
        self.chance = random.Random(self.seed)
        self.journal.clear()
        self.faults.clear()
        self.restart()
        return Response.of({"ok": True})
