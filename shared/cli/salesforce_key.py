"""Create, store and rotate the key pair with which the app signs in to Salesforce.

The Key Vault secret holds the private key and its certificate. During a rotation it holds the new pair first and the
old pair after it, and the sign-in tries both (`shared/clients/salesforce/private_keys.py`). Every step can be repeated:
no second pair is created while a new one waits for its upload.
"""

from shared.app import App
from shared.cli import self_signed_certificate
from shared.cli.self_signed_certificate import Certificate
from shared.clients.key_vault.credential_ends import read_credential_end
from shared.clients.salesforce.private_keys import keys_with_certificates, private_keys_in
from shared.foundation.errors import NotFound
from shared.foundation.redacted import Redacted

CERTIFICATE_DAYS = 365
"""The validity of a new certificate."""


class KeyPairs(Redacted, frozen=True):
    """The key pairs in Key Vault, newest first. `is_new` says that the newest pair has just been created."""

    pairs: tuple[str, ...]
    is_new: bool = False

    @property
    def newest_key(self) -> str:
        """The private key of the newest pair."""
        return private_keys_in(self.pairs[0])[0]

    @property
    def newest_certificate(self) -> Certificate | None:
        """The certificate of the newest pair, or None if the secret holds a key without its certificate."""
        return self_signed_certificate.parse_certificate(self.pairs[0])

    @property
    def is_rotating(self) -> bool:
        """Whether an old pair is still stored beside the new one."""
        return len(self.pairs) > 1


def read_key_pairs(app: App) -> KeyPairs:
    """Read the pairs from Key Vault. The result is empty if the secret is missing or holds a placeholder."""
    try:
        return KeyPairs(keys_with_certificates(app.vault.get_fresh(app.settings.salesforce.key_secret)))
    except NotFound:
        return KeyPairs(())


def ensure_key_pair(app: App, name: str, *, rotate: bool) -> KeyPairs:
    """Return the stored pairs. Creates and stores a pair first if there is none, or if a rotation begins."""
    stored = read_key_pairs(app)
    if stored.pairs and not (rotate and not stored.is_rotating):
        return stored
    certificate = self_signed_certificate.create_certificate(name, CERTIFICATE_DAYS)
    pairs, secret = (certificate.pem, *stored.pairs[:1]), app.settings.salesforce.key_secret
    in_use = read_credential_end(app.vault, secret).ends if stored.pairs else None
    app.vault.set(secret, "".join(pairs), expires=min(certificate.ends, in_use or certificate.ends))
    return KeyPairs(pairs, is_new=True)


def remove_old_key(app: App, key_pairs: KeyPairs) -> None:
    """Store only the newest pair. Call it only after a sign-in with that pair has worked."""
    certificate = key_pairs.newest_certificate
    expires = certificate.ends if certificate else None
    app.vault.set(app.settings.salesforce.key_secret, key_pairs.pairs[0], expires=expires)
