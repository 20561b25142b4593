"""Sign and read tokens: RS256 JWTs with the claims that the services check.

Sources: docs/reference/partner-center.md#token-audiences, docs/reference/partner-center.md#multi-factor-authentication
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

REFERRALS_AUDIENCE = "https://api.partner.microsoft.com"
WEBHOOKS_AUDIENCE = "https://api.partnercenter.microsoft.com"
# The caller checks times and audience, because times follow the emulated clock.
CHECK_SIGNATURE_ONLY: Options = {"verify_exp": False, "verify_aud": False, "verify_nbf": False, "verify_iat": False}
ADMIN, USER = "ReferralsAdmin", "ReferralsUser"
# docs/reference/partner-center.md#roles-for-webhooks
WEBHOOK_ROLES = ("BillingAdmin", "AdminAgent", "SalesAgent", "HelpdeskAgent")


class TokenRefused(Exception):
    """A token is not accepted; the message says why."""


@dataclass(frozen=True, slots=True)
class User:
    """The integration account that signs in. Its roles are those that the install guide asks for."""

    oid: str
    email: str = "integration@contoso.example"
    roles: tuple[str, ...] = (ADMIN, WEBHOOK_ROLES[-1])


class SigningKey:
    """A signing key that exists for one run."""

    kid = "local-entra-1"

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def __init__(self) -> None:
        self._claims: dict[str, dict[str, Any]] = {}  # by token: each request of a sync carries the same one

    def sign_claims(self, claims: Mapping[str, Any]) -> str:
        """Return a signed JWT with these claims."""
        return jwt.encode(dict(claims), self._private_key, algorithm="RS256", headers={"kid": self.kid})

    def read_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a JWT that this key signed; times and audience stay unchecked. Raises TokenRefused."""
        if token not in self._claims:
            self._claims[token] = self._decode(token)
        return dict(self._claims[token])

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._private_key.public_key(), algorithms=["RS256"], options=CHECK_SIGNATURE_ONLY
            )
        except jwt.PyJWTError:
            raise TokenRefused("the signature is not valid") from None
        return claims

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key."""
        numbers = self._private_key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "n": _base64url(numbers.n), "e": _base64url(numbers.e)}


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
