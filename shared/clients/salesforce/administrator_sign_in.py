"""Sign in as an administrator: in the browser with PKCE, or with a session that another program gives.

The app of the browser sign-in has no certificate and no secret: without the person at the browser nobody can sign in
with it. Sources: docs/reference/salesforce.md#sign-in-in-the-browser, RFC 7636.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import requests

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import ApiConnection
from shared.clients.salesforce.token_endpoint import Token, TokenEndpoint, refusal_code
from shared.foundation.errors import SignInFailed
from shared.transport.deadline import Deadline

SCOPE = "api"
CHECK_APP_REMEDY = (
    "Check the app: its callback URL is exactly the address of this command, its scope is api, PKCE is required, no "
    "secret is required for the web server flow, and its policies admit this administrator."
)


class BrowserSignIn:
    """One sign-in by the authorization code grant. `address` is the page to open; `state` marks the answer to it."""

    def __init__(self, endpoint: TokenEndpoint, client_id: str, callback: str) -> None:
        """`callback` is the loopback address to which the browser returns."""
        self._endpoint, self._client_id, self._callback = endpoint, client_id, callback
        self._verifier, self.state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        query = {
            "response_type": "code", "client_id": client_id, "redirect_uri": callback, "scope": SCOPE,
            "state": self.state, "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }  # fmt: skip
        self.address = f"{endpoint.url}/services/oauth2/authorize?{urlencode(query)}"

    def redeem(self, answer: Mapping[str, str], deadline: Deadline) -> Token:
        """Return the token for the browser's answer. Raises SignInFailed and its kin."""
        if "code" not in answer:
            code = refusal_code(answer.get("error"))
            raise SignInFailed(f"Salesforce sign-in refused: {code}", code=code, remedy=CHECK_APP_REMEDY)
        form = {
            "grant_type": "authorization_code", "client_id": self._client_id, "redirect_uri": self._callback,
            "code": answer["code"], "code_verifier": self._verifier,
        }  # fmt: skip
        try:
            return self._endpoint.request_token(form, deadline)
        except SignInFailed as error:
            code, sentence = error.code, str(error)
        raise SignInFailed(sentence, code=code, remedy=CHECK_APP_REMEDY)


class _GivenToken:
    """A session that cannot be renewed."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        """Return the token. Raises SignInFailed if Salesforce refused it."""
        del deadline
        if refused is not None:
            raise SignInFailed(
                "Salesforce refused the administrator's session", code="INVALID_SESSION_ID", remedy="Sign in again."
            )
        return self._token


def open_with_token(token: Token, session: requests.Session, *, version: str, seconds: float) -> SalesforceClient:
    """Return a client under the session of a person. `seconds` is the total time of a call."""
    return SalesforceClient(
        ApiConnection(_GivenToken(token), session, version=version, seconds=seconds, now=lambda: datetime.now(UTC))
    )
