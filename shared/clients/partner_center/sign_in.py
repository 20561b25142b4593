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

from shared.clients.partner_center.entra_errors import Refusal
from shared.clients.partner_center.refresh_token import RefreshToken
from shared.clients.partner_center.token_redemption import Credential, Redemption
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConsentNeeded, NotFound, SignInFailed, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.deadline import remaining

REFERRALS_SCOPE = "https://api.partner.microsoft.com/.default"
WEBHOOKS_SCOPE = "https://api.partnercenter.microsoft.com/.default"
AUTHORITY = "https://login.microsoftonline.com"

MARGIN = 300.0
"""Seconds before its end at which an access token is no longer used; half its life where it lives under ten minutes."""
PLACEHOLDER = "placeholder:"
"""How the value begins that the deployment puts where nobody has signed in yet."""
LONGEST_WAIT = 60.0
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


class _Access(Redacted, frozen=True):
    text: str
    end: float


class _Material(Redacted, frozen=True):
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
        refresh_token: RefreshToken | None = None,
    ) -> None:
        """Sign in over `http` (see `deadline.open_client`); `log` takes an event's name and fields."""
        self._vault = vault
        self._app, self._http = app, http
        self._redemption = Redemption(http, f"{app.authority.rstrip('/')}/{app.tenant}", app.client_id, app.scopes)
        self._log = log
        self._names = secrets or SecretNames()
        self._public = app.public
        self._clock = clock
        self._refresh_token = refresh_token or RefreshToken(vault, self._names.refresh_token, log)
        self._access: _Access | None = None

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
        if not self._refresh_token.lock.acquire(timeout=_patience()):
            raise Unavailable("sign-in to Partner Center: another thread's redemption takes too long")
        try:
            if self._access is known or not self._is_good(self._access):
                self._access = self._redeem()
            return self._access.text
        finally:
            self._refresh_token.lock.release()

    def _is_good(self, access: _Access | None) -> TypeIs[_Access]:
        return access is not None and self._clock() < access.end

    # --- one redemption, under the lock

    def _redeem(self) -> _Access:
        """Redeem; after a refusal that a rotated secret would explain, once more with what the vault has now."""
        self._access = None
        started, material = self._clock(), self._material(self._vault.get)
        answer = self._redemption(material.credential, material.refresh_token)
        if "error" in answer and Refusal.of(answer).may_be_rotated:
            self._refresh_token.give_up()
            used, material = material, self._material(self._vault.get_fresh)
            if material != used:
                started, answer = self._clock(), self._redemption(material.credential, material.refresh_token)
        if "error" in answer:
            raise Refusal.of(answer).failure()
        access = _accepted(answer, started)
        self._refresh_token.keep(answer.get("refresh_token"), material.refresh_token)
        return access

    def _material(self, read: Callable[[str], str]) -> _Material:
        try:
            refresh_token = self._refresh_token.text(read)
        except NotFound:
            raise _missing(self._names.refresh_token) from None
        if refresh_token.startswith(PLACEHOLDER):
            raise _missing(self._names.refresh_token)
        return _Material(None if self._public else credential(read, self._names), refresh_token)


def credential(read: Callable[[str], str], names: SecretNames) -> str | dict[str, str]:
    """What the vault has of the app registration: the certificate, else the secret. Raises SignInFailed for neither."""
    if names.certificate and (pem := _found(read, names.certificate)):
        return certified(pem)
    if names.client_secret and (secret := _found(read, names.client_secret)):
        return secret
    raise SignInFailed(
        f"Key Vault has neither {names.certificate} nor {names.client_secret}",
        code="credentialMissing",
        remedy="Put the app registration's certificate (PEM with its private key) or client secret into Key Vault.",
    )


def certified(pem: str) -> dict[str, str]:
    """A certificate with its private key as MSAL wants it."""
    return {"private_key": pem, "public_certificate": pem}


def _missing(name: str) -> ConsentNeeded:
    return ConsentNeeded(
        f"Key Vault has no refresh token in the secret {name}",
        code="refreshTokenMissing",
        remedy="Sign in once as the integration account, with multi-factor authentication.",
    )


def _patience() -> float:
    left = remaining()
    return LONGEST_WAIT if left is None else left


def _found(read: Callable[[str], str], name: str) -> str | None:
    try:
        return read(name)
    except NotFound:
        return None


def _accepted(answer: Mapping[str, Any], started: float) -> _Access:
    """The access token and the moment it is no longer used. Raises Unavailable for an answer without one."""
    text, life = answer.get("access_token"), str(answer.get("expires_in"))
    # Anything else could not stand in a header, and the error would quote it.
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable() and life.isdecimal()):
        raise Unavailable("sign-in to Partner Center: the answer has no access token with a life")
    seconds = float(life)
    return _Access(text, started + seconds - min(MARGIN, seconds / 2))
