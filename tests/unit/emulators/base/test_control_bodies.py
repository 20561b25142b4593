"""A mistyped control request is refused at once. It must not break the emulator later, when the fault applies."""

import json

import pytest

from emulators.base.emulator import Emulator
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response
from tests.unit.emulators.base.conftest import AllEmulators

ALL_NAMES = ("partner_center", "entra", "certificates", "salesforce", "identity", "vault")
INVALID_FOR_EVERY_EMULATOR = [
    # route, body
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
INVALID_FOR_ONE_EMULATOR = [
    # emulator, route, body
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


def post_control(emulator: Emulator, path: str, body: object) -> Response:
    return emulator.handle(Request.of("POST", f"/_control/{path}", {}, json.dumps(body).encode()))


@pytest.mark.parametrize("name", ALL_NAMES)
@pytest.mark.parametrize(("path", "body"), INVALID_FOR_EVERY_EMULATOR)
def test_every_emulator_refuses_an_invalid_body_with_a_sentence(
    all_emulators: AllEmulators, name: str, path: str, body: object
) -> None:
    time_before = all_emulators[name].clock.now()
    answer = post_control(all_emulators[name], path, body)
    assert (answer.status, " " in answer.json()["error"]) == (400, True)
    assert all_emulators[name].faults == []
    assert 0 <= (all_emulators[name].clock.now() - time_before).total_seconds() < 60


@pytest.mark.parametrize(("name", "path", "body"), INVALID_FOR_ONE_EMULATOR)
def test_an_emulator_refuses_an_invalid_body_of_its_own_routes(
    all_emulators: AllEmulators, name: str, path: str, body: object
) -> None:
    answer = post_control(all_emulators[name], path, body)
    assert answer.status in (400, 404), answer.body
    assert len(answer.body) > 20
    assert all_emulators[name].faults == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 200_000, b'{"kind": ' + b"9" * 5000 + b"}"])
def test_a_body_that_is_not_json_is_refused(all_emulators: AllEmulators, raw: bytes) -> None:
    answer = all_emulators["salesforce"].handle(Request.of("POST", "/_control/faults", {}, raw))
    assert answer.status == 400


def test_a_valid_fault_applies(all_emulators: AllEmulators) -> None:
    identity = all_emulators["identity"]
    fault = {
        "kind": "answer",
        "path": "^/msi",
        "status": 503,
        "headers": {"Retry-After": "9"},
        "body": "{}",
        "times": 1,
    }
    assert post_control(identity, "faults", fault).status == 200
    assert identity.faults == [Fault(FaultKind.ANSWER, "^/msi", status=503, headers={"Retry-After": "9"}, body="{}")]
    answer = identity.handle(Request.of("GET", "/msi/token", {}))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "9")
