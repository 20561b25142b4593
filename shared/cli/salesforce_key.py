"""The key pair that signs in to Salesforce: made here, kept in Key Vault, swapped with overlap.

The secret holds the key and its certificate; during a rotation the new pair stands before the old one, and the sign-in
tries both (`clients.salesforce.private_keys`). Every step may be repeated: nothing is made where something waits.
"""

from shared.app import App
from shared.cli import self_signed_certificate
from shared.cli.self_signed_certificate import Certificate
from shared.clients.salesforce.private_keys import keys_of, pairs_of
from shared.foundation.errors import NotFound
from shared.foundation.redacted import Redacted

DAYS = 365
"""How long a new certificate lasts."""


class KeyPairs(Redacted, frozen=True):
    """The pairs in the vault, newest first; `made` says that the newest has just been made."""

    pairs: tuple[str, ...]
    is_new: bool = False

    @property
    def newest_key(self) -> str:
        """The private key to prove."""
        return keys_of(self.pairs[0])[0]

    @property
    def newest_certificate(self) -> Certificate | None:
        """The newest one's certificate; None for a key that somebody put into the vault without one."""
        return self_signed_certificate.parse_certificate(self.pairs[0])

    @property
    def is_rotating(self) -> bool:
        """Whether an old pair waits for its removal."""
        return len(self.pairs) > 1


def read_key_pairs(app: App) -> KeyPairs:
    """What the vault holds, no pair where it has a placeholder or nothing."""
    try:
        return KeyPairs(pairs_of(app.vault.get_fresh(app.settings.salesforce.key_secret)))
    except NotFound:
        return KeyPairs(())


def ensure_key_pair(app: App, name: str, *, rotate: bool) -> KeyPairs:
    """The pairs, one made if there is none, or if the only one is to be rotated."""
    found = read_key_pairs(app)
    if found.pairs and not (rotate and not found.is_rotating):
        return found
    new = self_signed_certificate.create_certificate(name, DAYS)
    pairs = (new.pem, *found.pairs[:1])
    app.vault.set(app.settings.salesforce.key_secret, "".join(pairs), expires=new.ends)
    return KeyPairs(pairs, is_new=True)


def remove_old_key(app: App, found: KeyPairs) -> None:
    """The newest has proven itself: it stays alone."""
    known = found.newest_certificate
    app.vault.set(app.settings.salesforce.key_secret, found.pairs[0], expires=known.ends if known else None)
