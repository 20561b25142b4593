"""The store uses Table Storage as in production: over TLS, with the token of a managed identity."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from local import azurite
from shared.foundation.errors import ConfigurationError, StoreConflict, StoreUnavailable
from shared.settings.guards import GuardSettings
from shared.settings.variables import StoreSettings, VaultSettings
from shared.store.copy_container import ContainerCopies, signer_of_key
from shared.store.open_copies import open_copies
from shared.store.rows import Insert, Replace
from shared.store.table_storage_rows import open_tables

CLIENT_ID = "6a1f1c1e-0000-4000-8000-000000000001"
LINK = "O|006000000000001AAA"

pytestmark = pytest.mark.node


def unsigned_token() -> str:
    now = int(time.time())
    header = {"alg": "RS256", "typ": "JWT", "kid": "none"}
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/6a1f1c1e-0000-4000-8000-00000000000f/",
        "nbf": now - 60,
        "iat": now - 60,
        "exp": now + 3600,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


@pytest.fixture
def token_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """A managed identity endpoint like that of App Service, and the requests that it received."""
    token_requests: list[Request] = []

    def answer_request(request: Request) -> Response:
        token_requests.append(request)
        expires = str(int(time.time()) + 3600)
        return Response.of({"access_token": unsigned_token(), "expires_on": expires, "token_type": "Bearer"})

    with Server(answer_request) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "made-up")
        yield token_requests


@pytest.fixture
def secure_azurite(tmp_path: Path) -> Iterator[tuple[azurite.Azurite, Authority]]:
    if reason := azurite.unavailable_reason():
        pytest.skip(f"NOT RUN: {reason}")
    authority = Authority(tmp_path)
    issued = authority.ca.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    options = ("--oauth", "basic", "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    with azurite.start_azurite(tmp_path, *options, scheme="https") as running:
        yield running, authority


def test_a_managed_identity_reads_and_writes_rows(
    secure_azurite: tuple[azurite.Azurite, Authority], token_requests: list[Request]
) -> None:
    running, authority = secure_azurite
    bundle = str(authority.bundle)
    with open_tables(running.table_endpoint, "rows", client_id=CLIENT_ID, ca_bundle=bundle) as rows:
        (etag,) = rows.write(LINK, [Insert("link", b"base")])
        assert etag is not None
        rows.write(LINK, [Replace("link", b"newer", etag), Insert("a|1", b"line")])
        with pytest.raises(StoreConflict):
            rows.write(LINK, [Replace("link", b"stale", etag)])
        assert [row.data for row in rows.list(LINK)] == [b"line", b"newer"]
    assert [request.query["client_id"] for request in token_requests] == [CLIENT_ID]
    assert token_requests[0].query["resource"].startswith("https://storage.azure.com")

    # Without the bundle, the certificate is not trusted, and the store refuses the connection.
    with pytest.raises(StoreUnavailable):
        open_tables(running.table_endpoint, "rows", client_id=CLIENT_ID, timeout=5)


def test_a_managed_identity_keeps_copies_in_a_container(
    secure_azurite: tuple[azurite.Azurite, Authority], token_requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, authority = secure_azurite
    url = f"https://127.0.0.1:{running.blob}/{azurite.ACCOUNT}/copies"
    monkeypatch.setenv("KEY_VAULT_URL", "https://kv-cosell.vault.azure.net")
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("STORE_TABLES_URL", running.table_endpoint.replace("https://127.0.0.1", "https://localhost"))
    monkeypatch.setenv("BACKUP_CONTAINER", url)
    settings = GuardSettings.from_environment(), StoreSettings.from_environment(), VaultSettings.from_environment()
    copies = open_copies(*settings)
    with pytest.raises(ConfigurationError, match="ContainerNotFound"):
        copies.names()
    ContainerCopies(url, signer_of_key(azurite.ACCOUNT, azurite.KEY), ca_bundle=str(authority.bundle)).create()
    copies.write("a.gz", lambda out: out.write(b"copy"))
    assert list(copies.names()) == ["a.gz"]
    assert token_requests[0].query["client_id"] == CLIENT_ID
