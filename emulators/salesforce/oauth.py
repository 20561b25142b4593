"""Sign-in: the JWT bearer grant, sessions, and who a session belongs to (reference/salesforce.md 2.1, 2.2)."""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt.types import Options

from emulators.salesforce.data.record_ids import SHORT
from emulators.salesforce.data.schema import Record

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
SESSION = timedelta(hours=2)
FURTHEST_EXPIRY = timedelta(minutes=5)
_MILLISECONDS_FROM = 10**11
_TOKEN_LENGTH = 96


@dataclass(frozen=True, slots=True)
class App:
    """A registered client: the key its assertions are signed with, and the one user it is approved for."""

    key: RSAPublicKey
    username: str


@dataclass(slots=True)
class Session:
    """A token's user; it lives as long as it is used."""

    user: str
    until: datetime


class OAuthError(Exception):
    """An answer of the token endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        """In the words of the service."""
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


def public_key(pem: str | bytes) -> RSAPublicKey:
    """The RSA key of a certificate or of a public key in PEM. Raises ValueError."""
    data = pem.encode() if isinstance(pem, str) else pem
    certified = b"BEGIN CERTIFICATE" in data
    key = load_pem_x509_certificate(data).public_key() if certified else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        # Whatever is wrong with the PEM, the caller hears one kind of error.
        raise ValueError("an RSA key is needed: assertions are signed with RS256")  # noqa: TRY004 - as said above
    return key


class OAuth:
    """Apps and sessions. `find_user` gives a user's row by name, `organization` the org's id."""

    def __init__(
        self, now: Callable[[], datetime], find_user: Callable[[str], Record | None], organization: Callable[[], str]
    ) -> None:
        """No app yet; `audiences` are what an assertion may be addressed to besides the emulator itself."""
        self.apps: dict[str, App] = {}
        self.administrators: set[str] = set()  # pre-authorised for every app, by user name
        self.audiences = list(LOGIN_HOSTS)
        self.sessions: dict[str, Session] = {}
        self._now = now
        self._find_user = find_user
        self._organization = organization
        self._chance = random.Random(0)

    def restart(self, seed: int) -> None:
        """Forget the sessions; apps are configuration."""
        self.sessions.clear()
        self._chance = random.Random(seed)

    # --- tokens

    def grant(self, form: Mapping[str, str], home: str) -> dict[str, str]:
        """The answer of the token endpoint. Raises OAuthError."""
        if form.get("grant_type") != JWT_BEARER:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        user = self._verified(form.get("assertion", ""), home)
        return {
            "access_token": self.open(user["Id"]),
            "scope": "id api",
            "instance_url": home,
            "id": f"{home}/id/{self._organization()}/{user['Id']}",
            "token_type": "Bearer",
        }

    def open(self, user: str) -> str:
        """A session for a user, by id; returns its token."""
        letters = self._chance.choices(string.ascii_letters + string.digits + "._", k=_TOKEN_LENGTH)
        token = f"{self._organization()[:SHORT]}!{''.join(letters)}"
        self.sessions[token] = Session(user, self._now() + SESSION)
        return token

    def user_of(self, authorization: str) -> str | None:
        """The id of the user behind an `Authorization` header, None where the session is none or over."""
        scheme, _, token = authorization.partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if session is None or self._now() >= session.until:
            return None
        session.until = self._now() + SESSION
        return session.user

    def _verified(self, assertion: str, home: str) -> Record:
        try:
            issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        app = self.apps.get(str(issuer))
        if app is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        claims = self._claims(assertion, app, home)
        user = self._find_user(str(claims.get("sub")))
        if user is None or claims.get("sub") not in {app.username, *self.administrators}:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        if not user["IsActive"]:
            raise OAuthError("inactive_user", "user is inactive")
        return user

    def _claims(self, assertion: str, app: App, home: str) -> dict[str, Any]:
        """The claims of an assertion whose signature, audience and expiry hold."""
        audience = [host + slash for host in (*self.audiences, home) for slash in ("", "/")]
        try:
            # The expiry is judged by the emulated clock below, and may be a string or milliseconds.
            options: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            claims = jwt.decode(assertion, app.key, ["RS256"], options=options, audience=audience)
        except jwt.InvalidAudienceError as error:
            raise OAuthError("invalid_grant", "audience is invalid") from error
        except jwt.InvalidTokenError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        self._check_expiry(claims.get("exp"))
        return claims

    def _check_expiry(self, expiry: object) -> None:
        try:
            seconds = float(str(expiry))
        except ValueError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        in_milliseconds = seconds > _MILLISECONDS_FROM
        left = (seconds / 1000 if in_milliseconds else seconds) - self._now().timestamp()
        # One client sends milliseconds, a moment ahead: it passes, as it does with the service.
        too_far = left > FURTHEST_EXPIRY.total_seconds() and not in_milliseconds
        if left < -1 or too_far:
            raise OAuthError("invalid_grant", "assertion expired")


def identity(user: Record, organization: str, home: str) -> dict[str, Any]:
    """What `/services/oauth2/userinfo` and the identity URL tell of a user."""
    return {
        "id": f"{home}/id/{organization}/{user['Id']}",
        "sub": f"{home}/id/{organization}/{user['Id']}",
        "user_id": user["Id"],
        "organization_id": organization,
        "username": user["Username"],
        "preferred_username": user["Username"],
        "display_name": user["Name"],
        "name": user["Name"],
        "email": user["Email"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "urls": {
            "rest": f"{home}/services/data/v{{version}}/",
            "sobjects": f"{home}/services/data/v{{version}}/sobjects/",
            "query": f"{home}/services/data/v{{version}}/query/",
        },
    }
