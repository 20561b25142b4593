"""Sign requests to Table Storage with an account key, and read the connection string that has it. This is for Azurite.

Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key (Shared Key for Table service).
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from shared.foundation.redacted import Redacted

_PARTS = "AccountName, AccountKey, and TableEndpoint or EndpointSuffix"
# Microsoft publishes this key with its storage emulator, so it is not a secret.
_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_EMULATOR = {
    "accountname": "devstoreaccount1",
    "accountkey": _EMULATOR_KEY,
    "tableendpoint": "http://127.0.0.1:10002/devstoreaccount1",
}


class SharedKey(Redacted, frozen=True):
    """A signer for `shared.store.table_client`. `key` holds the bytes of the account key."""

    account: str
    key: bytes

    def authorization(self, method: str, path: str, content_type: str, date: str) -> str:
        """Return the header Authorization; `path` is encoded, and `date` is that of the header `x-ms-date`."""
        text = f"{method}\n\n{content_type}\n{date}\n/{self.account}{path}"
        digest = hmac.digest(self.key, text.encode(), hashlib.sha256)
        return f"SharedKey {self.account}:{b64encode(digest).decode()}"

    def renew(self, challenge: str) -> bool:
        """Whether a refused request may be sent again: never, because the key stays the same."""
        del challenge
        return False

    def close(self) -> None:
        """Do nothing."""


def read_connection_string(text: str) -> tuple[str, SharedKey]:
    """Return the address of the table service, and the signer.

    Raises ValueError, which never quotes the text.
    """
    parts = _EMULATOR if text.strip(" ;").lower() == "usedevelopmentstorage=true" else _split(text)
    try:
        account = parts["accountname"]
        key = b64decode(parts["accountkey"], validate=True)
        protocol = parts.get("defaultendpointsprotocol", "https")
        endpoint = parts.get("tableendpoint") or f"{protocol}://{account}.table.{parts['endpointsuffix']}"
    except (KeyError, NotBase64):
        raise ValueError(f"STORE_CONNECTION_STRING: must contain {_PARTS}") from None
    return endpoint.rstrip("/"), SharedKey(account, key)


def _split(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
