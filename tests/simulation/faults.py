"""What goes wrong outside the connector: lost requests and replies, errors of the services, locks and limits."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness

PARTNER_CENTER, SALESFORCE = Side.PARTNER_CENTER, Side.SALESFORCE


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong, once or a few times in a row."""

    name: str
    weight: int
    begin: Callable[[Harness, random.Random], None]


def _requests(name: str, weight: int, side: Side, kind: FaultKind, *, method: str = "", path: str = "") -> Trouble:
    """A fault of requests to a side: of the next one of a method or path, or else of one of the next."""

    def begin(harness: Harness, chance: random.Random) -> None:
        times, status = chance.choice((1, 1, 1, 2, 4)), chance.choice((500, 503))
        skip = 0 if method or path else chance.choice((0, 0, 1, 2))
        harness.inject_fault(side, Fault(kind, method=method, path=path, times=times, skip=skip, status=status))

    return Trouble(f"{side} {name}", weight, begin)


def _throttling(side: Side) -> Trouble:
    def begin(harness: Harness, chance: random.Random) -> None:
        headers = {"Retry-After": str(chance.choice((5, 60, 600)))}
        body = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "limit"}]' if side is SALESFORCE else ""
        harness.inject_fault(side, Fault(FaultKind.ANSWER, times=3, status=429, headers=headers, body=body))

    return Trouble(f"{side} throttles", 1, begin)


def _lock(harness: Harness, chance: random.Random) -> None:
    records = harness.salesforce.records("Opportunity")
    if records:
        harness.lock_record(chance.choice(records)["Id"], times=chance.choice((1, 2)))


TROUBLES = (
    _requests("loses a request", 2, PARTNER_CENTER, FaultKind.DROP),
    _requests("loses a PATCH", 4, PARTNER_CENTER, FaultKind.DROP, method="PATCH"),
    _requests("loses the reply of a PATCH", 5, PARTNER_CENTER, FaultKind.DROP_AFTER, method="PATCH"),
    _requests("breaks off the reply of a PATCH", 1, PARTNER_CENTER, FaultKind.TRUNCATE, method="PATCH"),
    _requests("fails before a PATCH", 1, PARTNER_CENTER, FaultKind.ANSWER, method="PATCH"),
    _requests("fails after a PATCH", 2, PARTNER_CENTER, FaultKind.ANSWER_AFTER, method="PATCH"),
    _requests("loses a POST", 2, PARTNER_CENTER, FaultKind.DROP, method="POST"),
    _requests("loses the reply of a POST", 4, PARTNER_CENTER, FaultKind.DROP_AFTER, method="POST"),
    _requests("fails after a POST", 1, PARTNER_CENTER, FaultKind.ANSWER_AFTER, method="POST"),
    _requests("loses a request", 4, SALESFORCE, FaultKind.DROP),
    _requests("loses a reply", 6, SALESFORCE, FaultKind.DROP_AFTER),
    _requests("breaks off a reply", 1, SALESFORCE, FaultKind.TRUNCATE),
    _requests("fails before its work", 2, SALESFORCE, FaultKind.ANSWER),
    _requests("fails after its work", 2, SALESFORCE, FaultKind.ANSWER_AFTER),
    _requests("loses the reply of a graph", 3, SALESFORCE, FaultKind.DROP_AFTER, path="graph"),
    _throttling(PARTNER_CENTER),
    _throttling(SALESFORCE),
    Trouble("salesforce locks a record", 2, _lock),
)
