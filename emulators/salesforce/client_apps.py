"""The External Client Apps of an org: what each may do, and the users whom it admits.

The rules: docs/reference/salesforce.md#external-client-app.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

CALLBACK_OF_JWT_APPS = "https://login.salesforce.com/services/oauth2/success"


@dataclass(slots=True)
class App:
    """One app. `key` checks its assertions; without one, people sign in with it in the browser.

    `usernames` are the users whom it admits, its own user first. `callbacks` are the addresses to which the browser may
    return. The app needs no secret in the browser, but PKCE.
    """

    key: RSAPublicKey | None
    usernames: list[str]
    callbacks: tuple[str, ...] = field(default=(CALLBACK_OF_JWT_APPS,))

    def admits(self, username: object) -> bool:
        """Whether this user may sign in with the app."""
        return username in self.usernames


def load_public_key(pem: str | bytes) -> RSAPublicKey:
    """The RSA public key of a certificate or of a key in PEM. Raises ValueError."""
    data = pem.encode() if isinstance(pem, str) else pem
    is_certificate = b"BEGIN CERTIFICATE" in data
    key = load_pem_x509_certificate(data).public_key() if is_certificate else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        # Everything that is wrong with the PEM raises one kind of error.
        raise ValueError("the key must be an RSA key: assertions are signed with RS256")  # noqa: TRY004 - see above
    return key
