"""Sign in to Partner Center without a person, by redeeming the refresh token in Key Vault through MSAL.

A person consents once (docs/reference/partner-center.md#authorization-code-and-refresh-grants). Each redemption
returns an access token, which is kept here until five minutes before it expires, and a new refresh token, which
`refresh_token.py` stores (docs/reference/partner-center.md#refresh-tokens). MSAL is imported at the first redemption.
"""

import time
from collections.abc import Callable, Mapping
from copy import replace
from typing import Any, TypeIs

import httpx
from msgspec import Struct

from shared.clients.partner_center.entra_errors import EntraRefusal
from shared.clients.partner_center.refresh_token import RefreshTokenKeeper
from shared.clients.partner_center.token_redemption import Credential, Redemption
from shared.clients.pem import with_line_breaks
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConsentNeeded, NotFound, SignInFailed, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.deadline import seconds_left

REFERRALS_SCOPE = "https://api.partner.microsoft.com/.default"
WEBHOOKS_SCOPE = "https://api.partnercenter.microsoft.com/.default"
AUTHORITY = "https://login.microsoftonline.com"

MARGIN_SECONDS = 300.0
"""An access token is not used in its last 300 seconds, or in its second half if it lives for less than ten minutes."""
PLACEHOLDER = "placeholder:"
"""The deployment stores a value with this beginning, until a person has signed in."""
LONGEST_WAIT_SECONDS = 60.0
"""Longest wait for the redemption of another thread, outside a call with a deadline."""


class AppRegistration(Struct, frozen=True):
    """The app registration in the partner's tenant, and the one audience of its tokens."""

    tenant: str
    client_id: str
    authority: str = AUTHORITY
    scopes: tuple[str, ...] = (REFERRALS_SCOPE,)
    public: bool = False
    """Whether it allows public client flows and has no credential (docs/reference/partner-center.md#device-code)."""


class SecretNames(Struct, frozen=True):
    """The secrets that the sign-in reads. It prefers a certificate (PEM with private key) to a client secret."""

    refresh_token: str = "partner-center-refresh-token"  # noqa: S105 - a name
    certificate: str | None = "partner-center-certificate"
    client_secret: str | None = "partner-center-client-secret"  # noqa: S105 - a name


class _AccessToken(Redacted, frozen=True):
    text: str
    usable_until: float


class _SignInSecrets(Redacted, frozen=True):
    credential: Credential
    refresh_token: str


