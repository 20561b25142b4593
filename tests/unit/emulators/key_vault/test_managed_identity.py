"""The endpoint gives tokens to a caller that sends the right header and names the assigned identity."""

import pytest

from emulators.base.server import Request
from emulators.managed_identity.emulator import CLIENT_ID, ManagedIdentity, TokenRejected, Tokens

QUERY = {"api-version": "2019-08-01", "resource": "https://vault.azure.net", "client_id": CLIENT_ID}


def token_target(**changed: str) -> str:
    query = {**QUERY, **{name.replace("_version", "-version"): value for name, value in changed.items()}}
    return "/msi/token?" + "&".join(f"{name}={value}" for name, value in query.items() if value)


def test_the_right_header_and_identity_get_a_token_for_the_resource() -> None:
    identity = ManagedIdentity(header="h")
    answer = identity.handle(Request.of("GET", token_target(), {"X-IDENTITY-HEADER": "h"})).json()
    assert (answer["token_type"], answer["resource"]) == ("Bearer", "https://vault.azure.net")
    now = identity.clock.now().timestamp()
    assert int(answer["expires_on"]) == pytest.approx(now + 86_400, abs=5)
    claims = Tokens("h").verify(answer["access_token"], audience="https://vault.azure.net", now=now)
    assert claims["appid"] == CLIENT_ID


@pytest.mark.parametrize("headers", [{}, {"X-IDENTITY-HEADER": "guess"}])
def test_without_the_right_header_there_is_no_token(headers: dict[str, str]) -> None:
    answer = ManagedIdentity(header="h").handle(Request.of("GET", token_target(), headers))
    assert (answer.status, "access_token" in answer.json()) == (401, False)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"client_id": "5c0e1100-0000-4000-8000-000000000bad"}, 400),
        ({"client_id": ""}, 400),
        ({"resource": ""}, 400),
        ({"api_version": "2017-09-01"}, 400),
    ],
)
def test_an_unknown_identity_or_a_malformed_request_is_refused(changed: dict[str, str], status: int) -> None:
    answer = ManagedIdentity(header="h").handle(Request.of("GET", token_target(**changed), {"X-IDENTITY-HEADER": "h"}))
    assert (answer.status, answer.json()["statusCode"]) == (status, status)


def test_a_token_is_accepted_for_its_audience_and_until_it_expires() -> None:
    tokens = Tokens("h")
    token = tokens.issue({"aud": "a", "exp": 100})
    assert tokens.verify(token, audience="a", now=99)["aud"] == "a"
    for audience, now in (("b", 99), ("a", 100)):
        with pytest.raises(TokenRejected):
            tokens.verify(token, audience=audience, now=now)
