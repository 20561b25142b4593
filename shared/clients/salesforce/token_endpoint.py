"""Ask the token endpoint of Salesforce for an access token, and check where the token may be sent.

The token is sent only to hosts of Salesforce. Sources: docs/reference/salesforce.md#token-answer,
docs/reference/salesforce.md#refusals-of-the-token-endpoint.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import requests

from shared.clients.salesforce.soql_literals import full_id
from shared.foundation.errors import (
    ConfigurationError,
    ConsentNeeded,
    CosellError,
    SignInFailed,
    Throttled,
    Unavailable,
)
from shared.foundation.redacted import Redacted
from shared.transport.deadline import Deadline
from shared.transport.loopback import is_loopback

_SALESFORCE_DOMAINS = (".salesforce.com", ".force.com")
_IDENTITY = re.compile(r"/id/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/(005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)$")
"""The end of an identity URL: the id of the org, and that of the user."""
_BAD_REQUEST, _SERVER_ERROR, _TOO_MANY_REQUESTS = 400, 500, 429

_CONSENT_REMEDY = "Pre-authorise the integration user for the app: assign a permission set to the app's policies."
_CONSENT_WORDS = ("approved this consumer", "admin approved")
_REMEDIES = {
    "invalid_client_id": "Set the consumer key of the External Client App.",
    "invalid_client": "Upload the certificate that belongs to the key in the vault, and set the app's consumer key.",
    "app_not_found": "Set the login address to the My Domain of the org in which the app is installed.",
    "inactive_user": "Activate the integration user.",
    "inactive_org": "The org is not active: ask its administrator.",
    "unsupported_grant_type": "Allow the JWT bearer flow in the External Client App.",
}
_GRANT_REMEDIES = {
    "audience": "Set the audience to https://login.salesforce.com, or https://test.salesforce.com for a sandbox.",
    "expired": "Correct the clock of this machine: the assertion arrived after its three minutes.",
    "domain": "Set the login address to the My Domain of the org.",
}
_DEFAULT_GRANT_REMEDY = (
    "Check consumer key, user name, audience, and that the app holds the certificate of the vault's key."
)


class Token(Redacted, frozen=True):
    """An access token, the host that it is for, the ids of its org and user, and when it was issued (monotonic)."""

    value: str
    instance_url: str
    organization: str
    user: str
    issued: float


class TokenSource(Protocol):
    """Gives the token of the calls."""

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        """Return the token in use, or another one if Salesforce `refused` it. Raises SignInFailed and its kin."""


class TokenEndpoint:
    """The token endpoint of one org. Raises SignInFailed, ConsentNeeded, Unavailable, Throttled."""

    def __init__(
        self, login_url: str, session: requests.Session, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Check the login address without sending anything. Raises ConfigurationError."""
        self._session, self._monotonic = session, monotonic
        self._login = plain_https_address(login_url, "the Salesforce login address")
        self.url = login_url.rstrip("/")

    def check_same_org(self, token: Token) -> None:
        """Raise ConfigurationError unless the token is for the org of the login address."""
        if urlsplit(token.instance_url).netloc.lower() != self._login.netloc.lower():
            raise ConfigurationError(
                f"SALESFORCE_URL names {self._login.hostname}, and the administrator is signed in to "
                f"{urlsplit(token.instance_url).hostname}: sign in to the org of this environment"
            )

    def request_token(self, form: Mapping[str, str], deadline: Deadline) -> Token:
        """Return the token for a form, which holds the grant."""
        status, body = self._post_form(form, deadline)
        if status >= _BAD_REQUEST or not body.get("access_token"):
            raise _sign_in_error(status, body)
        return self._token_in(body)

    def revoke(self, token: Token, deadline: Deadline) -> bool:
        """End the session of a token, and return whether that worked; the token ends by itself after a while."""
        try:
            address = f"{self.url}/services/oauth2/revoke"
            form = {"token": token.value}
            answer = self._session.post(address, data=form, timeout=deadline.seconds_left(), allow_redirects=False)
        except requests.RequestException:
            return False
        return answer.status_code < _BAD_REQUEST

    def _post_form(self, form: Mapping[str, str], deadline: Deadline) -> tuple[int, Mapping[str, Any]]:
        address = f"{self.url}/services/oauth2/token"
        failure = ""
        try:
            answer = self._session.post(
                address, data=form, timeout=deadline.seconds_left(), allow_redirects=False, headers={"Accept": "*/*"}
            )
            body = answer.json()
        except requests.RequestException as error:
            failure = type(error).__name__
        if failure:
            # Raised here, so that it is not chained to an error that may hold the assertion.
            raise Unavailable(f"no readable answer from the Salesforce token endpoint: {failure}")
        return answer.status_code, body if isinstance(body, Mapping) else {}

    def _token_in(self, body: Mapping[str, Any]) -> Token:
        instance = str(body.get("instance_url") or "")
        self._check_host(instance)
        identity = _IDENTITY.search(str(body.get("id") or ""))
        if identity is None:
            raise Unavailable("the Salesforce token endpoint did not name the org and the user")
        organization, user = map(full_id, identity.groups())
        return Token(str(body["access_token"]), instance.rstrip("/"), organization, user, self._monotonic())

    def _check_host(self, instance: str) -> None:
        """Raise ConfigurationError unless the host is the one that signed us in, or one of Salesforce's.

        Source: docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs.
        """
        parts = plain_https_address(instance, "the instance address that Salesforce answered with")
        host, login = parts.hostname or "", self._login.hostname or ""
        both_local = is_loopback(host) and is_loopback(login)
        if host != login and not host.endswith(_SALESFORCE_DOMAINS) and not both_local:
            raise ConfigurationError(f"the token answer names the host {host[:100]}, which is not one of Salesforce's")


def plain_https_address(address: str, description: str) -> SplitResult:
    """Return the parts of the address. Raises ConfigurationError unless it is https with a host and nothing more."""
    parts = urlsplit(address)
    is_plain = not parts.username and parts.path in {"", "/"} and not parts.query and not parts.fragment
    if parts.scheme != "https" or not parts.hostname or not is_plain:
        raise ConfigurationError(
            f"{description} must be a plain https address such as https://example.my.salesforce.com"
        )
    return parts


def _sign_in_error(status: int, body: Mapping[str, Any]) -> CosellError:
    """Return the error for a refused sign-in. Salesforce's text may name the user, so only known words are searched.

    Source: docs/reference/salesforce.md#refusals-of-the-token-endpoint.
    """
    code, text = refusal_code(body.get("error")), str(body.get("error_description") or "").lower()
    if code == "rate_limit_exceeded" or status == _TOO_MANY_REQUESTS:
        return Throttled("Salesforce limits our sign-ins", after=60.0)
    if status >= _SERVER_ERROR or not code:
        return Unavailable(f"the Salesforce token endpoint answered {status} without a reason")
    if code == "invalid_app_access" or any(words in text for words in _CONSENT_WORDS):
        return ConsentNeeded(f"Salesforce sign-in refused: {code}", code=code, remedy=_CONSENT_REMEDY)
    grant_remedy = next((remedy for word, remedy in _GRANT_REMEDIES.items() if word in text), _DEFAULT_GRANT_REMEDY)
    return SignInFailed(f"Salesforce sign-in refused: {code}", code=code, remedy=_REMEDIES.get(code, grant_remedy))


def refusal_code(error: object) -> str:
    """Return the code of a refusal, cut to the length of one."""
    return str(error or "")[:80]
