"""The private keys in the vault's secret: one, or during a rotation the new one before the old one.

Salesforce's app holds one certificate. So that the sync goes on while a person swaps it, both keys lie in the one
secret, and a sign-in tries them in order (reference/salesforce.md 4.3; `cosell connect salesforce --rotate`). A
certificate may stand behind its key: it is public, and tells when it ends.
"""

import re

_BLOCK = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----.*?(?=-----BEGIN (?:RSA )?PRIVATE KEY-----|\Z)", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def keys_with_certificates(secret: str) -> tuple[str, ...]:
    """Each key with what stands behind it, newest first; empty where there is none."""
    # A portal that keeps one line turns the breaks of a PEM file into a backslash and an n.
    return tuple(block.strip() + "\n" for block in _BLOCK.findall(secret.replace("\\n", "\n")))


def private_keys_in(secret: str) -> tuple[str, ...]:
    """The private keys alone, newest first; the whole text where there is none, for whoever reads it to refuse."""
    found = tuple(match[0] for match in _KEY.finditer(secret.replace("\\n", "\n")))
    return found or (secret,)
