"""A tenant has one registration, which is replaced as a whole; errors have the webhook host's own shape."""

import json
from typing import Any

import pytest

from emulators.base.server import Request, Response
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.events import KNOWN_NAMES, NAMES
from emulators.partner_center.webhooks import PATH
from tests.unit.emulators.partner_center.referral_client import ReferralClient

URL = "https://func-contoso.example/api/events"
REGISTRATION = {"WebhookUrl": URL, "WebhookEvents": [*NAMES, "test-created"], "SignatureTokenToMsSignatureHeader": True}


@pytest.fixture
def client(emulator: PartnerCenterEmulator) -> ReferralClient:
    return ReferralClient(emulator, emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE))


def send_registration(client: ReferralClient, *, method: str = "PUT", **changes: object) -> Response:
    return client.call(method, PATH, {**REGISTRATION, **changes})


def error_of(response: Response) -> tuple[int, str]:
    """Return status and code of an error, after a check of its shape."""
    body: dict[str, Any] = response.json()
    assert set(body) == {"code", "description", "data", "source"}
    return response.status, body["code"]


def test_the_list_of_events_is_the_documented_one(client: ReferralClient) -> None:
    events = client.call("GET", f"{PATH}/events").json()
    assert {*NAMES, "test-created", "invoice-ready"} <= set(events)
    assert len(events) == len(set(events)) == 26


def test_a_registration_is_created_once_and_then_replaced_as_a_whole(client: ReferralClient) -> None:
    assert error_of(client.call("GET", PATH)) == (404, "404")
    assert error_of(send_registration(client)) == (404, "404")

    created = send_registration(client, method="POST")
    assert (created.status, set(created.json())) == (200, {"SubscriberId", "WebhookUrl", "WebhookEvents"})
    assert error_of(send_registration(client, method="POST")) == (409, "409")

    assert (
        send_registration(client, WebhookUrl="https://other.example/x?code=1", WebhookEvents=["invoice-ready"]).status
        == 200
    )
    shown = client.call("GET", PATH).json()
    assert "SubscriberId" not in shown
    assert (shown["WebhookUrl"], shown["WebhookEvents"]) == ("https://other.example/x?code=1", ["invoice-ready"])


def test_the_dispatcher_uses_the_registration(client: ReferralClient, emulator: PartnerCenterEmulator) -> None:
    send_registration(client, method="POST", SignatureTokenToMsSignatureHeader="true")

    assert emulator.dispatcher.registration is not None
    assert (emulator.dispatcher.registration.url, emulator.dispatcher.registration.x_ms_signature) == (URL, True)
    send_registration(client, SignatureTokenToMsSignatureHeader=False)
    assert emulator.dispatcher.registration.x_ms_signature is False
    emulator.register_events("https://by-control.example/", ["referral-created"])
    assert client.call("GET", PATH).json()["WebhookUrl"] == "https://by-control.example/"


def test_names_are_read_in_any_case_and_a_switch_writes_them_in_camel_case(client: ReferralClient) -> None:
    client.emulator.switches.webhook_names = "camel"
    created = client.call("POST", PATH, {"webhookurl": URL, "WEBHOOKEVENTS": ["Referral-Created"]})

    assert set(created.json()) == {"subscriberId", "webhookUrl", "webhookEvents"}
    shown = client.call("GET", PATH).json()
    assert shown["webhookEvents"] == ["referral-created"]
    assert shown["signatureTokenToMsSignatureHeader"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"WebhookEvents": ["referral-vanished"]},
        {"WebhookEvents": [1]},
        {"WebhookEvents": "referral-created"},
        {"WebhookUrl": "http://func-contoso.example/"},
        {"WebhookUrl": "https://["},
        {"WebhookUrl": "https://func-contoso.example:port/"},
        {"WebhookUrl": None},
        {"SignatureTokenToMsSignatureHeader": "perhaps"},
    ],
)
def test_an_invalid_registration_is_refused_and_the_old_one_stays(
    client: ReferralClient, changes: dict[str, object]
) -> None:
    send_registration(client, method="POST")
    assert error_of(client.call("PUT", PATH, {**REGISTRATION, **changes})) == (400, "800002")
    assert client.call("GET", PATH).json()["WebhookUrl"] == URL


def test_a_switch_decides_whether_the_list_of_events_may_be_empty(client: ReferralClient) -> None:
    send_registration(client, method="POST")
    assert send_registration(client, WebhookEvents=[]).status == 200
    client.emulator.switches.empty_event_list = False
    assert error_of(send_registration(client, WebhookEvents=[])) == (400, "800002")


def test_a_registration_cannot_be_deleted(client: ReferralClient) -> None:
    send_registration(client, method="POST")
    assert error_of(client.call("DELETE", PATH)) == (405, "405")
    assert error_of(client.call("GET", "/webhooks/v1/other")) == (404, "404")


def test_a_body_that_is_not_json_is_refused(client: ReferralClient) -> None:
    assert error_of(client.call("POST", PATH, ["no registration"])) == (400, "800002")


def test_app_only_tokens_are_accepted_and_tokens_of_users_need_mfa(client: ReferralClient) -> None:
    entra = client.emulator.entra
    for token, status, code in (
        ("", 401, "800001"),
        ("nonsense", 401, "400"),
        (entra.issue_access_token(REFERRALS_AUDIENCE), 401, "400"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, amr=["pwd"]), 401, "900421"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, tid="other"), 403, "403"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, roles=[]), 403, "403"),
    ):
        client.token = token
        response = client.call("GET", f"{PATH}/events")
        assert error_of(response) == (status, code)
        assert ("WWW-Authenticate" in response.headers) is (status == 401)
    client.token = entra.issue_access_token(WEBHOOKS_AUDIENCE, app_only=True)
    assert client.call("GET", f"{PATH}/events").status == 200


@pytest.mark.parametrize("role", ["BillingAdmin", "AdminAgent", "SalesAgent", "HelpdeskAgent"])
def test_each_documented_role_may_register(client: ReferralClient, role: str) -> None:
    client.token = client.emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE, roles=[role])
    assert send_registration(client, method="POST").status == 200


@pytest.mark.parametrize("role", ["ReferralsAdmin", "ReferralsUser", "GlobalAdmin"])
def test_another_role_may_not_register(client: ReferralClient, role: str) -> None:
    client.token = client.emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE, roles=[role])
    assert error_of(send_registration(client, method="POST")) == (403, "403")
    assert client.emulator.dispatcher.registration is None


def test_every_answer_has_correlation_headers(client: ReferralClient) -> None:
    response = client.call("GET", PATH, MS_CorrelationId="mine")
    assert response.headers["MS-CorrelationId"] == "mine"
    assert {"MS-RequestId", "X-Locale"} <= set(response.headers)
    assert client.emulator.journal[-1].tags == ("registration",) or client.emulator.journal[-1].status == 404


def test_the_same_seed_gives_the_same_answers(emulator: PartnerCenterEmulator, client: ReferralClient) -> None:
    first = send_registration(client, method="POST").body
    emulator.handle(Request("POST", "/_control/reset"))
    assert send_registration(client, method="POST").body == first
    assert json.loads(first)["WebhookEvents"] == [*NAMES, "test-created"]
    assert KNOWN_NAMES[: len(NAMES)] == NAMES
