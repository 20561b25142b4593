"""Emulate the managed-identity endpoint of a Functions host, so that the production credential code runs locally.

The endpoint serves plain http, as in Azure. The platform sets `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, and the
credential sends the header with each token request (docs/reference/azure.md#managed-identity-endpoint).

The tokens are signed with a key that follows from the header's value. An emulator that has the same value can verify
them, in this process or in another.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import jwt

from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response

PATH = "/msi/token"
API_VERSION = "2019-08-01"
CLIENT_ID = "5c0e1100-0000-4000-8000-00000000c11d"
LIFETIME = timedelta(hours=24)
UNKNOWN_IDENTITY = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."


class TokenRejected(Exception):
    """The endpoint did not issue this bearer token, or not for this use; the message says which."""


class Tokens:
    """Issues and verifies access tokens; two instances with the same header value accept each other's tokens."""

    def __init__(self, header: str) -> None:
        """`header` is the value of `IDENTITY_HEADER`. The signing key is derived from it."""
        self._key = hashlib.sha256(b"managed identity " + header.encode()).digest()

    def issue(self, claims: Mapping[str, Any]) -> str:
        """Return a signed token with these claims."""
        return jwt.encode(dict(claims), self._key, algorithm="HS256")

    def verify(self, token: str, *, audience: str, now: float) -> Mapping[str, Any]:
        """Return the claims of a token for `audience` at the time `now` (epoch seconds). Raises TokenRejected."""
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
            )
        except jwt.InvalidTokenError as error:
            raise TokenRejected("The token was not issued by a known authority.") from error
        if claims["aud"] != audience:
            raise TokenRejected(f"Invalid audience. Expected {audience}, found: {claims['aud']}.")
        if claims["exp"] <= now:
            raise TokenRejected("The token is expired.")
        return claims


class ManagedIdentity(Emulator):
    """Answers `GET /msi/token` for the one identity that is assigned to the app."""

    def __init__(self, *, header: str | None = None, seed: int = 0) -> None:
        """`header` is the secret that callers must send (default: a random one)."""
        super().__init__(seed=seed)
        self.header = header or secrets.token_hex(16)
        self.tokens = Tokens(self.header)
        self._issued = 0

    def environment_variables(self, url: str) -> dict[str, str]:
        """Return the variables that the platform would set for the app; `url` is the address of this endpoint."""
        return {"IDENTITY_ENDPOINT": url + PATH, "IDENTITY_HEADER": self.header}

    def reset_state(self) -> None:
        """Number the tokens from 1 again."""
        self._issued = 0

    def respond(self, request: Request) -> Response:
        """Return a token, or the platform's error: 401 for a wrong header, 400 for an unknown identity."""
        refusal = self._find_refusal(request)
        if refusal:
            return self._error_response(*refusal)
        resource, client_id = request.query["resource"], request.query["client_id"]
        self.add_tag(f"token for {resource}")
        return Response.of(self._token_body(resource, client_id))

    def _find_refusal(self, request: Request) -> tuple[HTTPStatus, str] | None:
        query = request.query
        if request.path != PATH:
            return HTTPStatus.NOT_FOUND, f"No resource {request.path}."
        if request.method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "The endpoint answers GET only."
        if not hmac.compare_digest(request.headers.get("x-identity-header", "").encode(), self.header.encode()):
            return HTTPStatus.UNAUTHORIZED, "The X-IDENTITY-HEADER header is missing or wrong."
        if query.get("api-version") != API_VERSION or not query.get("resource"):
            return HTTPStatus.BAD_REQUEST, f"The request needs api-version={API_VERSION} and a resource."
        if query.get("client_id", "").lower() != CLIENT_ID:
            return HTTPStatus.BAD_REQUEST, UNKNOWN_IDENTITY
        return None

    def _token_body(self, resource: str, client_id: str) -> dict[str, str]:
        self._issued += 1
        now = self.clock.now()
        expires = str(int((now + LIFETIME).timestamp()))
        claims = {"aud": resource, "appid": client_id, "exp": int(expires), "uti": f"{self.seed}-{self._issued}"}
        return {
            "access_token": self.tokens.issue(claims),
            "client_id": client_id,
            "expires_on": expires,
            "resource": resource,
            "token_type": "Bearer",
        }

    def _error_response(self, status: HTTPStatus, message: str) -> Response:
        correlation = str(uuid.UUID(int=len(self.journal) + 1))
        return Response.of({"statusCode": status, "message": message, "correlationId": correlation}, status)
