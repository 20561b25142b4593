from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.pipeline.transport import RequestsTransport
from azure.keyvault.secrets import SecretClient

from emulators.base.certificate_authority import Authority
from emulators.base.server import Server
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from shared.transport.session import open_session
from tests.unit.emulators.key_vault.vault_caller import VaultCaller


class _EndpointCredential:
    """A credential for Azure's client that gets its tokens from the emulated identity endpoint."""

    def __init__(self, caller: VaultCaller) -> None:
        self._caller = caller

    def get_token_info(self, *scopes: str, options: object = None) -> AccessTokenInfo:
        del options
        return AccessTokenInfo(self._caller.get_token(scopes[0].removesuffix("/.default")), 4_000_000_000)


@pytest.fixture
def caller() -> VaultCaller:
    identity = ManagedIdentity(header="h")
    return VaultCaller(identity, KeyVault(identity.tokens, secrets={"one": "1"}))


@pytest.fixture
def sdk(caller: VaultCaller, tmp_path: Path) -> Iterator[SecretClient]:
    """Azure's own client library, over TLS on a real socket."""
    authority = Authority(tmp_path)
    session = open_session(authority.bundle, seconds=10)
    transport = RequestsTransport(session=session, session_owner=False, connection_verify=str(authority.bundle))
    with Server(caller.vault.handle, tls=authority.server_context()) as server, session:
        yield SecretClient(
            server.url,
            _EndpointCredential(caller),  # type: ignore[arg-type]  # the annotation leaves out SupportsTokenInfo
            transport=transport,
            verify_challenge_resource=False,
            retry_total=0,
        )
