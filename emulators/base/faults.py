"""Inject faults into the answers of an emulator: a scripted answer, a dropped connection, half an answer, a delay.

`POST /_control/faults` adds a fault, `DELETE /_control/faults` removes all. Events of Partner Center have faults of
their own, in `emulators/partner_center/event_faults.py`.
"""

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import msgspec

from emulators.base.control_body import Pause
from emulators.base.server import Request, Response


class FaultKind(StrEnum):
    """The kinds of faults. Some let the emulated service do its work, others do not."""

    ANSWER = "answer"  # send the given answer; the service does nothing
    ANSWER_AFTER = "answer_after"  # let the service do its work, then send the given answer instead of its own
    DROP = "drop"  # close the connection; the service does nothing
    DROP_AFTER = "drop_after"  # let the service do its work, then close the connection: the reply is lost
    TRUNCATE = "truncate"  # let the service do its work, then send half of the body
    DELAY = "delay"  # let the service do its work, then send the answer `seconds` later
    DELAY_BEFORE = "delay_before"  # wait `seconds`, then let the service do its work


def check_pattern(text: str) -> None:
    """Raise ValueError if `text` is not a regular expression."""
    try:
        re.compile(text)
    except re.PatternError as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None


class Countdown:
    """Decides when a fault applies: never to the first `skip` matches, then `times` times, each with `probability`."""

    times: int
    skip: int
    probability: float

    def applies_now(self, chance: random.Random) -> bool:
        """Return whether the fault applies to the present match, and count the match."""
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
    """A fault for requests whose method is `method` and whose path contains a match of the expression `path`.

    The body of the request must also contain a match of the expression `sent`. `seconds` belongs to the two delays;
    `status`, `headers` and `body` belong to the two scripted answers.
    """

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
    sent: str = ""

    def __post_init__(self) -> None:
        """Check now whatever could otherwise fail only when the fault applies. Raises ValueError."""
        check_pattern(self.path)
        check_pattern(self.sent)
        self.scripted_response()
        for text in (word for header in self.headers.items() for word in header):
            if not (text.isascii() and text.isprintable()):
                raise ValueError(f"a header holds printable ASCII, not {text!r}")

    def applies_to(self, request: Request, chance: random.Random) -> bool:
        """Return whether the fault applies to this request, and count the request if it matches."""
        matches = self.method in {"", request.method} and re.search(self.path, request.path) is not None
        return matches and self._matches_body(request) and self.applies_now(chance)

    def _matches_body(self, request: Request) -> bool:
        return not self.sent or re.search(self.sent, request.body.decode(errors="replace")) is not None

    def scripted_response(self) -> Response:
        """Return the answer that `status`, `headers` and `body` describe."""
        return Response(self.status, self.body.encode(), {"Content-Type": "application/json", **self.headers})


def matching_fault(faults: Sequence[Fault], request: Request, chance: random.Random) -> Fault | None:
    """Return the first fault that applies to this request, and count the request for the faults that it matches."""
    return next((fault for fault in faults if fault.applies_to(request, chance)), None)


def inject_fault(fault: Fault | None, work: Callable[[], Response]) -> Response:
    """Return the answer that the caller gets; `work` is the work of the service, which some faults prevent."""
    kind = fault.kind if fault else None
    if fault is None or kind in {FaultKind.DELAY, FaultKind.DELAY_BEFORE}:
        return work()
    if kind is FaultKind.ANSWER:
        return fault.scripted_response()
    if kind is FaultKind.DROP:
        return Response(0, close=True)
    response = work()
    if kind is FaultKind.ANSWER_AFTER:
        scripted = fault.scripted_response()
        return response if _is_false_success(scripted, response) else scripted
    if kind is FaultKind.DROP_AFTER:
        return Response(0, close=True)
    return Response(response.status, response.body, response.headers, cut=len(response.body) // 2)


def _is_false_success(scripted: Response, own: Response) -> bool:
    """Whether an answer that says no more than that all is well would stand for a refusal: no service answers so."""
    is_success = scripted.status == HTTPStatus.NO_CONTENT and not scripted.body
    return is_success and own.status >= HTTPStatus.MULTIPLE_CHOICES


def delay_if(fault: Fault | None, kind: FaultKind) -> None:
    """Wait for the seconds of the fault if it is of this kind of delay."""
    if fault is not None and fault.kind is kind:
        time.sleep(fault.seconds)
