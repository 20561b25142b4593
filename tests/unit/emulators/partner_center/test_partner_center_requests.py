"""Tokens, roles, headers and media types are checked, and faults answer in documented shapes."""

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import WEBHOOKS_AUDIENCE
from emulators.partner_center.control_api import make_service_fault
from emulators.partner_center.emulator import BASE
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation


def test_no_token_or_a_token_for_another_service_is_a_401(client: ReferralClient) -> None:
    for token in ("", "nonsense", client.emulator.entra.issue_access_token(WEBHOOKS_AUDIENCE)):
        client.token = token
        response = client.list()
        assert (response.status, error_code(response)) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_of_another_issuer_is_a_401(client: ReferralClient) -> None:
    client.token = EntraEmulator(seed=7).issue_access_token()
    assert client.list().status == 401


def test_a_token_ends_when_it_expires_or_is_revoked(client: ReferralClient) -> None:
    entra = client.emulator.entra
    assert client.list().status == 200
    entra.clock.advance(3600)
    assert client.list().status == 401
    client.token = entra.issue_access_token()
    assert client.list().status == 200
    entra.revoke_access_tokens()
    assert client.list().status == 401


def test_a_token_without_mfa_is_a_401_of_its_own_kind(client: ReferralClient) -> None:
    client.emulator.entra.settings.mfa = False
    client.token = client.emulator.entra.issue_access_token()

    response = client.list()

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert response.json()["error"]["innerError"]["code"] == "900421"


def test_an_app_only_token_a_foreign_tenant_or_no_role_is_a_403(client: ReferralClient) -> None:
    entra = client.emulator.entra
    tokens = [
        entra.issue_access_token(app_only=True),
        entra.issue_access_token(tid="other"),
        entra.issue_access_token(roles=[]),
    ]
    for client.token in tokens:
        response = client.list()
        assert (response.status, error_code(response)) == (403, "accessDenied")


def test_a_referrals_user_sees_only_the_deals_of_their_team(client: ReferralClient) -> None:
    other = client.create()
    person = {"firstName": "I", "lastName": "G", "phoneNumber": "+45", "email": "Integration@contoso.example"}
    mine = client.create(team=[person])

    client.token = client.emulator.entra.issue_access_token(roles=["ReferralsUser"])

    assert [r["id"] for r in client.list().json()["value"]] == [mine["id"]]
    assert (client.get(mine["id"]).status, client.get(other["id"]).status) == (200, 404)


def test_the_mfa_self_test_is_answered(client: ReferralClient) -> None:
    assert client.call("GET", BASE, ValidateMfa="true").headers["isMfaCompliant"] == "true"


def test_every_answer_has_a_request_id_and_returns_the_clients_own(client: ReferralClient) -> None:
    good, bad = client.list(), client.get("unknown")
    assert len({good.headers["Request-ID"], bad.headers["Request-ID"]}) == 2
    assert client.call("GET", BASE, client_request_id="abc").headers["client-request-id"] == "abc"


def test_other_media_are_refused(client: ReferralClient) -> None:
    assert client.call("GET", BASE, Accept="text/html").status == 406
    assert client.call("POST", BASE, {}, Content_Type="text/plain").status == 415


@pytest.mark.parametrize(
    "path", ["/", "/v1.0/referrals", "/engagements/v1/referrals/x", "/v1.0/engagements/referralsx"]
)
def test_other_paths_are_not_found(client: ReferralClient, path: str) -> None:
    response = client.call("GET", path)
    assert (response.status, error_code(response)) == (404, "itemNotFound")


def test_the_webhook_host_answers_in_its_own_error_shape(client: ReferralClient) -> None:
    response = client.call("GET", "/webhooks/v1/registration")
    assert response.status == 401
    assert set(response.json()) == {"code", "description", "data", "source"}


def test_service_faults_have_the_answers_of_the_service_and_its_gateways(client: ReferralClient) -> None:
    client.emulator.faults += [
        make_service_fault("throttled", retry_after=9),
        make_service_fault("bad-gateway"),
        make_service_fault("unavailable"),
    ]

    throttled, gateway, unavailable = client.list(), client.list(), client.list()

    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "9")
    assert throttled.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 9 seconds."}
    assert (gateway.status, gateway.body[:6]) == (502, b"<html>")
    assert unavailable.json()["error"]["code"] == "serviceNotAvailable"
    assert client.list().status == 200


def test_a_lost_reply_leaves_the_referral_behind(client: ReferralClient) -> None:
    client.emulator.faults.append(Fault(FaultKind.DROP_AFTER, method="POST"))

    assert client.try_create().close is True
    assert len(client.emulator.referrals()) == 1


def test_a_refused_change_is_never_answered_with_an_empty_success(client: ReferralClient) -> None:
    record = client.create()
    client.emulator.faults.append(Fault(FaultKind.ANSWER_AFTER, method="PATCH", times=2, status=204))
    operation = replace_operation("/details/notes", "Seen")

    refused = client.patch(record["id"], operation, **{"If-Match": '"another"'})
    assert refused.status == 412
    taken = client.patch(record["id"], operation, **{"If-Match": record["eTag"]})
    assert (taken.status, taken.body) == (204, b"")


def test_calls_are_tagged_by_operation(client: ReferralClient) -> None:
    record = client.create()
    client.get(record["id"])
    client.patch(record["id"], replace_operation("/salesStage", "20"))
    client.list()
    client.call("PUT", f"{BASE}/{record['id']}")

    assert [entry.tags for entry in client.emulator.journal] == [("create",), ("get",), ("patch",), ("list",), ()]


def test_a_reset_restores_the_state_of_the_start(client: ReferralClient) -> None:
    first = client.create()["id"]
    client.emulator.switches.page_size = 3
    client.emulator.register_events("https://localhost:9/api/events")

    client.emulator.handle(Request.of("POST", "/_control/reset", {}))

    assert (
        client.emulator.referrals(),
        client.emulator.switches.page_size,
        client.emulator.dispatcher.registration,
    ) == ([], 100, None)
    assert client.create()["id"] == first
