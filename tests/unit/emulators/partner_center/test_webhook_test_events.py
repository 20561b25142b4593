"""Test events: asked for, delivered as any other event, and their attempts told for a week."""

from collections.abc import Iterator

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from emulators.entra.tokens import WEBHOOKS_AUDIENCE
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from emulators.partner_center.events import NAMES, TEST_EVENT
from emulators.partner_center.webhooks import PATH, VALIDATIONS
from tests.unit.emulators.partner_center.referral_desk import Desk


class Receiver:
    """Answers what it is told to, then 202."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.of({}, self.statuses.pop(0) if self.statuses else 202)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hooks(pc: PartnerCenterEmulator, receiver: Receiver, authority: Authority) -> Iterator[Desk]:
    with Server(receiver.handle, tls=authority.server_context()) as server:
        pc.dispatcher.ca_bundle = authority.bundle
        pc.register_events(f"{server.url}/api/events", [*NAMES, TEST_EVENT])
        yield Desk(pc, pc.entra.issue_access_token(WEBHOOKS_AUDIENCE))


def ask(hooks: Desk) -> str:
    answer = hooks.call("POST", VALIDATIONS)
    assert answer.status == 200, answer.body
    assert hooks.pc.dispatcher.wait_idle(5)
    return str(answer.json()["correlationId"])


def test_a_test_event_is_delivered_and_its_result_told(hooks: Desk, receiver: Receiver) -> None:
    correlation_id = ask(hooks)

    (request,) = receiver.requests
    assert request.json()["EventName"] == "test-created"
    assert request.json()["ResourceName"] == "test"
    assert request.json()["ResourceUri"] == f"http://api.partnercenter.microsoft.com{VALIDATIONS}/{correlation_id}"
    assert request.headers["x-ms-signature"].startswith("Signature ")
    state = hooks.call("GET", f"{VALIDATIONS}/{correlation_id}").json()
    assert set(state) == {"correlationId", "partnerId", "status", "callbackUrl", "results"}
    assert state["status"] == "completed"
    (result,) = state["results"]
    assert (result["responseCode"], result["systemError"]) == ("Accepted", False)


def test_each_attempt_has_its_result(hooks: Desk, receiver: Receiver) -> None:
    receiver.statuses = [500, 401, 200]
    state = hooks.call("GET", f"{VALIDATIONS}/{ask(hooks)}").json()
    assert [result["responseCode"] for result in state["results"]] == ["InternalServerError", "Unauthorized", "OK"]


def test_an_address_where_nobody_answers_is_a_system_error_ten_times(hooks: Desk) -> None:
    hooks.pc.register_events("https://localhost:9/api/events", [TEST_EVENT])
    state = hooks.call("GET", f"{VALIDATIONS}/{ask(hooks)}").json()
    assert state["status"] == "completed"
    assert [result["systemError"] for result in state["results"]] == [True] * 10


def test_an_event_on_its_way_is_pending(hooks: Desk) -> None:
    hooks.pc.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, TEST_EVENT))
    state = hooks.call("GET", f"{VALIDATIONS}/{ask(hooks)}").json()
    assert (state["status"], state["results"]) == ("pending", [])


def test_only_a_registration_that_holds_the_event_is_tested(hooks: Desk) -> None:
    hooks.pc.register_events("https://localhost:9/api/events")
    refused = hooks.call("POST", VALIDATIONS)
    assert (refused.status, refused.json()["code"]) == (400, "800002")
    hooks.pc.dispatcher.registration = None
    assert hooks.call("POST", VALIDATIONS).status == 404


def test_two_tests_a_minute_are_enough(hooks: Desk) -> None:
    ask(hooks)
    ask(hooks)
    third = hooks.call("POST", VALIDATIONS)
    assert (third.status, third.json()["statusCode"]) == (429, 429)
    assert 0 < int(third.headers["Retry-After"]) <= 60
    hooks.pc.clock.advance(61)
    ask(hooks)


def test_a_state_is_kept_for_seven_days(hooks: Desk) -> None:
    correlation_id = ask(hooks)
    hooks.pc.clock.advance(7 * 86_400 - 60)
    hooks.token = hooks.pc.entra.issue_access_token(WEBHOOKS_AUDIENCE)
    assert hooks.call("GET", f"{VALIDATIONS}/{correlation_id}").status == 200
    hooks.pc.clock.advance(60)
    assert hooks.call("GET", f"{VALIDATIONS}/{correlation_id}").status == 404
    assert hooks.call("GET", f"{PATH}/validationEvents/unknown").status == 404


def test_the_answer_may_be_a_bare_string(hooks: Desk) -> None:
    hooks.pc.switches.validation_answer = "string"
    answer = hooks.call("POST", VALIDATIONS).json()
    assert isinstance(answer, str)
    assert hooks.call("GET", f"{VALIDATIONS}/{answer}").status == 200
