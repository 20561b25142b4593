"""Sign in to Salesforce with the JWT bearer flow and a private key from the vault.

One token serves all threads. It is renewed after an hour, or when Salesforce refuses it. While one thread signs in, the
others wait for its token, or raise its error too. The token is sent only to hosts of Salesforce. Sources:
docs/reference/salesforce.md#sign-in-with-a-jwt-assertion,
docs/reference/salesforce.md#signing-keys-and-certificates.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from msgspec import Struct

from shared.clients.salesforce.private_keys import private_keys_in
from shared.clients.salesforce.soql_literals import full_id
from shared.clients.vault_ports import Vault
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

ASSERTION_SECONDS = 180
TOKEN_SECONDS = 3600.0
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
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


class Identity(Struct, frozen=True):
    """The user who signs in, and where. `audience` is login.salesforce.com, or test.salesforce.com for a sandbox."""

    login_url: str
    client_id: str
    username: str
    key_name: str
    audience: str = "https://login.salesforce.com"


class Token(Redacted, frozen=True):
    """An access token, the host that it is for, the ids of its org and user, and when it was issued (monotonic)."""

    value: str
    instance_url: str
    organization: str
    user: str
    issued: float


class SignIn:
    """Gives all threads one token. Raises SignInFailed, ConsentNeeded, Unavailable, Throttled."""

    def __init__(
        self,
        identity: Identity,
        vault: Vault,
        session: requests.Session,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check the login address without sending anything. Raises ConfigurationError."""
        self._identity, self._vault, self._session = identity, vault, session
        self._now, self._monotonic = now, monotonic
        self._login = _plain_https_address(identity.login_url, "the Salesforce login address")
        self._turn = threading.Lock()
        self._token: Token | None = None
        self._failures: list[CosellError] = []

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        """Return the token in use, or a new one if it is missing, an hour old, or the one that Salesforce `refused`.

        A sign-in, with its reading of the key, ends with `deadline`.
        """
        current = self._token
        if current is not None and self._is_usable(current, refused):
            return current
        failed = self._failures[-1:]
        with deadline, self._one_thread_at_a_time(deadline):
            current = self._token
            if current is not None and self._is_usable(current, refused):
                return current
            if self._failures[-1:] != failed:
                raise self._failures[-1]
            return self._sign_in(deadline)

    def _is_usable(self, token: Token, refused: Token | None) -> bool:
        return token is not refused and self._monotonic() - token.issued < TOKEN_SECONDS

    @contextmanager
    def _one_thread_at_a_time(self, deadline: Deadline) -> Iterator[None]:
        if not self._turn.acquire(timeout=deadline.seconds_left()):
            raise Unavailable("another thread's sign-in to Salesforce took too long")
        try:
            yield
        finally:
            self._turn.release()

    def _sign_in(self, deadline: Deadline) -> Token:
        try:
            self._token = self._with_fresh_key(deadline)
        except CosellError as error:
            self._failures = [error]
            raise
        return self._token

    def _with_fresh_key(self, deadline: Deadline) -> Token:
        """Sign in. After a refusal, try once more if the vault holds another key by now (a rotation)."""
        secret = self._vault.get(self._identity.key_name)
        try:
            return self._try_each_key(private_keys_in(secret), deadline)
        except SignInFailed:
            fresh_secret = self._vault.get_fresh(self._identity.key_name)
            if fresh_secret == secret:
                raise
        return self._try_each_key(private_keys_in(fresh_secret), deadline)

    def _try_each_key(self, keys: Sequence[str], deadline: Deadline) -> Token:
        """Sign in with the first key that Salesforce accepts. If it accepts none, raise the error of the newest key."""
        refusal: SignInFailed | None = None
        for key in keys:
            try:
                return self._request_token(key, deadline)
            except ConsentNeeded:
                raise  # the signature was valid, so another key would not help
            except SignInFailed as error:
                refusal = refusal or error
        raise refusal or ConfigurationError(f"the secret {self._identity.key_name} holds no key")

    def _request_token(self, key: str, deadline: Deadline) -> Token:
        form = {"grant_type": GRANT_TYPE, "assertion": self._signed_assertion(key)}
        status, body = self._post_form(form, deadline)
        if status >= _BAD_REQUEST or not body.get("access_token"):
            raise _sign_in_error(status, body)
        return self._token_in(body)

    def _post_form(self, form: Mapping[str, str], deadline: Deadline) -> tuple[int, Mapping[str, Any]]:
        address = f"{self._identity.login_url.rstrip('/')}/services/oauth2/token"
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

    def _signed_assertion(self, key: str) -> str:
        import jwt  # noqa: PLC0415 - loads cryptography, which only a sign-in needs

        claims = {
            "iss": self._identity.client_id,
            "sub": self._identity.username,
            "aud": self._identity.audience,
            "exp": int(self._now().timestamp()) + ASSERTION_SECONDS,
        }
        try:
            return jwt.encode(claims, key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            pass
        raise ConfigurationError(f"the secret {self._identity.key_name} is not an RSA private key in PEM form")

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
        parts = _plain_https_address(instance, "the instance address that Salesforce answered with")
        host, login = parts.hostname or "", self._login.hostname or ""
        both_local = is_loopback(host) and is_loopback(login)
        if host != login and not host.endswith(_SALESFORCE_DOMAINS) and not both_local:
            raise ConfigurationError(f"the token answer names the host {host[:100]}, which is not one of Salesforce's")


def _plain_https_address(address: str, description: str) -> SplitResult:
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
    code, text = str(body.get("error") or "")[:80], str(body.get("error_description") or "").lower()
    if code == "rate_limit_exceeded" or status == _TOO_MANY_REQUESTS:
        return Throttled("Salesforce limits our sign-ins", after=60.0)
    if status >= _SERVER_ERROR or not code:
        return Unavailable(f"the Salesforce token endpoint answered {status} without a reason")
    if code == "invalid_app_access" or any(words in text for words in _CONSENT_WORDS):
        return ConsentNeeded(f"Salesforce sign-in refused: {code}", code=code, remedy=_CONSENT_REMEDY)
    grant_remedy = next((remedy for word, remedy in _GRANT_REMEDIES.items() if word in text), _DEFAULT_GRANT_REMEDY)
    return SignInFailed(f"Salesforce sign-in refused: {code}", code=code, remedy=_REMEDIES.get(code, grant_remedy))
