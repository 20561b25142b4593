"""A test event is requested, delivered as any other event, and its attempts can be read for a week."""

from collections.abc import Iterator

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from emulators.entra.tokens import WEBHOOKS_AUDIENCE
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from emulators.partner_center.events import NAMES, TEST_EVENT
from emulators.partner_center.webhooks import PATH, VALIDATIONS
from tests.unit.emulators.partner_center.referral_client import ReferralClient


class EventReceiver:
    """Records the requests. Answers with the statuses in `statuses` first, then with 202."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.of({}, self.statuses.pop(0) if self.statuses else 202)


@pytest.fixture
def receiver() -> EventReceiver:
    return EventReceiver()


@pytest.fixture
def client(emulator: PartnerCenterEmulator, receiver: EventReceiver, authority: Authority) -> Iterator[ReferralClient]:
    with Server(receiver.handle, tls=authority.server_context()) as server:
        emulator.dispatcher.ca_bundle = authority.bundle
        emulator.register_events(f"{server.url}/api/events", [*NAMES, TEST_EVENT])
        yield ReferralClient(emulator, emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE))


def request_test_event(client: ReferralClient) -> str:
    answer = client.call("POST", VALIDATIONS)
    assert answer.status == 200, answer.body
    assert client.emulator.dispatcher.wait_idle(60)
    return str(answer.json()["correlationId"])


def test_a_test_event_is_delivered_and_its_result_can_be_read(client: ReferralClient, receiver: EventReceiver) -> None:
    correlation_id = request_test_event(client)

    (request,) = receiver.requests
    assert request.json()["EventName"] == "test-created"
    assert request.json()["ResourceName"] == "test"
    assert request.json()["ResourceUri"] == f"http://api.partnercenter.microsoft.com{VALIDATIONS}/{correlation_id}"
    assert request.headers["x-ms-signature"].startswith("Signature ")
    state = client.call("GET", f"{VALIDATIONS}/{correlation_id}").json()
    assert set(state) == {"correlationId", "partnerId", "status", "callbackUrl", "results"}
    assert state["status"] == "completed"
    (result,) = state["results"]
    assert (result["responseCode"], result["systemError"]) == ("Accepted", False)


def test_each_attempt_has_a_result(client: ReferralClient, receiver: EventReceiver) -> None:
    receiver.statuses = [500, 401, 200]
    state = client.call("GET", f"{VALIDATIONS}/{request_test_event(client)}").json()
    assert [result["responseCode"] for result in state["results"]] == ["InternalServerError", "Unauthorized", "OK"]


def test_an_address_without_a_server_is_ten_system_errors(client: ReferralClient) -> None:
    client.emulator.register_events("https://localhost:9/api/events", [TEST_EVENT])
    state = client.call("GET", f"{VALIDATIONS}/{request_test_event(client)}").json()
    assert state["status"] == "completed"
    assert [result["systemError"] for result in state["results"]] == [True] * 10


def test_a_test_event_is_pending_until_it_is_delivered(client: ReferralClient) -> None:
    client.emulator.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, TEST_EVENT))
    state = client.call("GET", f"{VALIDATIONS}/{request_test_event(client)}").json()
    assert (state["status"], state["results"]) == ("pending", [])


def test_a_test_needs_a_registration_with_the_test_event(client: ReferralClient) -> None:
    client.emulator.register_events("https://localhost:9/api/events")
    refused = client.call("POST", VALIDATIONS)
    assert (refused.status, refused.json()["code"]) == (400, "800002")
    client.emulator.dispatcher.registration = None
    assert client.call("POST", VALIDATIONS).status == 404


def test_a_third_test_event_in_a_minute_is_throttled(client: ReferralClient) -> None:
    request_test_event(client)
    request_test_event(client)
    third = client.call("POST", VALIDATIONS)
    assert (third.status, third.json()["statusCode"]) == (429, 429)
    assert 0 < int(third.headers["Retry-After"]) <= 60
    client.emulator.clock.advance(61)
    request_test_event(client)


def test_the_result_is_kept_for_seven_days(client: ReferralClient) -> None:
    correlation_id = request_test_event(client)
    client.emulator.clock.advance(7 * 86_400 - 60)
    client.token = client.emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE)
    assert client.call("GET", f"{VALIDATIONS}/{correlation_id}").status == 200
    client.emulator.clock.advance(60)
    assert client.call("GET", f"{VALIDATIONS}/{correlation_id}").status == 404
    assert client.call("GET", f"{PATH}/validationEvents/unknown").status == 404


def test_a_switch_makes_the_answer_a_bare_string(client: ReferralClient) -> None:
    client.emulator.switches.validation_answer = "string"
    answer = client.call("POST", VALIDATIONS).json()
    assert isinstance(answer, str)
    assert client.call("GET", f"{VALIDATIONS}/{answer}").status == 200
