"""Read the private keys from the vault's secret: one key, or during a rotation the new one and then the old one.

Salesforce's app holds one certificate. The sync must continue while a person replaces it. So the secret holds both keys
during that time, and a sign-in tries them in order (`cosell connect salesforce --rotate`). A certificate may follow its
key: it is public and holds the date of its expiry. Source: docs/reference/salesforce.md#signing-keys-and-certificates.
"""

import re

from shared.clients.pem import with_line_breaks

_BLOCK = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----.*?(?=-----BEGIN (?:RSA )?PRIVATE KEY-----|\Z)", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def keys_with_certificates(secret: str) -> tuple[str, ...]:
    """Return each key with the certificate that follows it, newest first; an empty tuple if there is no key."""
    return tuple(block.strip() + "\n" for block in _BLOCK.findall(with_line_breaks(secret)))


def private_keys_in(secret: str) -> tuple[str, ...]:
    """Return the private keys alone, newest first.

    If the text holds no key, the whole text is returned, and the sign-in refuses it.
    """
    keys = tuple(match[0] for match in _KEY.finditer(with_line_breaks(secret)))
    return keys or (secret,)
