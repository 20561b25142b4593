"""The registration API: one slot, replaced as a whole, in the webhook host's own words."""

import json
from typing import Any

import pytest

from emulators.base.server import Request, Response
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.events import KNOWN_NAMES, NAMES
from emulators.partner_center.webhooks import PATH
from tests.unit.emulators.partner_center.referral_desk import Desk

URL = "https://func-contoso.example/api/events"
WANTED = {"WebhookUrl": URL, "WebhookEvents": [*NAMES, "test-created"], "SignatureTokenToMsSignatureHeader": True}


@pytest.fixture
def hooks(pc: PartnerCenterEmulator) -> Desk:
    return Desk(pc, pc.entra.issue_access_token(WEBHOOKS_AUDIENCE))


def put(hooks: Desk, *, method: str = "PUT", **changes: object) -> Response:
    return hooks.call(method, PATH, {**WANTED, **changes})


def told(response: Response) -> tuple[int, str]:
    body: dict[str, Any] = response.json()
    assert set(body) == {"code", "description", "data", "source"}
    return response.status, body["code"]


def test_the_events_are_those_that_are_documented(hooks: Desk) -> None:
    events = hooks.call("GET", f"{PATH}/events").json()
    assert {*NAMES, "test-created", "invoice-ready"} <= set(events)
    assert len(events) == len(set(events)) == 25


def test_a_registration_is_made_once_then_replaced_as_a_whole(hooks: Desk) -> None:
    assert told(hooks.call("GET", PATH)) == (404, "404")
    assert told(put(hooks)) == (404, "404")

    made = put(hooks, method="POST")
    assert (made.status, set(made.json())) == (200, {"SubscriberId", "WebhookUrl", "WebhookEvents"})
    assert told(put(hooks, method="POST")) == (409, "409")

    assert put(hooks, WebhookUrl="https://other.example/x?code=1", WebhookEvents=["invoice-ready"]).status == 200
    shown = hooks.call("GET", PATH).json()
    assert "SubscriberId" not in shown
    assert (shown["WebhookUrl"], shown["WebhookEvents"]) == ("https://other.example/x?code=1", ["invoice-ready"])


def test_the_slot_is_the_one_that_the_dispatcher_serves(hooks: Desk, pc: PartnerCenterEmulator) -> None:
    put(hooks, method="POST", SignatureTokenToMsSignatureHeader="true")

    assert pc.dispatcher.registration is not None
    assert (pc.dispatcher.registration.url, pc.dispatcher.registration.x_ms_signature) == (URL, True)
    put(hooks, SignatureTokenToMsSignatureHeader=False)
    assert pc.dispatcher.registration.x_ms_signature is False
    pc.register_events("https://by-control.example/", ["referral-created"])
    assert hooks.call("GET", PATH).json()["WebhookUrl"] == "https://by-control.example/"


def test_names_are_read_in_any_case_and_written_in_camel_case_by_a_switch(hooks: Desk) -> None:
    hooks.pc.switches.webhook_names = "camel"
    made = hooks.call("POST", PATH, {"webhookurl": URL, "WEBHOOKEVENTS": ["Referral-Created"]})

    assert set(made.json()) == {"subscriberId", "webhookUrl", "webhookEvents"}
    shown = hooks.call("GET", PATH).json()
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
def test_what_is_no_registration_is_refused_and_the_slot_stays(hooks: Desk, changes: dict[str, object]) -> None:
    put(hooks, method="POST")
    assert told(hooks.call("PUT", PATH, {**WANTED, **changes})) == (400, "800002")
    assert hooks.call("GET", PATH).json()["WebhookUrl"] == URL


def test_an_empty_list_of_events_is_taken_or_not_by_a_switch(hooks: Desk) -> None:
    put(hooks, method="POST")
    assert put(hooks, WebhookEvents=[]).status == 200
    hooks.pc.switches.empty_event_list = False
    assert told(put(hooks, WebhookEvents=[])) == (400, "800002")


def test_a_registration_cannot_be_deleted(hooks: Desk) -> None:
    put(hooks, method="POST")
    assert told(hooks.call("DELETE", PATH)) == (405, "405")
    assert told(hooks.call("GET", "/webhooks/v1/other")) == (404, "404")


def test_a_body_that_is_not_json_is_refused(hooks: Desk) -> None:
    assert told(hooks.call("POST", PATH, ["no registration"])) == (400, "800002")


def test_app_only_tokens_are_let_in_and_users_without_mfa_are_not(hooks: Desk) -> None:
    entra = hooks.pc.entra
    for token, status, code in (
        ("", 401, "800001"),
        ("nonsense", 401, "400"),
        (entra.issue_access_token(REFERRALS_AUDIENCE), 401, "400"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, amr=["pwd"]), 401, "900421"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, tid="other"), 403, "403"),
        (entra.issue_access_token(WEBHOOKS_AUDIENCE, roles=[]), 403, "403"),
    ):
        hooks.token = token
        response = hooks.call("GET", f"{PATH}/events")
        assert told(response) == (status, code)
        assert ("WWW-Authenticate" in response.headers) is (status == 401)
    hooks.token = entra.issue_access_token(WEBHOOKS_AUDIENCE, app_only=True)
    assert hooks.call("GET", f"{PATH}/events").status == 200


def test_every_answer_names_the_call(hooks: Desk) -> None:
    response = hooks.call("GET", PATH, MS_CorrelationId="mine")
    assert response.headers["MS-CorrelationId"] == "mine"
    assert {"MS-RequestId", "X-Locale"} <= set(response.headers)
    assert hooks.pc.journal[-1].tags == ("registration",) or hooks.pc.journal[-1].status == 404


def test_a_seed_gives_the_same_answers(pc: PartnerCenterEmulator, hooks: Desk) -> None:
    first = put(hooks, method="POST").body
    pc.handle(Request("POST", "/_control/reset"))
    assert put(hooks, method="POST").body == first
    assert json.loads(first)["WebhookEvents"] == [*NAMES, "test-created"]
    assert KNOWN_NAMES[: len(NAMES)] == NAMES
