"""Run an emulator: pass each request through faults and the emulated service, keep a journal, answer the control API.

An emulator is a function from request to response. It is called under one lock, so that a seed repeats every answer.
The control API has the path `/_control` on the same address. It is never part of the emulated service:

    GET    /_control/journal          every request and answer since the last reset: method, path, status, sizes, tags
    DELETE /_control/journal          forget them
    POST   /_control/faults           add a fault (see `emulators/base/faults.py`)
    DELETE /_control/faults           remove all faults
    POST   /_control/clock            {"advance": seconds} or {"set": ISO time} or {"freeze": true}
    POST   /_control/reset            return to the state at the start

A body that a route cannot use is answered at once with 400 and a sentence.
"""

import random
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from emulators.base.clock import EmulatedClock
from emulators.base.control_body import INVALID_BODY_ERRORS, convert_strictly
from emulators.base.faults import Fault, FaultKind, delay_if, inject_fault, matching_fault
from emulators.base.journal import JournalEntry
from emulators.base.server import Request, Response

CONTROL = "/_control"


@lru_cache(maxsize=16)
def _http_date(second: datetime) -> str:
    return format_datetime(second, usegmt=True)


class Emulator:
    """The base class of all emulators. A subclass implements `respond`, and may override the methods next to it."""

    def __init__(self, *, seed: int = 0) -> None:
        """`seed` makes ids and chances repeatable."""
        self.clock = EmulatedClock()
        self.lock = threading.RLock()
        self.seed = seed
        self.chance = random.Random(seed)
        self.journal: list[JournalEntry] = []
        self.faults: list[Fault] = []
        self.tags: list[str] = []

    # --- for subclasses

    def respond(self, request: Request) -> Response:
        """Answer one request as the emulated service would. `handle` calls it under the lock."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget everything except the configuration."""

    def defect_response(self, request: Request) -> Response:
        """Return the 500 that the service would send. It is the answer when the emulator itself has a defect."""
        del request
        return Response.of({"error": "An unexpected error occurred."}, 500)

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer a control request that only this emulator has; return None for an unknown one.

        May raise any of INVALID_BODY_ERRORS; the caller answers 400.
        """
        del request
        return None

    def add_tag(self, text: str) -> None:
        """Add a note about the present request to the journal."""
        self.tags.append(text)

    # --- one request

    def handle(self, request: Request) -> Response:
        """Answer one request. A request to the service may meet a fault, and gets a journal entry."""
        if request.path.startswith(CONTROL):
            with self.lock:
                return self._handle_control(request)
        with self.lock:
            fault = matching_fault(self.faults, request, self.chance)
        delay_if(fault, FaultKind.DELAY_BEFORE)
        with self.lock:
            self.tags = []
            response = self._with_date(inject_fault(fault, lambda: self._respond_or_report_defect(request)))
            self._add_to_journal(request, response, fault)
        delay_if(fault, FaultKind.DELAY)
        return response

    def _respond_or_report_defect(self, request: Request) -> Response:
        try:
            return self.respond(request)
        except Exception:  # noqa: BLE001 - a defect of the emulator is printed, and answered as the service would
            traceback.print_exc()
            return self.defect_response(request)

    def _with_date(self, response: Response) -> Response:
        """Date the answer by the emulated clock, because clients read the header as the server's time."""
        date = _http_date(self.clock.now().replace(microsecond=0))
        return Response(
            response.status, response.body, {**response.headers, "Date": date}, response.close, response.cut
        )

    def _add_to_journal(self, request: Request, response: Response, fault: Fault | None) -> None:
        at, kind = self.clock.now().isoformat(), fault.kind if fault else None
        self.journal.append(
            JournalEntry(
                at, request.method, request.path, dict(request.query), response.status, kind,
                len(response.body), len(request.body), tuple(self.tags),
            )
        )  # fmt: skip

    # --- control API

    def _handle_control(self, request: Request) -> Response:
        routes: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/journal"): lambda _: Response.of([asdict(entry) for entry in self.journal]),
            ("DELETE", "/journal"): lambda _: self._clear_list(self.journal),
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): lambda _: self._clear_list(self.faults),
            ("POST", "/clock"): self._set_clock,
            ("POST", "/reset"): lambda _: self._reset_everything(),
        }
        shared_route = routes.get((request.method, request.path.removeprefix(CONTROL)))
        try:
            response = shared_route(request) if shared_route else self.respond_to_control(request)
        except INVALID_BODY_ERRORS as error:
            sentence = f"{request.method} {request.path}: the body is not valid: {type(error).__name__} {error}"
            return Response.of({"error": sentence}, 400)
        return response or Response.of({"error": f"unknown control route: {request.method} {request.path}"}, 404)

    def _clear_list(self, entries: list[JournalEntry] | list[Fault]) -> Response:
        entries.clear()
        return Response.of({"ok": True})

    def _add_fault(self, request: Request) -> Response:
        self.faults.append(convert_strictly(Fault, request.json()))
        return Response.of({"ok": True})

    def _set_clock(self, request: Request) -> Response:
        body = request.json()
        if "advance" in body:
            self.clock.advance(float(body["advance"]))
        if "set" in body:
            self.clock.set(datetime.fromisoformat(body["set"]))
        if "freeze" in body:
            self.clock.freeze(bool(body["freeze"]))
        return Response.of({"now": self.clock.now().isoformat()})

    def _reset_everything(self) -> Response:
        self.chance = random.Random(self.seed)
        self.journal.clear()
        self.faults.clear()
        self.reset_state()
        return Response.of({"ok": True})
