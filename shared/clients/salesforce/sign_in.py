"""Sign in to Salesforce with the JWT bearer flow and a private key from the vault.

One token serves all threads. It is renewed after an hour, or when Salesforce refuses it. While one thread signs in, the
others wait for its token, or raise its error too. Sources:
docs/reference/salesforce.md#sign-in-with-a-jwt-assertion,
docs/reference/salesforce.md#signing-keys-and-certificates.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import requests
from msgspec import Struct

from shared.clients.salesforce.private_keys import private_keys_in
from shared.clients.salesforce.token_endpoint import Token, TokenEndpoint
from shared.clients.vault_ports import Vault
from shared.foundation.errors import (
    ConfigurationError,
    ConsentNeeded,
    CosellError,
    SignInFailed,
    Unavailable,
)
from shared.transport.deadline import Deadline

ASSERTION_SECONDS = 180
TOKEN_SECONDS = 3600.0
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Identity(Struct, frozen=True):
    """The user who signs in, and where. `audience` is login.salesforce.com, or test.salesforce.com for a sandbox."""

    login_url: str
    client_id: str
    username: str
    key_name: str
    audience: str = "https://login.salesforce.com"


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
        self._identity, self._vault = identity, vault
        self._now, self._monotonic = now, monotonic
        self._endpoint = TokenEndpoint(identity.login_url, session, monotonic=monotonic)
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
        return self._endpoint.request_token(form, deadline)

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
