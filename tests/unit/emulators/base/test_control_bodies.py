"""Whoever plays a fault by hand and mistypes it is told at once, not by a service that has gone silent."""

import json

import pytest

from emulators.base.emulator import Emulator
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response
from tests.unit.emulators.base.conftest import House

EVERYBODY = ("partner_center", "entra", "certificates", "salesforce", "identity", "vault")
SHARED = [
    ("faults", {"kind": "answer", "status": "x"}),
    ("faults", {"kind": "answer", "status": 7}),
    ("faults", {"kind": "answer", "times": "x"}),
    ("faults", {"kind": "answer", "skip": None}),
    ("faults", {"kind": "answer", "path": "("}),
    ("faults", {"kind": "answer", "headers": {"Retry-After": 5}}),
    ("faults", {"kind": "answer", "headers": {"X": "a\r\nb"}}),
    ("faults", {"kind": "answer", "body": {"a": 1}}),
    ("faults", {"kind": "answer", "body": "half a pair: \ud800"}),
    ("faults", {"kind": "delay", "seconds": -1}),
    ("faults", {"kind": "delay", "seconds": "long"}),
    ("faults", {"kind": "answer", "colour": "red"}),
    ("faults", {"kind": "bogus"}),
    ("faults", {}),
    ("faults", []),
    ("faults", 5),
    ("faults", None),
    ("clock", {"advance": "x"}),
    ("clock", {"advance": 1e300}),
    ("clock", {"set": 5}),
    ("clock", {"set": "soon"}),
    ("clock", {"set": "2026-01-01T00:00:00"}),
    ("clock", 5),
]
OWN = [
    ("partner_center", "register-events", {"url": 5}),
    ("partner_center", "register-events", {"url": "/api/events"}),
    ("partner_center", "register-events", {"url": "ftp://localhost/"}),
    ("partner_center", "register-events", {"url": "https://"}),
    ("partner_center", "register-events", {"url": "https://localhost:port/"}),
    ("partner_center", "register-events", {"url": "https://localhost/", "events": 5}),
    ("partner_center", "event-faults", {"kind": "lose", "event": "("}),
    ("partner_center", "event-faults", {"kind": "lose", "times": "x"}),
    ("partner_center", "event-faults", {"kind": "delay", "seconds": "x"}),
    ("partner_center", "trouble", {"name": "broken", "times": "x"}),
    ("partner_center", "trouble", {"name": "broken", "kind": "bogus"}),
    ("partner_center", "trouble", 5),
    ("partner_center", "spacing", {"seconds": 1e300}),
    ("partner_center", "raw", {"referral_id": 5, "set": 5}),
    ("entra", "settings", {"access_token_seconds": "x"}),
    ("entra", "settings", {"rotation": "sometimes"}),
    ("entra", "settings", 5),
    ("entra", "apps", {"client_id": 5}),
    ("entra", "apps", {"client_id": "a", "secrets": 5}),
    ("entra", "next-refresh-fails", {"code": None}),
    ("certificates", "encoding", {"encoding": "pdf"}),
    ("certificates", "encoding", 5),
    ("salesforce", "insert", {"sobject": "Opportunity", "values": 5}),
    ("salesforce", "insert", {"sobject": 5, "values": {}}),
    ("salesforce", "edit", 5),
    ("salesforce", "token", {"username": "nobody"}),
    ("salesforce", "commit_lag", {"seconds": 1e300}),
    ("salesforce", "lock", {"id": "006000000000001AAA", "times": "x"}),
    ("salesforce", "usage", {"used": "x"}),
    ("salesforce", "validation_rule", {"sobject": "Opportunity", "field": "Name", "message": 5}),
    ("vault", "secrets", {"name": "a b", "value": "v"}),
    ("vault", "secrets", {"name": "a", "value": 5}),
    ("vault", "secrets", {"name": "a", "value": "v", "attributes": "x"}),
    ("vault", "secrets", {"name": 5, "value": "v"}),
    ("vault", "access", 5),
    ("vault", "throttle", {"times": "x"}),
]


def post(emulator: Emulator, path: str, body: object) -> Response:
    return emulator.handle(Request.of("POST", f"/_control/{path}", {}, json.dumps(body).encode()))


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(("path", "body"), SHARED)
def test_what_cannot_be_meant_is_refused_with_a_sentence(house: House, name: str, path: str, body: object) -> None:
    before = house[name].clock.now()
    answer = post(house[name], path, body)
    assert (answer.status, " " in answer.json()["error"]) == (400, True)
    assert house[name].faults == []
    assert 0 <= (house[name].clock.now() - before).total_seconds() < 60


@pytest.mark.parametrize(("name", "path", "body"), OWN)
def test_so_is_what_only_one_emulator_knows(house: House, name: str, path: str, body: object) -> None:
    answer = post(house[name], path, body)
    assert answer.status in (400, 404), answer.body
    assert len(answer.body) > 20
    assert house[name].faults == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 200_000, b'{"kind": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_refused_too(house: House, raw: bytes) -> None:
    answer = house["salesforce"].handle(Request.of("POST", "/_control/faults", {}, raw))
    assert answer.status == 400


def test_a_fault_that_is_meant_still_strikes(house: House) -> None:
    identity = house["identity"]
    wanted = {
        "kind": "answer",
        "path": "^/msi",
        "status": 503,
        "headers": {"Retry-After": "9"},
        "body": "{}",
        "times": 1,
    }
    assert post(identity, "faults", wanted).status == 200
    assert identity.faults == [Fault(FaultKind.ANSWER, "^/msi", status=503, headers={"Retry-After": "9"}, body="{}")]
    struck = identity.handle(Request.of("GET", "/msi/token", {}))
    assert (struck.status, struck.headers["Retry-After"]) == (503, "9")
