"""Authorization codes and device codes: who can redeem them, how often, and for how long."""

import base64
import hashlib
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from emulators.base.server import Request, Response
from emulators.entra.app_registrations import AppRegistration
from emulators.entra.emulator import CLIENT_ID, SECRET, TENANT, EntraEmulator
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE

REDIRECT = "http://localhost:4711"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = f"{REFERRALS_AUDIENCE}/.default offline_access openid"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def request_authorization(entra: EntraEmulator, **more: str) -> Response:
    query = {
        "client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT, "scope": SCOPE, "state": "s&1",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", **more,
    }  # fmt: skip
    return entra.handle(Request.of("GET", f"/{TENANT}/oauth2/v2.0/authorize?{urlencode(query)}", {}))


def read_redirect(answer: Response) -> dict[str, str]:
    assert answer.status == 302
    location = urlsplit(answer.headers["Location"])
    assert f"{location.scheme}://{location.netloc}" == REDIRECT
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def post_form(entra: EntraEmulator, end: str, **form: str) -> dict[str, Any]:
    body = urlencode(form).encode()
    answer: dict[str, Any] = entra.handle(Request.of("POST", f"/{TENANT}/oauth2/v2.0/{end}", {}, body)).json()
    return answer


def redeem_code(entra: EntraEmulator, code: str, **more: str) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "client_secret": SECRET, "code": code,
            "redirect_uri": REDIRECT, "code_verifier": VERIFIER, "scope": SCOPE, **more}  # fmt: skip
    return post_form(entra, "token", **form)


def test_a_code_becomes_tokens_of_the_user_and_a_refresh_token(entra: EntraEmulator) -> None:
    back = read_redirect(request_authorization(entra, nonce="n-1"))
    assert back["state"] == "s&1"

    answer = redeem_code(entra, back["code"])

    claims = entra.introspect(answer["access_token"])
    assert (claims["aud"], claims["amr"], claims["scp"]) == (REFERRALS_AUDIENCE, ["pwd", "mfa"], "user_impersonation")
    assert entra.key.read_claims(answer["id_token"])["nonce"] == "n-1"
    assert answer["refresh_token"]


def test_form_post_returns_the_same_values_in_a_form(entra: EntraEmulator) -> None:
    page = request_authorization(entra, response_mode="form_post").body.decode()

    assert f'action="{REDIRECT}"' in page
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert fields["state"] == "s&1"
    assert "access_token" in redeem_code(entra, fields["code"])


def test_without_offline_access_there_is_no_refresh_token(entra: EntraEmulator) -> None:
    back = read_redirect(request_authorization(entra, scope=f"{REFERRALS_AUDIENCE}/.default"))

    assert "refresh_token" not in redeem_code(entra, back["code"])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"code_verifier": "w" * 43}, 501481),
        ({"redirect_uri": "http://localhost:4712"}, 500112),
        ({"client_secret": "wrong"}, 7000215),
        ({"client_secret": ""}, 7000218),
        ({"code": "0.ACguessed"}, 70000),
        ({"client_id": "another", "client_secret": "its-own"}, 70000),
    ],
)
def test_a_code_is_valid_only_for_its_app_address_and_verifier(
    entra: EntraEmulator, more: dict[str, str], code: int
) -> None:
    entra.register_app("another", secret="its-own")

    answer = redeem_code(entra, **{"code": read_redirect(request_authorization(entra))["code"], **more})

    assert answer["error_codes"] == [code]


def test_a_code_is_valid_once_and_for_ten_minutes(entra: EntraEmulator) -> None:
    first, second = (read_redirect(request_authorization(entra))["code"] for _ in range(2))
    redeem_code(entra, first)
    assert redeem_code(entra, first)["error_codes"] == [54005]

    entra.clock.advance(601)
    assert redeem_code(entra, second)["error_codes"] == [70008]


