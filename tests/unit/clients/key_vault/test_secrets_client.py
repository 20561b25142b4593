"""The real code, with its credential, against both emulators over sockets and TLS."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache

from emulators.base.certificate_authority import Authority
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Server
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import CLIENT_ID, ManagedIdentity
from shared.clients.key_vault.secrets_client import RemoteSecrets
from shared.clients.key_vault.secrets_port import SecretFacts
from shared.clients.key_vault.vault import Vault
from shared.foundation.errors import ConfigurationError, CosellError, NotFound, SignInFailed, Throttled, Unavailable
from tests.no_waits import no_waits

HTML = "<html><body>gateway</body></html>"


@dataclass
class EmulatedVault:
    identity: ManagedIdentity
    vault: KeyVault
    url: str
    bundle: Path
    stack: ExitStack

    def open_secrets(self, client_id: str = CLIENT_ID, *, timeout: float = 10) -> RemoteSecrets:
        secrets = RemoteSecrets(self.url, client_id=client_id, ca_bundle=self.bundle, timeout=timeout)
        self.stack.callback(secrets.close)
        return secrets

    def answered_statuses(self) -> list[int]:
        return [entry.status for entry in self.vault.journal]

    def add_fault(self, kind: FaultKind = FaultKind.ANSWER, *, times: int = 1, **how: object) -> None:
        self.vault.faults.append(Fault(kind, times=times, **how))  # type: ignore[arg-type]  # the fields depend on the fault


@pytest.fixture
def emulated(authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmulatedVault]:
    identity = ManagedIdentity()
    vault = KeyVault(identity.tokens, secrets={"one": "first secret"})
    http_challenge_cache.clear()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with (
        no_waits(),
        Server(identity.handle) as identity_server,
        Server(vault.handle, tls=authority.server_context()) as server,
        ExitStack() as stack,
    ):
        for name, value in identity.environment_variables(identity_server.url).items():
            monkeypatch.setenv(name, value)
        yield EmulatedVault(identity, vault, server.url, authority.bundle, stack)


def test_the_managed_identity_opens_the_vault_with_three_calls_and_then_one(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets()
    assert secrets.read("one") == "first secret"
    assert emulated.answered_statuses() == [401, 200]
    asked = emulated.identity.journal[0]
    assert asked.query == {
        "api-version": "2019-08-01", "resource": "https://vault.azure.net", "client_id": CLIENT_ID
    }  # fmt: skip
    secrets.write("one", "second secret")
    assert (secrets.read("one"), emulated.answered_statuses(), len(emulated.identity.journal)) == (
        "second secret", [401, 200, 200, 200], 1
    )  # fmt: skip


def test_the_dates_of_a_secret_are_read(emulated: EmulatedVault) -> None:
    vault, ends = Vault(emulated.open_secrets()), datetime(2027, 3, 31, 12, tzinfo=UTC)
    emulated.vault.clock.set(datetime(2026, 11, 1, 8, tzinfo=UTC))
    vault.set("one", "second secret", expires=ends)

    assert vault.read_facts("one") == SecretFacts(datetime(2026, 11, 1, 8, tzinfo=UTC), ends)
    assert emulated.vault.secret_store.find("one").latest.attributes["exp"] == int(ends.timestamp())
    with pytest.raises(NotFound):
        vault.read_facts("none")


def test_the_vault_caches_a_secret_and_reads_it_again_on_demand(emulated: EmulatedVault) -> None:
    vault = Vault(emulated.open_secrets())
    assert (vault.get("one"), vault.get("one")) == ("first secret", "first secret")
    emulated.vault.secret_store.put("one", {"value": "rotated"})
    assert (vault.get("one"), vault.get_fresh("one")) == ("first secret", "rotated")
    assert emulated.answered_statuses() == [401, 200, 200]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("none", NotFound, "Secret none is not in the vault"),
        ("my_secret", ConfigurationError, "letters, digits and hyphens"),
        ("off", ConfigurationError, "disabled"),
    ],
)
def test_a_secret_that_cannot_be_read_is_named(
    emulated: EmulatedVault, name: str, error: type[CosellError], message: str
) -> None:
    emulated.vault.secret_store.put("off", {"value": "x", "attributes": {"enabled": False}})
    with pytest.raises(error, match=message):
        emulated.open_secrets().read(name)
    assert len(emulated.vault.journal) == 2


def test_a_deleted_name_cannot_be_set_and_the_error_names_the_remedy(emulated: EmulatedVault) -> None:
    emulated.vault.secret_store.delete("one")
    with pytest.raises(ConfigurationError, match="Recover it, or purge it first"):
        emulated.open_secrets().write("one", "hidden value")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [(503, "", {}), (429, "", {"Retry-After": "0"}), (500, HTML, {}), (200, HTML, {}), (200, "", {}), (200, "{}", {})],
)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_two_bad_answers_are_tolerated_and_a_third_is_not(
    emulated: EmulatedVault, status: int, body: str, headers: dict[str, str], times: int
) -> None:
    secrets = emulated.open_secrets()
    secrets.read("one")
    emulated.add_fault(times=times, status=status, body=body, headers=headers)
    if times < 3:
        assert secrets.read("one") == "first secret"
    else:
        with pytest.raises(Throttled if status == 429 else Unavailable) as failed:
            secrets.read("one")
        assert "gateway" not in str(failed.value)
    assert len(emulated.vault.journal) == 2 + min(times + 1, 3)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.TRUNCATE])
def test_a_lost_or_broken_answer_is_requested_again(emulated: EmulatedVault, kind: FaultKind) -> None:
    secrets = emulated.open_secrets()
    emulated.add_fault(kind, skip=1, times=2)
    assert secrets.read("one") == "first secret"
    emulated.add_fault(kind, times=2)
    secrets.write("one", "rotated")
    assert secrets.read("one") == "rotated"


def test_a_vault_that_breaks_off_every_answer_is_unavailable(emulated: EmulatedVault) -> None:
    emulated.add_fault(FaultKind.TRUNCATE, times=9)
    with pytest.raises(Unavailable) as failed:
        emulated.open_secrets().read("one")
    assert "first" not in str(failed.value)


def test_a_long_wait_is_left_to_the_caller(emulated: EmulatedVault) -> None:
    emulated.vault.throttle(times=3, retry_after=30)
    with pytest.raises(Throttled) as failed:
        emulated.open_secrets().read("one")
    assert (failed.value.after, emulated.answered_statuses()) == (30, [429])


def test_a_slow_vault_is_abandoned_within_the_total_time(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets(timeout=0.2)
    emulated.add_fault(FaultKind.DELAY, seconds=20, times=3)
    with pytest.raises(Unavailable):
        secrets.read("one")


def test_a_withdrawn_role_fails_with_the_remedy_after_one_call(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets()
    secrets.read("one")
    emulated.vault.access.read = False
    with pytest.raises(SignInFailed, match="ForbiddenByRbac") as failed:
        secrets.read("one")
    assert (failed.value.code, "role Key Vault Secrets Officer" in failed.value.remedy) == ("ForbiddenByRbac", True)
    assert emulated.answered_statuses() == [401, 200, 403]


def test_an_identity_that_is_not_assigned_is_a_failed_sign_in(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets("5c0e1100-0000-4000-8000-000000000bad")
    with pytest.raises(SignInFailed) as failed:
        secrets.read("one")
    assert (failed.value.code, "Assign" in failed.value.remedy) == ("managed_identity_400", True)
    assert len(emulated.identity.journal) == 1


@pytest.mark.parametrize("name", ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"])
def test_without_a_managed_identity_no_other_endpoint_is_tried(
    emulated: EmulatedVault, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SignInFailed) as failed:
        emulated.open_secrets().read("one")
    assert (failed.value.code, emulated.vault.journal) == ("managed_identity_missing", [])


def test_the_same_vault_works_after_the_identity_is_corrected(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets()
    emulated.identity.faults.append(Fault(FaultKind.ANSWER, status=401, body='{"statusCode": 401, "message": "no"}'))
    with pytest.raises(SignInFailed, match="managed_identity_401"):
        secrets.read("one")
    assert secrets.read("one") == "first secret"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.ANSWER, status=500, body='{"statusCode": 500, "message": "busy"}'),
        Fault(FaultKind.ANSWER, status=503, body=HTML),
        Fault(FaultKind.ANSWER, status=200, body=HTML),
        Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "3"}),
        Fault(FaultKind.TRUNCATE),
        Fault(FaultKind.DROP),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_an_identity_endpoint_that_fails_temporarily_is_tried_again(emulated: EmulatedVault, fault: Fault) -> None:
    emulated.identity.faults.append(fault)
    assert emulated.open_secrets().read("one") == "first secret"
    assert len(emulated.identity.journal) == 2


def test_a_token_that_the_vault_refuses_is_replaced_at_once(emulated: EmulatedVault) -> None:
    secrets = emulated.open_secrets()
    secrets.read("one")
    emulated.identity.clock.advance(90_000)
    emulated.vault.clock.advance(90_000)
    assert secrets.read("one") == "first secret"
    assert len(emulated.identity.journal) == 2


def test_a_vault_that_refuses_every_token_fails_after_one_new_token(emulated: EmulatedVault) -> None:
    emulated.vault.clock.advance(90_000)
    secrets = emulated.open_secrets()
    for _ in range(2):
        with pytest.raises(SignInFailed) as failed:
            secrets.read("one")
        assert failed.value.code == "Unauthorized"
    assert len(emulated.identity.journal) == 2


def test_neither_secret_nor_token_is_logged(emulated: EmulatedVault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "azure")  # an app made earlier in this process has raised this level
    secrets = emulated.open_secrets()
    secrets.write("one", "very secret")
    secrets.read("one")
    emulated.add_fault(times=3, status=503)
    with pytest.raises(Unavailable):
        secrets.read("one")
    assert "/secrets/one" in caplog.text
    for hidden in ("very secret", emulated.identity.header, "eyJ"):
        assert hidden not in caplog.text
