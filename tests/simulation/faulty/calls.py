"""Faults of whole calls: requests and replies are lost, refused, throttled, damaged or slow.

What each answer proves: docs/reference/partner-center.md#retry-rules, docs/reference/salesforce.md#error-codes.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request
from shared.domain.deal import Side
from tests.simulation.faulty.trouble import Check, Places, Trouble

PARTNER_CENTER, SALESFORCE = Side.PARTNER_CENTER, Side.SALESFORCE
PATCH, POST, ONE = ("partner_center.patch",), ("partner_center.create",), ("partner_center.patch", "partner_center.get")
CREATE = ("salesforce.create",)
WRITE = ("salesforce.update", "salesforce.update_unmodified", "salesforce.update_with_rows")
"""Calls of the ports at which rare faults aim."""
PAGE = "<html><head><title>Service unavailable</title></head><body>Try again later.</body></html>"
HTML = {"Content-Type": "text/html"}
ONE_REFERRAL = "/referrals/[^/]+$"
WRITES, READS = '"PATCH"', '^(?!.*"PATCH")'
"""What a Composite of Salesforce holds that writes, and one that reads."""
GRAPH = "composite/graph"
SLOW = (5, 25)
"""Seconds of a slow answer. Together with the longest pause of a run they stay below the rest of a lease that a write
needs (docs/protocol.md#time-and-deadlines)."""


@dataclass(slots=True)
class SlowFault(Fault):
    """Lets time pass at a request, which is answered as ever."""

    wait: Callable[[], None] = lambda: None

    def applies_to(self, request: Request, chance: random.Random) -> bool:
        applies = Fault.applies_to(self, request, chance)
        if applies:
            self.wait()
        return applies


def _times(chance: random.Random) -> int:
    """How often in a row: a read is tried three times."""
    return chance.choice((1, 1, 1, 2, 4))


def _trouble(
    name: str, weight: int, side: Side, make: Callable[[random.Random], Fault], aims: tuple[str, ...]
) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        fault = make(chance)
        times = fault.times
        places.harness.inject_fault(side, fault)
        return lambda: fault.times < times

    return Trouble(f"{side} {name}", weight, begin, aims)


def _of_transport(  # noqa: PLR0913 - which requests it is about
    name: str,
    side: Side,
    kind: FaultKind,
    *,
    weight: int = 2,
    method: str = "",
    path: str = "",
    sent: str = "",
    aims: tuple[str, ...] = (),
) -> Trouble:
    def make(chance: random.Random) -> Fault:
        skip = 0 if aims else chance.choice((0, 0, 1))
        return Fault(kind, method=method, path=path, sent=sent, times=_times(chance), skip=skip)

    return _trouble(name, weight, side, make, aims)


def _answers(  # noqa: PLR0913 - what an answer consists of
    name: str,
    side: Side,
    statuses: tuple[int, ...],
    bodies: tuple[str, ...],
    *,
    weight: int = 1,
    after: tuple[bool, ...] = (False,),
    headers: tuple[Mapping[str, str], ...] = ({},),
    method: str = "",
    path: str = "",
    most: int = 4,
    aims: tuple[str, ...] = (),
) -> Trouble:
    """A scripted answer, before the work of the service or `after` it, up to `most` times in a row."""

    def make(chance: random.Random) -> Fault:
        kind = FaultKind.ANSWER_AFTER if chance.choice(after) else FaultKind.ANSWER
        times, chosen = min(_times(chance), most), dict(chance.choice(headers))
        status, body = chance.choice(statuses), chance.choice(bodies)
        return Fault(kind, method=method, path=path, times=times, status=status, headers=chosen, body=body)

    return _trouble(name, weight, side, make, aims)


def _partner_center_error(code: str) -> str:
    return json.dumps({"error": {"code": code, "message": "The request was not carried out.", "target": "referral"}})


def _salesforce_error(code: str, message: str) -> str:
    return json.dumps([{"errorCode": code, "message": message}])


def _waits(*seconds: int) -> tuple[Mapping[str, str], ...]:
    return tuple({"Retry-After": str(each)} for each in seconds)


def _slow(side: Side) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        seconds, times = chance.randint(*SLOW), chance.choice((1, 2))
        wait = lambda: places.harness.advance_time(seconds)  # noqa: E731 - one line says it
        fault = SlowFault(FaultKind.DELAY, times=times, wait=wait)
        places.harness.inject_fault(side, fault)
        return lambda: fault.times < times

    return Trouble(f"{side} is slow", 1, begin)


LIMIT = '{"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}'
DEFECT = _partner_center_error("generalException")
NO_TOKEN, NO_ACCESS = _partner_center_error("unauthenticated"), _partner_center_error("accessDenied")
NOT_FOUND, MODIFIED = _partner_center_error("itemNotFound"), _partner_center_error("resourceModified")
AWAY = _partner_center_error("serviceNotAvailable")
HALF_REFERRALS = ('{"id": "', '{"value": [{"id": "1')
BOTH, AFTER = (False, True), (True,)
OF_PARTNER_CENTER = (
    _of_transport("loses a request", PARTNER_CENTER, FaultKind.DROP),
    _of_transport("loses the reply of a read", PARTNER_CENTER, FaultKind.DROP_AFTER, method="GET"),
    _of_transport("loses a PATCH", PARTNER_CENTER, FaultKind.DROP, weight=5, method="PATCH", aims=PATCH),
    _of_transport(
        "loses the reply of a PATCH", PARTNER_CENTER, FaultKind.DROP_AFTER, weight=5, method="PATCH", aims=PATCH
    ),
    _of_transport("loses a POST", PARTNER_CENTER, FaultKind.DROP, weight=9, method="POST", aims=POST),
    _of_transport(
        "loses the reply of a POST", PARTNER_CENTER, FaultKind.DROP_AFTER, weight=9, method="POST", aims=POST
    ),
    _of_transport("breaks off a reply", PARTNER_CENTER, FaultKind.TRUNCATE),
    _answers("refuses a token", PARTNER_CENTER, (401,), (NO_TOKEN, "")),
    _answers("forbids a call", PARTNER_CENTER, (403,), (NO_ACCESS,), most=2),
    _answers("does not find a referral", PARTNER_CENTER, (404,), (NOT_FOUND,), path=ONE_REFERRAL, aims=ONE),
    _answers("answers 409", PARTNER_CENTER, (409,), (MODIFIED,), weight=5, method="PATCH", aims=PATCH),
    _answers(
        "has locked a referral", PARTNER_CENTER, (423,), ("",), weight=2, headers=({}, *_waits(30)), path=ONE_REFERRAL
    ),
    _answers("throttles and names a wait", PARTNER_CENTER, (429,), (LIMIT,), headers=_waits(5, 60, 600)),
    _answers("throttles and names no wait", PARTNER_CENTER, (429,), ("", '{"statusCode": 429}')),
    _answers("fails before its work", PARTNER_CENTER, (500,), (DEFECT, "")),
    _answers("fails after its work", PARTNER_CENTER, (500, 504), (DEFECT, ""), after=AFTER, weight=2),
    _answers("is not available", PARTNER_CENTER, (503,), (AWAY,), after=BOTH, headers=({}, *_waits(20))),
    _answers("answers with a page", PARTNER_CENTER, (200, 404, 502, 503), (PAGE,), after=BOTH, headers=(HTML,)),
    _answers("answers with half a body", PARTNER_CENTER, (200,), HALF_REFERRALS, after=AFTER),
    _answers("answers without a body", PARTNER_CENTER, (200, 202, 204), ("",), after=AFTER),
    _slow(PARTNER_CENTER),
)

NO_SESSION = _salesforce_error("INVALID_SESSION_ID", "Session expired or invalid")
NO_CALLS = _salesforce_error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
TOO_MANY = _salesforce_error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
FAULTY, MAINTENANCE = (
    _salesforce_error("UNKNOWN_EXCEPTION", "Sorry."),
    _salesforce_error("SERVER_UNAVAILABLE", "Later."),
)
HALF_COMPOSITES = ('{"compositeResponse": [{"body', '{"graphs": [')
OF_SALESFORCE = (
    _of_transport("loses a request", SALESFORCE, FaultKind.DROP),
    _of_transport("loses the reply of a read", SALESFORCE, FaultKind.DROP_AFTER, sent=READS),
    _of_transport("loses the reply of a write", SALESFORCE, FaultKind.DROP_AFTER, weight=3, sent=WRITES, aims=WRITE),
    _of_transport("loses the reply of a graph", SALESFORCE, FaultKind.DROP_AFTER, weight=4, path=GRAPH, aims=CREATE),
    _of_transport("breaks off a reply", SALESFORCE, FaultKind.TRUNCATE),
    _answers("has ended the session", SALESFORCE, (401,), (NO_SESSION,)),
    _answers("has no calls left for a day", SALESFORCE, (403,), (NO_CALLS,), most=1),
    _answers("has too many calls at once", SALESFORCE, (403,), (TOO_MANY,)),
    _answers("throttles", SALESFORCE, (429,), ("", PAGE), headers=({}, *_waits(5, 60))),
    _answers("fails before its work", SALESFORCE, (500,), (FAULTY, "")),
    _answers("fails after its work", SALESFORCE, (500, 504), (FAULTY, ""), after=AFTER, weight=2),
    _answers("is not available", SALESFORCE, (503,), (MAINTENANCE,), after=BOTH),
    _answers("answers with a page", SALESFORCE, (200, 420, 502, 503), (PAGE,), after=BOTH, headers=(HTML,)),
    _answers("answers with half a body", SALESFORCE, (200,), HALF_COMPOSITES, after=AFTER),
    _answers("answers without a body", SALESFORCE, (200,), ("",), after=AFTER),
    _answers("finds no route", SALESFORCE, (404, 420), ("", PAGE), headers=(HTML,)),
    _slow(SALESFORCE),
)