@pytest.mark.parametrize(
    ("settings", "more", "error", "code"),
    [
        ({"person": "refuses"}, {}, "access_denied", 65004),
        ({"consented": (WEBHOOKS_AUDIENCE,)}, {}, "invalid_grant", 65001),
        ({"audiences": (WEBHOOKS_AUDIENCE,)}, {}, "invalid_resource", 500011),
        ({}, {"scope": "openid"}, "invalid_scope", 70011),
        ({}, {"code_challenge_method": "plain"}, "invalid_request", 9002325),
    ],
)
def test_a_refusal_is_sent_back_to_the_app(
    entra: EntraEmulator, settings: dict[str, object], more: dict[str, str], error: str, code: int
) -> None:
    for name, value in settings.items():
        setattr(entra.settings, name, value)

    back = read_redirect(request_authorization(entra, **more))

    assert (back["error"], back["state"]) == (error, "s&1")
    assert back["error_description"].startswith(f"AADSTS{code}: ")


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uri": "https://evil.example"},
        {"redirect_uri": "http://127.0.0.1:4711"},
        {"redirect_uri": "http://localhost.evil.example"},
        {"redirect_uri": "http://localhost/elsewhere"},
        {"redirect_uri": "http://[localhost"},
        {"client_id": "unknown"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
    ],
)
def test_nothing_is_sent_to_an_address_that_the_app_has_not_registered(
    entra: EntraEmulator, more: dict[str, str]
) -> None:
    answer = request_authorization(entra, **more)

    assert (answer.status, "Location" in answer.headers) == (400, False)


def test_a_person_who_waits_stays_on_the_page(entra: EntraEmulator) -> None:
    entra.settings.person = "waits"

    assert request_authorization(entra).status == 200


@pytest.mark.parametrize("at", ["authorize", "token", "devicecode"])
def test_a_planned_failure_happens_once_at_its_place(entra: EntraEmulator, at: str) -> None:
    body = f'{{"code": 53003, "at": "{at}"}}'.encode()
    assert entra.handle(Request.of("POST", "/_control/next-sign-in-fails", {}, body)).status == 200

    def sign_in() -> dict[str, Any]:
        started = post_form(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
        back = read_redirect(request_authorization(entra))
        return {"devicecode": started, "authorize": back, "token": redeem_code(entra, back.get("code", ""))}

    assert "53003" in str(sign_in()[at])
    assert "53003" not in str(sign_in())


def test_a_failure_at_an_unknown_place_is_refused(entra: EntraEmulator) -> None:
    answer = entra.handle(Request.of("POST", "/_control/next-sign-in-fails", {}, b'{"code": 1, "at": "home"}'))
    assert answer.status == 400


@pytest.fixture
def entra_with_public_app(entra: EntraEmulator) -> EntraEmulator:
    entra.apps[CLIENT_ID] = AppRegistration(CLIENT_ID, public=True)
    return entra


def poll_device_code(entra: EntraEmulator, code: str, **more: str) -> dict[str, Any]:
    return post_form(entra, "token", grant_type=DEVICE_GRANT, client_id=CLIENT_ID, device_code=code, **more)


def test_a_device_code_becomes_tokens_after_the_person_has_signed_in(entra_with_public_app: EntraEmulator) -> None:
    entra_with_public_app.settings.person = "waits"
    started = post_form(entra_with_public_app, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert started["user_code"] in started["message"]
    assert poll_device_code(entra_with_public_app, started["device_code"])["error"] == "authorization_pending"

    entra_with_public_app.settings.person = "consents"
    assert {"access_token", "refresh_token"} <= set(poll_device_code(entra_with_public_app, started["device_code"]))


@pytest.mark.parametrize(
    ("person", "seconds", "device", "error"),
    [
        ("refuses", 0, None, "access_denied"),
        ("consents", 901, None, "expired_token"),
        ("consents", 0, "DCguessed", "bad_verification_code"),
    ],
)
def test_a_device_code_can_fail(
    entra_with_public_app: EntraEmulator, person: str, seconds: float, device: str | None, error: str
) -> None:
    entra_with_public_app.settings.person = person
    started = post_form(entra_with_public_app, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    entra_with_public_app.clock.advance(seconds)

    assert poll_device_code(entra_with_public_app, device or started["device_code"])["error"] == error


def test_a_device_code_is_for_public_apps_that_send_no_credential(entra: EntraEmulator) -> None:
    started = post_form(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert poll_device_code(entra, started["device_code"])["error_codes"] == [7000218]

    entra.apps[CLIENT_ID] = AppRegistration(CLIENT_ID, public=True)
    started = post_form(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert poll_device_code(entra, started["device_code"], client_secret=SECRET)["error_codes"] == [700025]
