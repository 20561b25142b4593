"""What a client library hides: challenges, refusals, faults and the control API."""

import json

import pytest

from emulators.base.server import Request
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from tests.unit.emulators.key_vault.vault_caller import API, VaultCaller


def test_a_call_without_a_token_gets_a_challenge(caller: VaultCaller) -> None:
    answer = caller.vault.handle(Request.of("GET", f"/secrets/one/?api-version={API}", {}))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer authorization="https://login.microsoftonline.com/')
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["error"]["code"] == "Unauthorized"


@pytest.mark.parametrize(
    "token", ["local", "a.b.c", "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCJ9."]
)
def test_a_made_up_token_is_refused(caller: VaultCaller, token: str) -> None:
    assert caller.call("GET", "/secrets/one/", token=token).status == 401


def test_a_token_of_another_endpoint_is_refused(caller: VaultCaller) -> None:
    stranger = VaultCaller(ManagedIdentity(header="other"), caller.vault)
    assert caller.call("GET", "/secrets/one/", token=stranger.get_token()).status == 401


def test_a_token_for_another_audience_is_refused(caller: VaultCaller) -> None:
    answer = caller.call("GET", "/secrets/one/", token=caller.get_token("https://storage.azure.com"))
    assert answer.status == 401
    assert "Invalid audience" in answer.json()["error"]["message"]


def test_a_token_older_than_a_day_is_refused(caller: VaultCaller) -> None:
    token = caller.get_token()
    caller.vault.clock.advance(86_401)
    assert caller.call("GET", "/secrets/one/", token=token).status == 401
    caller.identity.clock.advance(86_401)
    assert caller.call("GET", "/secrets/one/").status == 200


def test_a_missing_secret_and_a_missing_version_are_the_same_not_found(caller: VaultCaller) -> None:
    for target in ("/secrets/none/", "/secrets/one/0123", "/deletedsecrets/one"):
        answer = caller.call("GET", target)
        assert (answer.status, answer.json()["error"]["code"]) == (404, "SecretNotFound")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"value": 1}', b"{", b'{"value": "' + b"x" * 25_601 + b'"}'])
def test_a_body_that_is_not_a_secret_is_a_bad_request_and_changes_nothing(caller: VaultCaller, body: bytes) -> None:
    answer = caller.call("PUT", "/secrets/one", body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadParameter")
    assert caller.call("GET", "/secrets/one/").json()["value"] == "1"


def test_a_call_without_api_version_is_a_bad_request(caller: VaultCaller) -> None:
    headers = {"Authorization": f"Bearer {caller.get_token()}"}
    assert caller.vault.handle(Request.of("GET", "/secrets/one/", headers)).status == 400


def test_a_route_that_is_not_emulated_is_a_501_in_the_shape_of_the_service(caller: VaultCaller) -> None:
    answer = caller.call("POST", "/secrets/one/backup")
    assert (answer.status, answer.json()["error"]["code"]) == (501, "NotImplemented")


def test_the_control_api_throttles_as_many_calls_as_requested(caller: VaultCaller) -> None:
    body = json.dumps({"times": 2, "retry_after": 7}).encode()
    caller.vault.handle(Request.of("POST", "/_control/throttle", {}, body))
    answers = [caller.call("GET", "/secrets/one/") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["error"]["code"] == "Throttled"


def test_without_the_write_role_only_reads_are_allowed(caller: VaultCaller) -> None:
    caller.vault.handle(Request.of("POST", "/_control/access", {}, b'{"write": false}'))
    answer = caller.call("PUT", "/secrets/one", b'{"value": "2"}')
    assert (answer.status, answer.json()["error"]["innererror"]["code"]) == (403, "ForbiddenByRbac")
    assert caller.call("GET", "/secrets/one/").status == 200


def test_a_seed_repeats_the_version_ids_and_a_reset_restores_the_start(caller: VaultCaller) -> None:
    same_seed = KeyVault(caller.identity.tokens, secrets={"one": "1"})
    assert same_seed.secret_store.find("one").latest.id == caller.vault.secret_store.find("one").latest.id
    caller.vault.handle(Request.of("POST", "/_control/secrets", {}, b'{"name": "one", "value": "2"}'))
    assert caller.call("GET", "/secrets/one/").json()["value"] == "2"
    caller.vault.handle(Request.of("POST", "/_control/reset", {}))
    assert caller.call("GET", "/secrets/one/").json()["value"] == "1"


def test_no_value_reaches_the_journal(caller: VaultCaller) -> None:
    caller.call("PUT", "/secrets/one", b'{"value": "very secret"}')
    caller.call("GET", "/secrets/one/")
    journal = caller.vault.handle(Request.of("GET", "/_control/journal", {}))
    assert len(journal.json()) == 2
    assert b"very secret" not in journal.body
