"""What no client library shows: challenges, refusals, faults and the control API."""

import json

import pytest

from emulators.base.server import Request
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from tests.unit.emulators.key_vault.key_vault_bench import API, Bench


def test_a_call_without_token_is_told_where_to_get_one(bench: Bench) -> None:
    answer = bench.vault.handle(Request.of("GET", f"/secrets/one/?api-version={API}", {}))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer authorization="https://login.microsoftonline.com/')
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["error"]["code"] == "Unauthorized"


@pytest.mark.parametrize(
    "token", ["local", "a.b.c", "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCJ9."]
)
def test_a_made_up_token_opens_nothing(bench: Bench, token: str) -> None:
    assert bench.ask("GET", "/secrets/one/", token=token).status == 401


def test_a_token_of_another_endpoint_opens_nothing(bench: Bench) -> None:
    stranger = Bench(ManagedIdentity(header="other"), bench.vault)
    assert bench.ask("GET", "/secrets/one/", token=stranger.token()).status == 401


def test_a_token_for_another_audience_opens_nothing(bench: Bench) -> None:
    answer = bench.ask("GET", "/secrets/one/", token=bench.token("https://storage.azure.com"))
    assert answer.status == 401
    assert "Invalid audience" in answer.json()["error"]["message"]


def test_a_token_older_than_a_day_opens_nothing(bench: Bench) -> None:
    token = bench.token()
    bench.vault.clock.advance(86_401)
    assert bench.ask("GET", "/secrets/one/", token=token).status == 401
    bench.identity.clock.advance(86_401)
    assert bench.ask("GET", "/secrets/one/").status == 200


def test_a_missing_secret_and_a_missing_version_are_the_same_not_found(bench: Bench) -> None:
    for target in ("/secrets/none/", "/secrets/one/0123", "/deletedsecrets/one"):
        answer = bench.ask("GET", target)
        assert (answer.status, answer.json()["error"]["code"]) == (404, "SecretNotFound")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"value": 1}', b"{", b'{"value": "' + b"x" * 25_601 + b'"}'])
def test_a_body_that_is_no_secret_is_a_bad_request_and_changes_nothing(bench: Bench, body: bytes) -> None:
    answer = bench.ask("PUT", "/secrets/one", body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadParameter")
    assert bench.ask("GET", "/secrets/one/").json()["value"] == "1"


def test_a_call_without_api_version_is_a_bad_request(bench: Bench) -> None:
    headers = {"Authorization": f"Bearer {bench.token()}"}
    assert bench.vault.handle(Request.of("GET", "/secrets/one/", headers)).status == 400


def test_what_is_not_emulated_says_so_in_the_services_shape(bench: Bench) -> None:
    answer = bench.ask("POST", "/secrets/one/backup")
    assert (answer.status, answer.json()["error"]["code"]) == (501, "NotImplemented")


def test_throttling_by_the_control_api_strikes_as_often_as_asked(bench: Bench) -> None:
    wanted = json.dumps({"times": 2, "retry_after": 7}).encode()
    bench.vault.handle(Request.of("POST", "/_control/throttle", {}, wanted))
    answers = [bench.ask("GET", "/secrets/one/") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["error"]["code"] == "Throttled"


def test_a_withdrawn_role_forbids_what_it_covered(bench: Bench) -> None:
    bench.vault.handle(Request.of("POST", "/_control/access", {}, b'{"write": false}'))
    answer = bench.ask("PUT", "/secrets/one", b'{"value": "2"}')
    assert (answer.status, answer.json()["error"]["innererror"]["code"]) == (403, "ForbiddenByRbac")
    assert bench.ask("GET", "/secrets/one/").status == 200


def test_a_seed_repeats_the_version_ids_and_a_reset_restores_the_start(bench: Bench) -> None:
    twin = KeyVault(bench.identity.tokens, secrets={"one": "1"})
    assert twin.secret_store.find("one").latest.id == bench.vault.secret_store.find("one").latest.id
    bench.vault.handle(Request.of("POST", "/_control/secrets", {}, b'{"name": "one", "value": "2"}'))
    assert bench.ask("GET", "/secrets/one/").json()["value"] == "2"
    bench.vault.handle(Request.of("POST", "/_control/reset", {}))
    assert bench.ask("GET", "/secrets/one/").json()["value"] == "1"


def test_no_value_reaches_the_journal(bench: Bench) -> None:
    bench.ask("PUT", "/secrets/one", b'{"value": "very secret"}')
    bench.ask("GET", "/secrets/one/")
    journal = bench.vault.handle(Request.of("GET", "/_control/journal", {}))
    assert len(journal.json()) == 2
    assert b"very secret" not in journal.body
