"""The interactive half of the emulated Entra ID: what a code is worth, to whom, and for how long."""

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

BACK = "http://localhost:4711"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = f"{REFERRALS_AUDIENCE}/.default offline_access openid"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def authorize(entra: EntraEmulator, **more: str) -> Response:
    asked = {
        "client_id": CLIENT_ID, "response_type": "code", "redirect_uri": BACK, "scope": SCOPE, "state": "s&1",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", **more,
    }  # fmt: skip
    return entra.handle(Request.of("GET", f"/{TENANT}/oauth2/v2.0/authorize?{urlencode(asked)}", {}))


def brought_back(answer: Response) -> dict[str, str]:
    assert answer.status == 302
    location = urlsplit(answer.headers["Location"])
    assert f"{location.scheme}://{location.netloc}" == BACK
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def post(entra: EntraEmulator, end: str, **form: str) -> dict[str, Any]:
    body = urlencode(form).encode()
    answer: dict[str, Any] = entra.handle(Request.of("POST", f"/{TENANT}/oauth2/v2.0/{end}", {}, body)).json()
    return answer


def redeem(entra: EntraEmulator, code: str, **more: str) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "client_secret": SECRET, "code": code,
            "redirect_uri": BACK, "code_verifier": VERIFIER, "scope": SCOPE, **more}  # fmt: skip
    return post(entra, "token", **form)


def test_a_code_becomes_tokens_of_the_user_and_a_refresh_token(entra: EntraEmulator) -> None:
    back = brought_back(authorize(entra, nonce="n-1"))
    assert back["state"] == "s&1"

    answer = redeem(entra, back["code"])

    claims = entra.introspect(answer["access_token"])
    assert (claims["aud"], claims["amr"], claims["scp"]) == (REFERRALS_AUDIENCE, ["pwd", "mfa"], "user_impersonation")
    assert entra.key.read_claims(answer["id_token"])["nonce"] == "n-1"
    assert answer["refresh_token"]


def test_a_form_brings_the_same_back(entra: EntraEmulator) -> None:
    page = authorize(entra, response_mode="form_post").body.decode()

    assert f'action="{BACK}"' in page
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert fields["state"] == "s&1"
    assert "access_token" in redeem(entra, fields["code"])


def test_without_offline_access_there_is_no_refresh_token(entra: EntraEmulator) -> None:
    back = brought_back(authorize(entra, scope=f"{REFERRALS_AUDIENCE}/.default"))

    assert "refresh_token" not in redeem(entra, back["code"])


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
def test_a_code_counts_for_its_own_app_address_and_verifier(
    entra: EntraEmulator, more: dict[str, str], code: int
) -> None:
    entra.register_app("another", secret="its-own")

    answer = redeem(entra, **{"code": brought_back(authorize(entra))["code"], **more})

    assert answer["error_codes"] == [code]


def test_a_code_counts_once_and_not_for_long(entra: EntraEmulator) -> None:
    first, second = (brought_back(authorize(entra))["code"] for _ in range(2))
    redeem(entra, first)
    assert redeem(entra, first)["error_codes"] == [54005]

    entra.clock.advance(601)
    assert redeem(entra, second)["error_codes"] == [70008]


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
def test_a_refusal_is_brought_back_to_the_app(
    entra: EntraEmulator, settings: dict[str, object], more: dict[str, str], error: str, code: int
) -> None:
    for name, value in settings.items():
        setattr(entra.settings, name, value)

    back = brought_back(authorize(entra, **more))

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
def test_nothing_is_brought_to_an_address_that_is_not_the_apps(entra: EntraEmulator, more: dict[str, str]) -> None:
    answer = authorize(entra, **more)

    assert (answer.status, "Location" in answer.headers) == (400, False)


def test_a_person_who_waits_sees_a_page(entra: EntraEmulator) -> None:
    entra.settings.person = "waits"

    assert authorize(entra).status == 200


@pytest.mark.parametrize("at", ["authorize", "token", "devicecode"])
def test_a_sign_in_fails_where_it_was_told_to_and_once(entra: EntraEmulator, at: str) -> None:
    body = f'{{"code": 53003, "at": "{at}"}}'.encode()
    assert entra.handle(Request.of("POST", "/_control/next-sign-in-fails", {}, body)).status == 200

    def sign_in() -> dict[str, Any]:
        asked = post(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
        back = brought_back(authorize(entra))
        return {"devicecode": asked, "authorize": back, "token": redeem(entra, back.get("code", ""))}

    assert "53003" in str(sign_in()[at])
    assert "53003" not in str(sign_in())


def test_nothing_fails_at_an_unknown_place(entra: EntraEmulator) -> None:
    answer = entra.handle(Request.of("POST", "/_control/next-sign-in-fails", {}, b'{"code": 1, "at": "home"}'))
    assert answer.status == 400


@pytest.fixture
def public(entra: EntraEmulator) -> EntraEmulator:
    entra.apps[CLIENT_ID] = AppRegistration(CLIENT_ID, public=True)
    return entra


def poll(entra: EntraEmulator, code: str, **more: str) -> dict[str, Any]:
    return post(entra, "token", grant_type=DEVICE_GRANT, client_id=CLIENT_ID, device_code=code, **more)


def test_a_device_code_becomes_tokens_when_the_person_is_done(public: EntraEmulator) -> None:
    public.settings.person = "waits"
    asked = post(public, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert asked["user_code"] in asked["message"]
    assert poll(public, asked["device_code"])["error"] == "authorization_pending"

    public.settings.person = "consents"
    assert {"access_token", "refresh_token"} <= set(poll(public, asked["device_code"]))


@pytest.mark.parametrize(
    ("person", "seconds", "device", "error"),
    [
        ("refuses", 0, None, "access_denied"),
        ("consents", 901, None, "expired_token"),
        ("consents", 0, "DCguessed", "bad_verification_code"),
    ],
)
def test_a_device_code_may_come_to_nothing(
    public: EntraEmulator, person: str, seconds: float, device: str | None, error: str
) -> None:
    public.settings.person = person
    asked = post(public, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    public.clock.advance(seconds)

    assert poll(public, device or asked["device_code"])["error"] == error


def test_a_device_code_is_for_public_apps_which_show_no_credential(entra: EntraEmulator) -> None:
    asked = post(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert poll(entra, asked["device_code"])["error_codes"] == [7000218]

    entra.apps[CLIENT_ID] = AppRegistration(CLIENT_ID, public=True)
    asked = post(entra, "devicecode", client_id=CLIENT_ID, scope=SCOPE)
    assert poll(entra, asked["device_code"], client_secret=SECRET)["error_codes"] == [700025]
