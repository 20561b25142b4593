"""Check the credential of an app: a client secret, or an assertion signed with a registered certificate.

Source: docs/reference/partner-center.md#authorization-code-and-refresh-grants
"""

import base64
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.entra.aadsts_errors import AadstsError
from emulators.entra.tokens import CHECK_SIGNATURE_ONLY

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class AppRegistration:
    """One app registration; `certificates` are PEM. A public app has no credential and must not send one."""

    client_id: str
    secrets: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    public: bool = False
    redirects: list[str] = field(default_factory=lambda: ["http://localhost"])

    def check_credential(self, form: dict[str, str], token_url: str, now: float) -> None:
        """Raise AadstsError unless the form has a valid secret or assertion, or, from a public app, neither."""
        if self.public:
            if form.keys() & {"client_assertion", "client_secret"}:
                raise AadstsError(700025)
        elif "client_assertion" in form:
            self._check_assertion(form, token_url, now)
        elif not any(hmac.compare_digest(s.encode(), form.get("client_secret", "").encode()) for s in self.secrets):
            raise AadstsError(7000215 if form.get("client_secret") else 7000218)

    def _check_assertion(self, form: dict[str, str], token_url: str, now: float) -> None:
        assertion = form["client_assertion"]
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise AadstsError(7000218)
        claims = self._verify_assertion(assertion)
        is_for_this_endpoint = str(claims.get("aud")).endswith(urlsplit(token_url).path)
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id or not is_for_this_endpoint:
            raise AadstsError(700023)
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires < now:
            raise AadstsError(700024)

    def _verify_assertion(self, assertion: str) -> dict[str, object]:
        try:
            key = self._find_registered_key(jwt.get_unverified_header(assertion))
            claims: dict[str, object] = jwt.decode(
                assertion, key, algorithms=["RS256", "PS256"], options=CHECK_SIGNATURE_ONLY
            )
        except (jwt.PyJWTError, ValueError):
            raise AadstsError(700027) from None
        return claims

    def _find_registered_key(self, header: dict[str, object]) -> rsa.RSAPublicKey:
        for pem in self.certificates:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            algorithms = {"x5t": hashes.SHA1(), "x5t#S256": hashes.SHA256()}  # noqa: S303 - x5t is SHA-1 by definition
            matching = [
                name
                for name, algorithm in algorithms.items()
                if _decode_base64(header.get(name)) == certificate.fingerprint(algorithm)
            ]
            key = certificate.public_key()
            if matching and isinstance(key, rsa.RSAPublicKey):
                return key
        raise AadstsError(700027)


def _decode_base64(value: object) -> bytes:
    """Return the bytes of base64 text, with or without padding. Raises ValueError."""
    text = str(value or "")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
