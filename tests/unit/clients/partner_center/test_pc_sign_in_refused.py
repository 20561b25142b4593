"""Sign-ins that Entra ID refuses or answers in an unexpected way."""

import logging

import httpx
import pytest

from shared.foundation.errors import ConsentNeeded, CosellError, MfaRequired, SignInFailed, Throttled, Unavailable
from tests.unit.clients.partner_center.scripted_sign_in import SignInScene, Step, refusal_response


@pytest.mark.parametrize("number", [7000215, 7000222])
def test_a_rotated_client_secret_is_fetched_once(scene: SignInScene, number: int) -> None:
    scene.vault.get("secret")
    scene.vault.stored["secret"] = "secret-1"
    scene.entra.script = [refusal_response(number, "invalid_client")]

    assert scene.sign_in.token() == "access-2"
    assert [form["client_secret"] for form in scene.entra.forms] == ["secret-0", "secret-1"]


def test_a_refresh_token_that_another_instance_renewed_is_fetched_once(scene: SignInScene) -> None:
    scene.vault.get("rt")
    scene.vault.stored["rt"] = "refresh-of-another"
    scene.entra.script = [refusal_response(70008)]

    assert scene.sign_in.token() == "access-2"
    assert scene.redeemed_tokens == ["refresh-0", "refresh-of-another"]


def test_unchanged_secrets_are_not_tried_again(scene: SignInScene) -> None:
    scene.entra.script = [refusal_response(70008)]

    with pytest.raises(ConsentNeeded):
        scene.sign_in.token()

    assert (scene.redeemed_tokens, "rt" in scene.vault.fresh) == (["refresh-0"], True)


def test_a_failure_is_not_replayed_from_memory(scene: SignInScene) -> None:
    scene.entra.script = [refusal_response(70008)]
    with pytest.raises(ConsentNeeded):
        scene.sign_in.token()

    assert scene.sign_in.token() == "access-2"
    assert scene.redeemed_tokens == ["refresh-0", "refresh-0"]


def test_after_a_refused_renewal_the_old_token_is_not_used_again(scene: SignInScene) -> None:
    scene.sign_in.token()
    scene.entra.script = [refusal_response(50173)]
    with pytest.raises(ConsentNeeded):
        scene.sign_in.token(force=True)

    assert scene.sign_in.token() == "access-3"


@pytest.mark.parametrize(
    ("number", "error", "raised", "remedy"),
    [
        (70008, "invalid_grant", ConsentNeeded, "Sign in again"),
        (700082, "invalid_grant", ConsentNeeded, "Sign in again"),
        (50173, "invalid_grant", ConsentNeeded, "Sign in again"),
        (50076, "interaction_required", MfaRequired, "multi-factor"),
        (50079, "interaction_required", MfaRequired, "multi-factor"),
        (50078, "invalid_grant", MfaRequired, "multi-factor"),
        (50158, "interaction_required", MfaRequired, "multi-factor"),
        (53003, "access_denied", SignInFailed, "conditional access"),
        (65001, "invalid_grant", ConsentNeeded, "administrator to consent"),
        (700007, "invalid_client", SignInFailed, "client id"),
        (700016, "unauthorized_client", SignInFailed, "client id"),
        (7000215, "invalid_client", SignInFailed, "client secret"),
        (7000222, "invalid_client", SignInFailed, "client secret"),
        (50057, "invalid_grant", SignInFailed, "account"),
        (50034, "invalid_grant", SignInFailed, "account"),
        (50126, "invalid_grant", SignInFailed, "account"),
        (500011, "invalid_resource", SignInFailed, "permission"),
        (999999, "invalid_grant", ConsentNeeded, "Sign in again"),
        (999999, "odd", SignInFailed, "sign-in log"),
    ],
)
def test_a_refusal_names_code_and_remedy(
    scene: SignInScene, number: int, error: str, raised: type[SignInFailed], remedy: str
) -> None:
    scene.entra.script = [refusal_response(number, error)]

    with pytest.raises(SignInFailed) as refused:
        scene.sign_in.token()

    assert type(refused.value) is raised
    assert refused.value.code == f"AADSTS{number}"
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("number", [90033, 90024])
def test_a_temporary_refusal_is_unavailable(scene: SignInScene, number: int) -> None:
    scene.entra.script = [refusal_response(number, "temporarily_unavailable")]

    with pytest.raises(Unavailable):
        scene.sign_in.token()


def test_a_refusal_contains_nothing_personal(scene: SignInScene) -> None:
    text = (
        "User account 'Mrs Secret' (mrs.secret@contoso.example) from {EmailHidden} expired. Send Mrs Secret a mail."
        "\r\nTrace ID: trace-0\r\nCorrelation ID: trace-1 mrs.secret@contoso.example"
    )
    scene.entra.script = [refusal_response(50034, text=text)]

    with pytest.raises(SignInFailed) as refused:
        scene.sign_in.token()

    text = str(refused.value)
    assert text.endswith("AADSTS50034: User account … (…) from … expired.")
    assert not any(word in text for word in ("Secret", "secret@", "trace", "refresh-0", "secret-0"))


@pytest.mark.parametrize(
    ("step", "raised"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
        (httpx.Response(500), Unavailable),
        (httpx.Response(503, headers={"Retry-After": "7"}), Unavailable),
        (httpx.Response(429, headers={"Retry-After": "7"}, text="wait"), Throttled),
        (httpx.Response(302, headers={"Location": "https://evil.example"}), Unavailable),
        (httpx.Response(200, text="<html>welcome</html>"), Unavailable),
        (httpx.Response(200, text='{"access_token": "half-a-token'), Unavailable),
        (httpx.Response(200, text="[]"), Unavailable),
        (httpx.Response(200, json={}), Unavailable),
        ({"expires_in": "soon"}, Unavailable),
        ({"access_token": "a\r\nb"}, Unavailable),
        ({"access_token": None}, Unavailable),
        ({"id_token": "half-a-token.x.y"}, Unavailable),
        (httpx.Response(401, json={"error": ["x"], "error_codes": "?", "error_description": 5}), SignInFailed),
    ],
    ids=str,
)
def test_an_unexpected_answer_is_an_error_of_our_own_and_is_not_logged(
    scene: SignInScene, caplog: pytest.LogCaptureFixture, step: Step, raised: type[CosellError]
) -> None:
    scene.entra.script = [step]

    with caplog.at_level(logging.DEBUG), pytest.raises(raised) as error:
        scene.sign_in.token()

    assert not any(word in f"{error.value}{caplog.text}" for word in ("half-a-token", "refresh-0", "secret-0"))
    if isinstance(step, httpx.Response) and "Retry-After" in step.headers:
        assert getattr(error.value, "after", None) == 7
    assert scene.sign_in.token() == "access-2"
