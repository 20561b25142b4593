"""The token endpoint redeems refresh tokens and app credentials, and fails on request."""

import json
from urllib.parse import urlencode

import jwt
import pytest

from emulators.base.server import Request, Response
from emulators.entra.emulator import CLIENT_ID, SECRET, TENANT, EntraEmulator
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE


def post_form(entra: EntraEmulator, version: str = "/v2.0", tenant: str = TENANT, **form: str) -> Response:
    fields = {"client_id": CLIENT_ID, "client_secret": SECRET, "grant_type": "refresh_token", **form}
    body = urlencode(fields).encode()
    return entra.handle(Request.of("POST", f"/{tenant}/oauth2{version}/token", {"Host": "localhost:1"}, body))


def redeem_refresh_token(entra: EntraEmulator, token: str, audience: str = REFERRALS_AUDIENCE) -> Response:
    return post_form(entra, refresh_token=token, scope=f"{audience}/.default offline_access openid profile")


def call_control(entra: EntraEmulator, path: str, body: object = None) -> Response:
    return entra.handle(Request.of("POST", f"/_control/{path}", {}, json.dumps(body).encode()))


def test_v2_answers_with_numbers_and_v1_with_text(entra: EntraEmulator) -> None:
    v2 = redeem_refresh_token(entra, entra.issue_refresh_token()).json()
    v1 = post_form(entra, version="", refresh_token=entra.issue_refresh_token(), resource=REFERRALS_AUDIENCE).json()

    assert v2["expires_in"] == 3599
    assert (v1["expires_in"], v1["resource"]) == ("3599", REFERRALS_AUDIENCE)
    assert int(v1["expires_on"]) > int(v1["not_before"])
    assert "resource" not in v2


def test_an_access_token_has_the_claims_that_the_services_check(entra: EntraEmulator) -> None:
    body = redeem_refresh_token(entra, entra.issue_refresh_token()).json()
    claims = entra.introspect(body["access_token"])

    assert claims["aud"] == REFERRALS_AUDIENCE
    assert (claims["tid"], claims["oid"], claims["appid"]) == (TENANT, entra.user.oid, CLIENT_ID)
    assert "mfa" in claims["amr"]
    assert claims["roles"] == ["ReferralsAdmin", "HelpdeskAgent"]
    keys = entra.handle(Request.of("GET", "/common/discovery/v2.0/keys", {})).json()["keys"]
    public = jwt.PyJWK(keys[0]).key
    assert jwt.decode(body["access_token"], public, ["RS256"], audience=REFERRALS_AUDIENCE)["oid"] == entra.user.oid


def test_one_refresh_token_gives_tokens_for_both_audiences(entra: EntraEmulator) -> None:
    token = entra.issue_refresh_token()
    for audience in (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE):
        body = redeem_refresh_token(entra, token, audience).json()
        assert entra.introspect(body["access_token"])["aud"] == audience


def test_a_redemption_returns_a_new_refresh_token_and_the_old_one_stays_valid(entra: EntraEmulator) -> None:
    first = entra.issue_refresh_token()
    second = redeem_refresh_token(entra, first).json()["refresh_token"]

    assert second != first
    assert redeem_refresh_token(entra, first).status == redeem_refresh_token(entra, second).status == 200


def test_a_setting_invalidates_the_old_token_or_withholds_the_new_one(entra: EntraEmulator) -> None:
    entra.settings.rotation = "invalidate"
    first = entra.issue_refresh_token()
    assert redeem_refresh_token(entra, first).status == 200
    assert redeem_refresh_token(entra, first).json()["error_codes"] == [70008]
    entra.settings.rotation = "withhold"
    assert "refresh_token" not in redeem_refresh_token(entra, entra.issue_refresh_token()).json()


