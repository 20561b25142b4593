"""Sign-in in the browser with an authorization code and PKCE (docs/reference/salesforce.md#sign-in-in-the-browser)."""

import base64
import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.client_apps import App
from tests.unit.emulators.salesforce.control_calls import control

CALLBACK = "http://localhost:8717/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
QUERY = {
    "response_type": "code", "client_id": "browser-app", "redirect_uri": CALLBACK, "scope": "api", "state": "s",
    "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip
FORM = {
    "grant_type": "authorization_code", "client_id": "browser-app", "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
}  # fmt: skip
ADMINISTRATOR, SELLER = "ada.admin@partner.example", "sam.seller@partner.example"


@pytest.fixture
def org(emulator: SalesforceEmulator) -> SalesforceEmulator:
    control(emulator, "browser_app", consumer_key="browser-app", callbacks=[CALLBACK], usernames=[ADMINISTRATOR])
    return emulator


def open_page(org: SalesforceEmulator, **changes: str) -> Response:
    return org.handle(Request.of("GET", f"/services/oauth2/authorize?{urlencode(QUERY | changes)}", {}))


def type_name(org: SalesforceEmulator, username: str = ADMINISTRATOR, **changes: str) -> Response:
    target, body = f"/services/oauth2/authorize?{urlencode(QUERY | changes)}", urlencode({"username": username})
    return org.handle(Request.of("POST", target, {}, body.encode()))


def answer_in(response: Response) -> dict[str, str]:
    """What the browser takes back to the app."""
    assert response.status == 302, response.body
    address = urlsplit(response.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == CALLBACK
    return dict(parse_qsl(address.query))


def redeem(org: SalesforceEmulator, code: str, /, **changes: str) -> Response:
    body = urlencode({**FORM, "code": code} | changes).encode()
    return org.handle(Request.of("POST", "/services/oauth2/token", {"Host": "acme.example"}, body))


def refusal(response: Response) -> tuple[int, str, str]:
    document = response.json()
    return response.status, document["error"], document["error_description"]


def test_a_code_of_the_page_gives_a_session_of_the_person(org: SalesforceEmulator) -> None:
    assert b'name="username"' in open_page(org).body
    answer = answer_in(type_name(org))
    assert answer["state"] == "s"
    document = redeem(org, answer["code"]).json()
    assert document["id"].endswith(org.founding.administrator)
    assert document["instance_url"] == "https://acme.example"
    assert "refresh_token" not in document
    headers = {"Authorization": f"Bearer {document['access_token']}"}
    assert org.handle(Request.of("GET", "/services/data/v66.0/sobjects", headers)).status == 200


def test_a_wrong_client_or_callback_is_told_on_the_page_because_there_is_no_way_back(org: SalesforceEmulator) -> None:
    for changes, error in (
        ({"client_id": "unknown"}, "error=invalid_client_id&error_description=client+identifier+invalid"),
        ({"redirect_uri": "http://localhost:8718/callback"}, "error=redirect_uri_mismatch&error_description="),
        ({"redirect_uri": f"{CALLBACK}/"}, "error=redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:8717/callback"}, "error=redirect_uri_mismatch"),
    ):
        for response in (open_page(org, **changes), type_name(org, **changes)):
            assert response.status == 400
            assert error in response.body.decode()


def test_the_key_of_the_jwt_app_opens_no_page_that_leads_to_this_machine(emulator: SalesforceEmulator) -> None:
    emulator.oauth.apps["jwt-app"] = App(None, ["integration@partner.example"])
    assert b"redirect_uri_mismatch" in open_page(emulator, client_id="jwt-app").body


@pytest.mark.parametrize("changes", [{"code_challenge": ""}, {"code_challenge_method": "plain"}])
def test_a_sign_in_without_pkce_goes_back_with_an_error(org: SalesforceEmulator, changes: dict[str, str]) -> None:
    answer = answer_in(open_page(org, **changes))
    assert answer == {
        "error": "invalid_request", "error_description": "missing required code challenge", "state": "s",
    }  # fmt: skip


def test_a_user_whom_the_app_does_not_admit_goes_back_with_an_error(org: SalesforceEmulator) -> None:
    answer = answer_in(type_name(org, SELLER))
    assert answer["error"] == "OAUTH_APP_ACCESS_DENIED"
    assert answer["error_description"] == "user is not admin approved to access this app"
    control(org, "admit", consumer_key="browser-app", username=SELLER)
    assert "code" in answer_in(type_name(org, SELLER))


def test_an_unknown_or_inactive_user_stays_on_the_page(org: SalesforceEmulator) -> None:
    assert b"Please check your username and password" in type_name(org, "nobody@partner.example").body
    org.edit("User", org.founding.administrator, {"IsActive": False}, user=org.founding.administrator)
    assert b"Please check your username and password" in type_name(org).body


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_verifier": "w" * 43}, (400, "invalid_grant", "invalid code verifier")),
        ({"code_verifier": ""}, (400, "invalid_grant", "invalid code verifier")),
        ({"client_id": "unknown"}, (400, "invalid_client_id", "client identifier invalid")),
        (
            {"redirect_uri": "http://localhost:1/callback"},
            (400, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        ),
        ({"code": "aPrxOTHER"}, (400, "invalid_grant", "invalid authorization code")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", "grant type not supported")),
    ],
)
def test_a_code_is_given_only_to_who_asked_for_it(
    org: SalesforceEmulator, changes: dict[str, str], expected: tuple[int, str, str]
) -> None:
    code = answer_in(type_name(org))["code"]
    assert refusal(redeem(org, code, **changes)) == expected
    assert redeem(org, code).status == 200


def test_a_code_of_another_app_is_refused(org: SalesforceEmulator) -> None:
    control(org, "browser_app", consumer_key="other", callbacks=[CALLBACK], usernames=[ADMINISTRATOR])
    code = answer_in(type_name(org))["code"]
    assert refusal(redeem(org, code, client_id="other")) == (400, "invalid_grant", "invalid authorization code")


def test_a_code_works_once_and_for_fifteen_minutes(org: SalesforceEmulator) -> None:
    first, second = (answer_in(type_name(org))["code"] for _ in range(2))
    assert redeem(org, first).status == 200
    expired = (400, "invalid_grant", "expired authorization code")
    assert refusal(redeem(org, first)) == expired
    org.clock.advance(15 * 60)
    assert refusal(redeem(org, second)) == expired


def test_a_revoked_session_ends(org: SalesforceEmulator) -> None:
    token = redeem(org, answer_in(type_name(org))["code"]).json()["access_token"]
    for status in (200, 400):
        answer = org.handle(Request.of("POST", "/services/oauth2/revoke", {}, urlencode({"token": token}).encode()))
        assert answer.status == status
    assert answer.json()["error"] == "invalid_token"
    headers = {"Authorization": f"Bearer {token}"}
    assert org.handle(Request.of("GET", "/services/data/v66.0/sobjects", headers)).status == 401


def test_registered_apps_survive_a_reset(org: SalesforceEmulator) -> None:
    org.reset_state()
    assert redeem(org, answer_in(type_name(org))["code"]).status == 200
