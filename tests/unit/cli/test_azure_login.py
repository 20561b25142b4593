"""The Azure CLI login opens Key Vault and Table Storage on a person's machine, which has no managed identity."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from shared.cli.environment import Environment
from shared.clients.key_vault.secrets_client import RemoteSecrets
from shared.clients.key_vault.vault import Vault
from shared.foundation.errors import SignInFailed, StoreUnavailable
from shared.store.table_storage_rows import open_tables
from tests.no_waits import no_waits
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

VAULT = "https://vault.azure.net"


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name, raising=False)
    return put_on_path(tmp_path / "bin", monkeypatch)


@pytest.fixture
def vault_address(authority: Authority, identity: ManagedIdentity) -> Iterator[str]:
    vault = KeyVault(identity.tokens, secrets={"one": "first secret"})
    http_challenge_cache.clear()
    with no_waits(), Server(vault.handle, tls=authority.server_context()) as server:
        yield server.url


@pytest.fixture
def identity() -> ManagedIdentity:
    return ManagedIdentity()


def token_answer(identity: ManagedIdentity) -> dict[str, object]:
    end = int(time.time()) + 3600
    claims = {"aud": VAULT, "exp": end, "nbf": datetime.now(UTC).timestamp(), "oid": "a person"}
    return {"accessToken": identity.tokens.issue(claims), "expires_on": end}


def test_the_vault_opens_with_the_login_of_the_azure_cli(
    az: StandInAz, identity: ManagedIdentity, vault_address: str, authority: Authority
) -> None:
    az.answer("account get-access-token", token_answer(identity))
    secrets = RemoteSecrets(vault_address, client_id="none", ca_bundle=authority.bundle, timeout=60, by_cli=True)
    assert Vault(secrets).get("one") == "first secret"
    assert az.calls[0][:6] == ["account", "get-access-token", "--output", "json", "--resource", VAULT]
    secrets.close()


def test_a_missing_login_is_reported_with_a_remedy(az: StandInAz, vault_address: str, authority: Authority) -> None:
    az.answer("account get-access-token", err="ERROR: Please run 'az login' to setup account.", code=1)
    secrets = RemoteSecrets(vault_address, client_id="none", ca_bundle=authority.bundle, timeout=60, by_cli=True)
    with pytest.raises(SignInFailed) as caught:
        Vault(secrets).get("one")
    assert (caught.value.code, "az login" in caught.value.remedy) == ("azure_cli_login", True)
    secrets.close()


def test_a_missing_azure_cli_is_reported(
    monkeypatch: pytest.MonkeyPatch, vault_address: str, authority: Authority
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    secrets = RemoteSecrets(vault_address, client_id="none", ca_bundle=authority.bundle, timeout=60, by_cli=True)
    with pytest.raises(SignInFailed) as caught:
        Vault(secrets).get("one")
    assert caught.value.code == "azure_cli_missing"
    secrets.close()


def test_the_tables_open_with_the_same_login(az: StandInAz, authority: Authority) -> None:
    requests: list[Request] = []

    def answer_table_request(request: Request) -> Response:
        requests.append(request)
        return Response(201, b"", {})

    az.answer("account get-access-token", {"accessToken": "of-a-person", "expires_on": int(time.time()) + 3600})
    with Server(answer_table_request, tls=authority.server_context()) as server:
        url = server.url
        open_tables(url, "cosell", client_id=None, ca_bundle=str(authority.bundle), timeout=5, by_cli=True).close()
    assert requests[0].headers["authorization"] == "Bearer of-a-person"
    assert az.calls[0][:2] == ["account", "get-access-token"]


def test_without_a_login_the_tables_do_not_open(az: StandInAz, authority: Authority) -> None:
    az.answer("account get-access-token", err="ERROR: Please run 'az login' to setup account.", code=1)
    with pytest.raises(StoreUnavailable, match="CredentialUnavailableError"):
        open_tables("https://127.0.0.1:9", "cosell", client_id=None, ca_bundle=str(authority.bundle), by_cli=True)


@pytest.mark.parametrize(("name", "credential"), [("staging", "cli"), ("local", None)])
def test_the_command_line_uses_the_azure_cli_login_except_for_the_local_run(
    name: str, credential: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CREDENTIAL", "removed again, so that it is restored")
    monkeypatch.delenv("AZURE_CREDENTIAL")
    Environment(name).apply_to_process()
    assert os.environ.get("AZURE_CREDENTIAL") == credential
    monkeypatch.setenv("AZURE_CREDENTIAL", "removed again, so that it is restored")