def test_a_refresh_token_ends_after_ninety_days(entra: EntraEmulator) -> None:
    token = entra.issue_refresh_token()
    for _ in range(3):
        entra.clock.advance(29 * 86_400)
        assert redeem_refresh_token(entra, token).status == 200
    entra.clock.advance(4 * 86_400)

    refused = redeem_refresh_token(entra, token)
    assert (refused.status, refused.json()["error"], refused.json()["error_codes"]) == (400, "invalid_grant", [700082])


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (70008, 400, "invalid_grant"),
        (50173, 400, "invalid_grant"),
        (50076, 400, "interaction_required"),
        (7000222, 401, "invalid_client"),
        (90033, 503, "temporarily_unavailable"),
        (99999, 400, "invalid_grant"),
    ],
)
def test_the_next_refresh_fails_on_request(entra: EntraEmulator, code: int, status: int, error: str) -> None:
    token = entra.issue_refresh_token()
    assert call_control(entra, "next-refresh-fails", {"code": code}).status == 200

    refused = redeem_refresh_token(entra, token)

    assert (refused.status, refused.json()["error"], refused.json()["error_codes"]) == (status, error, [code])
    assert refused.json()["error_description"].startswith(f"AADSTS{code}: ")
    assert redeem_refresh_token(entra, token).status == 200


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"client_secret": "wrong"}, 7000215),
        ({"client_secret": ""}, 7000218),
        ({"client_id": "unknown"}, 700016),
        ({"client_id": ""}, 900144),
        ({"refresh_token": "unknown"}, 70000),
        ({"grant_type": "password"}, 70003),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, 70018),
        ({"scope": "openid"}, 70011),
        ({"scope": "https://graph.microsoft.com/.default"}, 500011),
        ({"tenant": "elsewhere"}, 90002),
    ],
)
def test_each_wrong_request_has_its_own_code(entra: EntraEmulator, form: dict[str, str], code: int) -> None:
    valid_form = {"refresh_token": entra.issue_refresh_token(), "scope": f"{REFERRALS_AUDIENCE}/.default"}

    refused = post_form(entra, **{**valid_form, **form})

    assert refused.status in (400, 401)
    assert refused.json()["error_codes"] == [code]


def test_a_body_that_is_not_a_form_is_refused(entra: EntraEmulator) -> None:
    refused = entra.handle(Request.of("POST", f"/{TENANT}/oauth2/v2.0/token", {}, b"\xff\xfe"))
    assert refused.json()["error_codes"] == [900144]


def test_a_resource_without_consent_is_refused(entra: EntraEmulator) -> None:
    entra.settings.consented = (REFERRALS_AUDIENCE,)
    assert redeem_refresh_token(entra, entra.issue_refresh_token(), WEBHOOKS_AUDIENCE).json()["error_codes"] == [65001]


def test_a_refresh_token_belongs_to_the_app_it_was_issued_to(entra: EntraEmulator) -> None:
    entra.register_app("another", secret="s2")
    refused = post_form(
        entra,
        client_id="another",
        client_secret="s2",
        refresh_token=entra.issue_refresh_token(),
        scope=f"{REFERRALS_AUDIENCE}/.default",
    )
    assert refused.json()["error_codes"] == [70000]


def test_an_app_can_sign_in_without_a_user(entra: EntraEmulator) -> None:
    body = post_form(entra, grant_type="client_credentials", scope=f"{WEBHOOKS_AUDIENCE}/.default").json()

    claims = entra.introspect(body["access_token"])
    assert (claims["idtyp"], claims["oid"]) == ("app", CLIENT_ID)
    assert "scp" not in claims
    assert "refresh_token" not in body


def test_control_calls_change_settings_and_apps(entra: EntraEmulator) -> None:
    changes = {"access_token_seconds": 60, "mfa": False, "roles": ["ReferralsUser"]}
    assert call_control(entra, "settings", changes).status == 200
    claims = entra.introspect(redeem_refresh_token(entra, entra.issue_refresh_token()).json()["access_token"])
    assert (claims["exp"] - claims["iat"], claims["amr"], claims["roles"]) == (60, ["pwd"], ["ReferralsUser"])

    assert call_control(entra, "settings", {"nonsense": 1}).status == 400
    assert call_control(entra, "settings", {"rotation": "never"}).status == 400
    assert call_control(entra, "apps", {"client_id": "b", "secrets": ["x"]}).status == 200
    assert redeem_refresh_token(entra, call_control(entra, "refresh-token").json()["refresh_token"]).status == 200
    assert call_control(entra, "revoke-access-tokens").status == 200
    assert call_control(entra, "nothing").status == 404


def test_token_calls_are_tagged_and_the_journal_holds_no_secret(entra: EntraEmulator) -> None:
    token = entra.issue_refresh_token()
    redeem_refresh_token(entra, token)

    assert [entry.tags for entry in entra.journal] == [("token",)]
    assert token not in repr(entra.journal)
    assert SECRET not in repr(entra.journal)
