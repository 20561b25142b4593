"""Sign-in to Partner Center: MSAL's refresh-token grant, unattended (reference/partner-center.md 12.3, 12.5).

A person consents once; the refresh token lies in Key Vault. Each redemption gives an access token, kept here until five
minutes before its end, and a new refresh token, written back: who goes on redeeming the first one is locked out after
90 days. MSAL is imported at the first redemption, not with this module.
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
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConsentNeeded, NotFound, SignInFailed, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.deadline import seconds_left

REFERRALS_SCOPE = "https://api.partner.microsoft.com/.default"
WEBHOOKS_SCOPE = "https://api.partnercenter.microsoft.com/.default"
AUTHORITY = "https://login.microsoftonline.com"

MARGIN_SECONDS = 300.0
"""Seconds before its end at which an access token is no longer used; half its life where it lives under ten minutes."""
PLACEHOLDER = "placeholder:"
"""How the value begins that the deployment puts where nobody has signed in yet."""
LONGEST_WAIT_SECONDS = 60.0
"""Seconds to wait for another thread's redemption outside any call."""


class AppRegistration(Struct, frozen=True):
    """The app of the partner's own tenant, and the one audience its tokens are for."""

    tenant: str
    client_id: str
    authority: str = AUTHORITY
    scopes: tuple[str, ...] = (REFERRALS_SCOPE,)
    public: bool = False
    """Whether it allows public client flows and has no credential (12.4)."""


class SecretNames(Struct, frozen=True):
    """Where the vault keeps what sign-in needs. The certificate (PEM with its private key) goes before the secret."""

    refresh_token: str = "partner-center-refresh-token"  # noqa: S105 - a name
    certificate: str | None = "partner-center-certificate"
    client_secret: str | None = "partner-center-client-secret"  # noqa: S105 - a name


class _AccessToken(Redacted, frozen=True):
    text: str
    end: float


class _SignInSecrets(Redacted, frozen=True):
    credential: Credential
    refresh_token: str


class PartnerCenterSignIn:
    """Access tokens for one audience. Safe to share between threads: one redemption at a time.

    The sign-in for a further audience is made by `for_audience`, so that both share the one refresh token.
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
        """Sign in over `http` (see `deadline.open_client`); `log` takes an event's name and fields."""
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
        """The same sign-in for another audience: of both, one redeems at a time, and none loses a rotated token."""
        return PartnerCenterSignIn(
            self._vault, replace(self._app, scopes=scopes), http=self._http, log=self._log, secrets=self._names,
            clock=self._clock, refresh_token=self._refresh_token,
        )  # fmt: skip

    def token(self, force: bool = False) -> str:
        """An access token; `force` asks for one the caller has not been given yet (after a 401).

        Raises ConsentNeeded, MfaRequired, SignInFailed, Throttled, Unavailable, and what the vault raises.
        """
        known = self._access
        if not force and self._is_good(known):
            return known.text
        if not self._refresh_token.lock.acquire(timeout=_seconds_to_wait()):
            raise Unavailable("sign-in to Partner Center: another thread's redemption takes too long")
        try:
            if self._access is known or not self._is_good(self._access):
                self._access = self._redeem_refresh_token()
            return self._access.text
        finally:
            self._refresh_token.lock.release()

    def _is_good(self, access: _AccessToken | None) -> TypeIs[_AccessToken]:
        return access is not None and self._clock() < access.end

    # --- one redemption, under the lock

    def _redeem_refresh_token(self) -> _AccessToken:
        """Redeem; after a refusal that a rotated secret would explain, once more with what the vault has now."""
        self._access = None
        started, material = self._clock(), self._read_secrets(self._vault.get)
        answer = self._redemption(material.credential, material.refresh_token)
        if "error" in answer and EntraRefusal.from_answer(answer).may_mean_stale_secret:
            self._refresh_token.forget_unsaved()
            used, material = material, self._read_secrets(self._vault.get_fresh)
            if material != used:
                started, answer = self._clock(), self._redemption(material.credential, material.refresh_token)
        if "error" in answer:
            raise EntraRefusal.from_answer(answer).as_error()
        access = _parse_access_token(answer, started)
        self._refresh_token.store_successor(answer.get("refresh_token"), material.refresh_token)
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
    """What the vault has of the app registration: the certificate, else the secret. Raises SignInFailed for neither."""
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
    """A certificate with its private key as MSAL wants it."""
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
    """The access token and the moment it is no longer used. Raises Unavailable for an answer without one."""
    text, life = answer.get("access_token"), str(answer.get("expires_in"))
    # Anything else could not stand in a header, and the error would quote it.
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable() and life.isdecimal()):
        raise Unavailable("sign-in to Partner Center: the answer has no access token with a life")
    seconds = float(life)
    return _AccessToken(text, started + seconds - min(MARGIN_SECONDS, seconds / 2))