class PartnerCenterSignIn:
    """Access tokens for one audience. Threads can share one object; they redeem one at a time.

    `for_audience` makes the sign-in for another audience, so that both share the one refresh token.
    """

    def __init__(
        self,
        vault: Vault,
        app: AppRegistration,
        *,
        http: httpx.Client,
        log: Callable[..., None],
        secrets: SecretNames | None = None,
        clock: Callable[[], float] = time.monotonic,
        refresh_token: RefreshTokenKeeper | None = None,
    ) -> None:
        """Sign in over `http` (see `shared.transport.client`). `log` takes the name of a log event and its fields."""
        self._vault = vault
        self._app, self._http = app, http
        self._redemption = Redemption(http, f"{app.authority.rstrip('/')}/{app.tenant}", app.client_id, app.scopes)
        self._log = log
        self._names = secrets or SecretNames()
        self._public = app.public
        self._clock = clock
        self._refresh_token = refresh_token or RefreshTokenKeeper(vault, self._names.refresh_token, log)
        self._access: _AccessToken | None = None

    def for_audience(self, *scopes: str) -> "PartnerCenterSignIn":
        """The same sign-in for another audience. Both redeem one at a time, so no new refresh token is lost."""
        return PartnerCenterSignIn(
            self._vault, replace(self._app, scopes=scopes), http=self._http, log=self._log, secrets=self._names,
            clock=self._clock, refresh_token=self._refresh_token,
        )  # fmt: skip

    def token(self, force: bool = False) -> str:
        """An access token. After a service answered 401, `force` demands one that this caller was not given before.

        Raises ConsentNeeded, MfaRequired, SignInFailed, Throttled, Unavailable, and what the vault raises.
        """
        kept = self._access
        if not force and self._is_usable(kept):
            return kept.text
        if not self._refresh_token.lock.acquire(timeout=_seconds_to_wait()):
            raise Unavailable("sign-in to Partner Center: the redemption of another thread takes too long")
        try:
            if self._access is kept or not self._is_usable(self._access):
                self._access = self._redeem_refresh_token()
            return self._access.text
        finally:
            self._refresh_token.lock.release()

    def _is_usable(self, access: _AccessToken | None) -> TypeIs[_AccessToken]:
        return access is not None and self._clock() < access.usable_until

    # --- one redemption, with the lock held

    def _redeem_refresh_token(self) -> _AccessToken:
        """Redeem the refresh token. After a refusal, redeem once more if the vault has newer secrets."""
        self._access = None
        started, secrets = self._clock(), self._read_secrets(self._vault.get)
        answer = self._redemption.redeem(secrets.credential, secrets.refresh_token)
        if "error" in answer and EntraRefusal.from_answer(answer).may_mean_stale_secret:
            self._refresh_token.forget_unsaved()
            refused, secrets = secrets, self._read_secrets(self._vault.get_fresh)
            if secrets != refused:
                started, answer = self._clock(), self._redemption.redeem(secrets.credential, secrets.refresh_token)
        if "error" in answer:
            raise EntraRefusal.from_answer(answer).as_error()
        access = _parse_access_token(answer, started)
        self._refresh_token.store_successor(answer.get("refresh_token"), secrets.refresh_token)
        return access

    def _read_secrets(self, read: Callable[[str], str]) -> _SignInSecrets:
        try:
            refresh_token = self._refresh_token.newest_token(read)
        except NotFound:
            raise _refresh_token_missing(self._names.refresh_token) from None
        if refresh_token.startswith(PLACEHOLDER):
            raise _refresh_token_missing(self._names.refresh_token)
        return _SignInSecrets(None if self._public else read_credential(read, self._names), refresh_token)


def read_credential(read: Callable[[str], str], names: SecretNames) -> str | dict[str, str]:
    """The app registration's certificate, or its client secret if the vault has no certificate.

    Raises SignInFailed if the vault has neither.
    """
    if names.certificate and (pem := _read_if_present(read, names.certificate)):
        return certificate_credential(pem)
    if names.client_secret and (secret := _read_if_present(read, names.client_secret)):
        return secret
    raise SignInFailed(
        f"Key Vault has neither {names.certificate} nor {names.client_secret}",
        code="credentialMissing",
        remedy="Put the app registration's certificate (PEM with its private key) or client secret into Key Vault.",
    )


def certificate_credential(pem: str) -> dict[str, str]:
    """A certificate with its private key, in the form that MSAL reads."""
    pem = with_line_breaks(pem)
    return {"private_key": pem, "public_certificate": pem}


def _refresh_token_missing(name: str) -> ConsentNeeded:
    return ConsentNeeded(
        f"Key Vault has no refresh token in the secret {name}",
        code="refreshTokenMissing",
        remedy="Sign in once as the integration account, with multi-factor authentication.",
    )


def _seconds_to_wait() -> float:
    left = seconds_left()
    return LONGEST_WAIT_SECONDS if left is None else left


def _read_if_present(read: Callable[[str], str], name: str) -> str | None:
    try:
        return read(name)
    except NotFound:
        return None


def _parse_access_token(answer: Mapping[str, Any], started: float) -> _AccessToken:
    """The access token in an answer, and until when it is used. Raises Unavailable if the answer has none."""
    text, life = answer.get("access_token"), str(answer.get("expires_in"))
    # Any other text is not allowed in a header, and the error about it would quote the token.
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable() and life.isdecimal()):
        raise Unavailable("sign-in to Partner Center: the answer has no access token with a lifetime")
    seconds = float(life)
    return _AccessToken(text, started + seconds - min(MARGIN_SECONDS, seconds / 2))
