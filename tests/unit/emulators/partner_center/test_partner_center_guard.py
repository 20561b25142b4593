import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import WEBHOOKS_AUDIENCE
from emulators.partner_center.control_api import make_service_fault
from emulators.partner_center.emulator import BASE
from tests.unit.emulators.partner_center.referral_desk import Desk, code, replace


def test_no_token_or_a_token_for_another_service_is_a_401(desk: Desk) -> None:
    for token in ("", "nonsense", desk.pc.entra.issue_access_token(WEBHOOKS_AUDIENCE)):
        desk.token = token
        response = desk.list()
        assert (response.status, code(response)) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_signed_by_somebody_else_is_a_401(desk: Desk) -> None:
    desk.token = EntraEmulator(seed=7).issue_access_token()
    assert desk.list().status == 401


def test_a_token_ends_by_its_life_and_by_revocation(desk: Desk) -> None:
    entra = desk.pc.entra
    assert desk.list().status == 200
    entra.clock.advance(3600)
    assert desk.list().status == 401
    desk.token = entra.issue_access_token()
    assert desk.list().status == 200
    entra.revoke_access_tokens()
    assert desk.list().status == 401


def test_a_token_without_mfa_is_a_401_of_its_own_kind(desk: Desk) -> None:
    desk.pc.entra.settings.mfa = False
    desk.token = desk.pc.entra.issue_access_token()

    response = desk.list()

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert response.json()["error"]["innerError"]["code"] == "900421"


def test_app_only_a_foreign_tenant_and_no_role_are_a_403(desk: Desk) -> None:
    entra = desk.pc.entra
    tokens = [
        entra.issue_access_token(app_only=True),
        entra.issue_access_token(tid="other"),
        entra.issue_access_token(roles=[]),
    ]
    for desk.token in tokens:
        response = desk.list()
        assert (response.status, code(response)) == (403, "accessDenied")


def test_a_referrals_user_sees_only_the_deals_of_his_team(desk: Desk) -> None:
    other = desk.created()
    person = {"firstName": "I", "lastName": "G", "phoneNumber": "+45", "email": "Integration@contoso.example"}
    mine = desk.created(team=[person])

    desk.token = desk.pc.entra.issue_access_token(roles=["ReferralsUser"])

    assert [r["id"] for r in desk.list().json()["value"]] == [mine["id"]]
    assert (desk.get(mine["id"]).status, desk.get(other["id"]).status) == (200, 404)


def test_the_mfa_self_test_is_answered(desk: Desk) -> None:
    assert desk.call("GET", BASE, ValidateMfa="true").headers["isMfaCompliant"] == "true"


def test_every_answer_has_a_request_id_and_echoes_the_clients(desk: Desk) -> None:
    good, bad = desk.list(), desk.get("unknown")
    assert len({good.headers["Request-ID"], bad.headers["Request-ID"]}) == 2
    assert desk.call("GET", BASE, client_request_id="abc").headers["client-request-id"] == "abc"


def test_other_media_are_refused(desk: Desk) -> None:
    assert desk.call("GET", BASE, Accept="text/html").status == 406
    assert desk.call("POST", BASE, {}, Content_Type="text/plain").status == 415


@pytest.mark.parametrize(
    "path", ["/", "/v1.0/referrals", "/engagements/v1/referrals/x", "/v1.0/engagements/referralsx"]
)
def test_other_paths_are_not_found(desk: Desk, path: str) -> None:
    response = desk.call("GET", path)
    assert (response.status, code(response)) == (404, "itemNotFound")


def test_the_webhook_host_answers_in_its_own_error_shape(desk: Desk) -> None:
    response = desk.call("GET", "/webhooks/v1/registration")
    assert response.status == 401
    assert set(response.json()) == {"code", "description", "data", "source"}


def test_known_troubles_answer_as_the_service_and_its_gateways_do(desk: Desk) -> None:
    desk.pc.faults += [
        make_service_fault("throttled", retry_after=9),
        make_service_fault("bad-gateway"),
        make_service_fault("unavailable"),
    ]

    throttled, gateway, unavailable = desk.list(), desk.list(), desk.list()

    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "9")
    assert throttled.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 9 seconds."}
    assert (gateway.status, gateway.body[:6]) == (502, b"<html>")
    assert unavailable.json()["error"]["code"] == "serviceNotAvailable"
    assert desk.list().status == 200


def test_a_lost_reply_leaves_the_referral_behind(desk: Desk) -> None:
    desk.pc.faults.append(Fault(FaultKind.DROP_AFTER, method="POST"))

    assert desk.create().close is True
    assert len(desk.pc.referrals()) == 1


def test_calls_are_tagged_by_operation(desk: Desk) -> None:
    record = desk.created()
    desk.get(record["id"])
    desk.patch(record["id"], replace("/salesStage", "20"))
    desk.list()
    desk.call("PUT", f"{BASE}/{record['id']}")

    assert [entry.tags for entry in desk.pc.journal] == [("create",), ("get",), ("patch",), ("list",), ()]


def test_a_reset_is_as_the_start(desk: Desk) -> None:
    first = desk.created()["id"]
    desk.pc.switches.page_size = 3
    desk.pc.register_events("https://localhost:9/api/events")

    desk.pc.handle(Request.of("POST", "/_control/reset", {}))

    assert (desk.pc.referrals(), desk.pc.switches.page_size, desk.pc.dispatcher.registration) == ([], 100, None)
    assert desk.created()["id"] == first
