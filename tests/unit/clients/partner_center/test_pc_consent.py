"""Interactive sign-in with a scripted Entra ID: what is sent, and what an incomplete answer means."""

import time
from collections.abc import Iterator

import httpx
import pytest

from shared.clients.partner_center.consent import Consent
from shared.clients.partner_center.sign_in import REFERRALS_SCOPE, WEBHOOKS_SCOPE, AppRegistration
from shared.foundation.errors import ConsentNeeded, SignInFailed, Unavailable
from tests.unit.clients.partner_center.scripted_sign_in import TENANT, ScriptedEntra, refusal_response

DEVICE = {"user_code": "ABCD", "device_code": "d-1", "interval": 5, "expires_in": 900, "message": "open and type"}
REGISTRATION = AppRegistration(TENANT, "app-id", authority="https://login.example", scopes=(REFERRALS_SCOPE,))


@pytest.fixture
def entra() -> ScriptedEntra:
    return ScriptedEntra()


@pytest.fixture
def http(entra: ScriptedEntra) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.MockTransport(entra)) as http:
        yield http


@pytest.fixture
def consent(http: httpx.Client) -> Consent:
    return Consent(http, REGISTRATION, "secret-0")


def sign_in_by_browser(consent: Consent) -> object:
    flow = consent.begin_browser_sign_in("http://localhost:1")
    return consent.finish_browser_sign_in(flow, {"code": "c-1", "state": flow["state"]})


def test_a_code_is_redeemed_with_its_verifier_and_the_credential(consent: Consent, entra: ScriptedEntra) -> None:
    sign_in_by_browser(consent)

    form = entra.forms[0]
    assert (form["grant_type"], form["code"], form["client_secret"]) == ("authorization_code", "c-1", "secret-0")
    assert len(form["code_verifier"]) >= 43


def test_a_public_registration_sends_no_credential(http: httpx.Client, entra: ScriptedEntra) -> None:
    sign_in_by_browser(Consent(http, REGISTRATION, None))

    assert not entra.forms[0].keys() & {"client_secret", "client_assertion"}


@pytest.mark.parametrize("withheld", [None, "", 5])
def test_an_answer_without_a_refresh_token_is_not_a_consent(
    consent: Consent, entra: ScriptedEntra, withheld: object
) -> None:
    entra.script = [{"refresh_token": withheld}]

    with pytest.raises(ConsentNeeded) as refused:
        sign_in_by_browser(consent)

    assert refused.value.code == "refreshTokenWithheld"


@pytest.mark.parametrize(
    "answer", [{"access_token": None}, {"id_token": "half-a-token.x.y"}, httpx.Response(200, text="<html>")]
)
def test_an_answer_that_cannot_be_used_is_unavailable(
    consent: Consent, entra: ScriptedEntra, answer: dict[str, object] | httpx.Response
) -> None:
    entra.script = [answer]

    with pytest.raises(Unavailable) as unusable:
        sign_in_by_browser(consent)

    assert "half-a-token" not in str(unusable.value)


def test_a_code_with_another_state_is_never_redeemed(consent: Consent, entra: ScriptedEntra) -> None:
    with pytest.raises(Unavailable):
        consent.finish_browser_sign_in(
            consent.begin_browser_sign_in("http://localhost:1"), {"code": "c-1", "state": "another"}
        )

    assert entra.forms == []


@pytest.mark.parametrize(("answered", "newest"), [({}, "refresh-1"), ({"refresh_token": None}, "refresh-0")])
def test_a_redemption_returns_the_newest_refresh_token(
    consent: Consent, entra: ScriptedEntra, answered: dict[str, object], newest: str
) -> None:
    entra.script = [answered]

    assert consent.redeem_refresh_token("refresh-0", WEBHOOKS_SCOPE).refresh_token == newest
    assert WEBHOOKS_SCOPE in entra.forms[0]["scope"].split()


def test_slow_down_makes_the_interval_longer(
    http: httpx.Client, entra: ScriptedEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", iter(range(0, 10_000, 100)).__next__)
    consent = Consent(http, REGISTRATION, None)
    slow, pending = ({"error": error, "error_description": "wait"} for error in ("slow_down", "authorization_pending"))
    entra.script = [httpx.Response(200, json=DEVICE), httpx.Response(400, json=slow), httpx.Response(400, json=pending)]
    flow = consent.begin_device_sign_in()

    assert (consent.poll_device_sign_in(flow), flow["interval"]) == (None, 10)
    assert (consent.poll_device_sign_in(flow), flow["interval"]) == (None, 10)
    assert consent.poll_device_sign_in(flow) is not None


def test_a_refused_device_code_is_an_error(http: httpx.Client, entra: ScriptedEntra) -> None:
    entra.script = [refusal_response(700016, "unauthorized_client")]

    with pytest.raises(SignInFailed) as refused:
        Consent(http, REGISTRATION, None).begin_device_sign_in()

    assert refused.value.code == "AADSTS700016"


@pytest.mark.parametrize(("number", "known"), [(700027, False), (53003, True), (7000112, True)])
def test_only_an_unknown_certificate_fails_the_check(
    consent: Consent, entra: ScriptedEntra, number: int, known: bool
) -> None:
    entra.script = [refusal_response(number, "invalid_client")]

    if known:
        consent.check_credential()
    else:
        with pytest.raises(SignInFailed, match="AADSTS700027"):
            consent.check_credential()
