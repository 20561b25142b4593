"""Read when a credential in Key Vault ends. The daily run and the doctor judge by the same dates."""

from datetime import datetime, timedelta

from msgspec import Struct

from shared.clients.key_vault.vault import Vault
from shared.clients.pem import certificates_of_keys

WARNING_DAYS = 30
"""From this many days before its end, a credential must be renewed."""


class CredentialEnd(Struct, frozen=True):
    """When a credential ends (None: not known), and whether its certificate, if it has one, can be read."""

    ends: datetime | None
    is_readable: bool = True

    def days_left(self, now: datetime) -> int | None:
        """Return the whole days until the end. Negative: it has ended. None: the end is not known."""
        return None if self.ends is None else (self.ends - now) // timedelta(days=1)


def read_credential_end(vault: Vault, name: str) -> CredentialEnd:
    """Return the earliest of the date in the vault and the dates of the certificates. Raises what the vault raises.

    During a rotation the secret holds two certificates. The one in use is the older one, so the earliest date counts.
    """
    text, in_vault = vault.get_fresh(name), vault.read_facts(name).expires
    ends = [] if in_vault is None else [in_vault]
    try:
        ends += certificate_ends(text)
    except ValueError:
        return CredentialEnd(min(ends, default=None), is_readable=False)
    return CredentialEnd(min(ends, default=None))


def certificate_ends(text: str) -> list[datetime]:
    """Return when the certificate of each key in a PEM text ends. Raises ValueError if one cannot be read."""
    if "BEGIN CERTIFICATE" not in text:
        return []
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - imported late: it slows a cold start

    certificates = list(certificates_of_keys(text))
    if not certificates:
        raise ValueError("the certificate has no end line")
    return [load_pem_x509_certificate(pem.encode()).not_valid_after_utc for pem in certificates]
