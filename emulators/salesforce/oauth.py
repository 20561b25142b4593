"""Sign clients in, by the JWT bearer grant or with a code of the sign-in page, and keep their sessions.

The contract: docs/reference/salesforce.md#sign-in-with-a-jwt-assertion, and for userinfo
docs/reference/salesforce.md#api-versions-and-discovery.
"""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options

from emulators.salesforce.authorization_code import AuthorizationCodes
from emulators.salesforce.client_apps import App
from emulators.salesforce.data.record_ids import SHORT
from emulators.salesforce.data.schema import Record
from emulators.salesforce.oauth_error import OAuthError

LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
SESSION_LIFETIME = timedelta(hours=2)
FURTHEST_EXPIRY = timedelta(minutes=5)
_MILLISECONDS_FROM = 10**11
_TOKEN_LENGTH = 96


@dataclass(slots=True)
class Session:
    """The user of a token, and the time when the session ends; each use moves it."""

    user: str
    until: datetime


class OAuth:
    """The registered apps and the open sessions."""

    def __init__(
        self, now: Callable[[], datetime], find_user: Callable[[str], Record | None], organization: Callable[[], str]
    ) -> None:
        """`find_user` returns a user's record by user name, `organization` the org's id.

        `audiences` are the addresses that an assertion may name, besides the emulator's own.
        """
        self.apps: dict[str, App] = {}
        self.audiences = list(LOGIN_HOSTS)
        self.sessions: dict[str, Session] = {}
        self._now = now
        self._find_user = find_user
        self._organization = organization
        self._chance = random.Random(0)
        self.codes = AuthorizationCodes(self.apps, now, find_user)

    def end_sessions(self, seed: int) -> None:
        """End every session; the next tokens depend on `seed`. Registered apps stay."""
        self.sessions.clear()
        self._chance = random.Random(seed)

    # --- tokens

    def issue_token(self, form: Mapping[str, str], home: str) -> dict[str, str]:
        """The answer of the token endpoint; `home` is the address of the org. Raises OAuthError."""
        match form.get("grant_type"):
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                user = str(self._verify_assertion(form.get("assertion", ""), home)["Id"])
            case "authorization_code":
                user = self.codes.redeem(form)
            case _:
                raise OAuthError("unsupported_grant_type", "grant type not supported")
        return {
            "access_token": self.issue_session_id(user),
            "scope": "id api",
            "instance_url": home,
            "id": f"{home}/id/{self._organization()}/{user}",
            "token_type": "Bearer",
        }

    def revoke_token(self, form: Mapping[str, str]) -> dict[str, str]:
        """End the session of a token. Raises OAuthError."""
        if self.sessions.pop(form.get("token", ""), None) is None:
            raise OAuthError("invalid_token", "invalid token")
        return {}

    def issue_session_id(self, user: str) -> str:
        """Open a session for the user with this id, without any check; returns its token."""
        letters = self._chance.choices(string.ascii_letters + string.digits + "._", k=_TOKEN_LENGTH)
        token = f"{self._organization()[:SHORT]}!{''.join(letters)}"
        self.sessions[token] = Session(user, self._now() + SESSION_LIFETIME)
        return token

    def user_of_header(self, authorization: str) -> str | None:
        """The id of the user of an `Authorization` header; None if it names no open session."""
        scheme, _, token = authorization.partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if session is None or self._now() >= session.until:
            return None
        session.until = self._now() + SESSION_LIFETIME
        return session.user

    def _verify_assertion(self, assertion: str, home: str) -> Record:
        try:
            issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        app = self.apps.get(str(issuer))
        if app is None or app.key is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        claims = self._verified_claims(assertion, app, home)
        user = self._find_user(str(claims.get("sub")))
        if user is None or not app.admits(claims.get("sub")):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        if not user["IsActive"]:
            raise OAuthError("inactive_user", "user is inactive")
        return user

    def _verified_claims(self, assertion: str, app: App, home: str) -> dict[str, Any]:
        """The claims, once signature, audience and expiry are checked. Raises OAuthError."""
        audience = [host + slash for host in (*self.audiences, home) for slash in ("", "/")]
        try:
            # The check below compares the expiry with the emulated clock, and accepts a string or milliseconds.
            options: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            claims = jwt.decode(assertion, app.key or "", ["RS256"], options=options, audience=audience)
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
        remaining = (seconds / 1000 if in_milliseconds else seconds) - self._now().timestamp()
        # One client sends milliseconds, and the service accepts them
        # (docs/reference/salesforce.md#what-other-clients-send).
        too_far = remaining > FURTHEST_EXPIRY.total_seconds() and not in_milliseconds
        if remaining < -1 or too_far:
            raise OAuthError("invalid_grant", "assertion expired")


def identity_body(user: Record, organization: str, home: str) -> dict[str, Any]:
    """The body of `/services/oauth2/userinfo` and of the identity URL."""
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
