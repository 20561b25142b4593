"""Call the Key Vault emulator directly, without a socket."""

from dataclasses import dataclass

from emulators.base.server import Request, Response
from emulators.key_vault import KeyVault
from emulators.key_vault.emulator import AUDIENCE
from emulators.managed_identity.emulator import CLIENT_ID, ManagedIdentity

API = "2026-04-01"


@dataclass
class VaultCaller:
    """Gets tokens from an identity endpoint and calls a vault with them."""

    identity: ManagedIdentity
    vault: KeyVault

    def get_token(self, resource: str = AUDIENCE) -> str:
        target = f"/msi/token?api-version=2019-08-01&resource={resource}&client_id={CLIENT_ID}"
        answer = self.identity.handle(Request.of("GET", target, {"X-IDENTITY-HEADER": self.identity.header}))
        token: str = answer.json()["access_token"]
        return token

    def call(self, method: str, target: str, body: bytes = b"", token: str | None = None) -> Response:
        separator = "&" if "?" in target else "?"
        headers = {"Authorization": f"Bearer {token or self.get_token()}", "Host": "localhost:1"}
        return self.vault.handle(Request.of(method, f"{target}{separator}api-version={API}", headers, body))
