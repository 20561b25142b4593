"""Redeem a refresh token through MSAL, and prevent three behaviours of MSAL that do not fit here.

MSAL repeats a 400 from its memory for a minute, asks a host of Microsoft whether an unknown authority is genuine, and
raises any kind of exception for an unexpected answer. Therefore each failure is followed by a new MSAL object, instance
discovery is off (the authority is a setting), and only errors of `shared.foundation.errors` are raised.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

from shared.clients.partner_center.msal_http_client import MsalHttpClient
from shared.foundation.errors import CosellError, SignInFailed, Unavailable

if TYPE_CHECKING:
    from msal import ClientApplication  # type: ignore[import-untyped]  # ships no type information

Credential = str | dict[str, str] | None
"""A client secret, or `private_key` and `public_certificate` in PEM. None: a public registration, which has none."""


class Redemption:
    """Redeems refresh tokens of one app registration for one audience. Only one thread may use it at a time."""

    def __init__(self, http: httpx.Client, authority: str, client_id: str, scopes: Iterable[str]) -> None:
        """`authority` contains the tenant: https://login.microsoftonline.com/{tenant}."""
        self._endpoint = MsalHttpClient(http, authority)
        self._authority = authority
        self._client_id = client_id
        self._scopes = list(scopes)
        self._app: ClientApplication | None = None
        self._credential: Credential | None = None

    def redeem(self, credential: Credential, refresh_token: str) -> Mapping[str, Any]:
        """Entra's answer: tokens or `error`. Raises SignInFailed (wrong settings), Throttled, Unavailable."""
        if self._credential != credential:
            self._app, self._credential = None, credential
        app, self._app = self._app or self._make_application(credential), None
        answer = call_msal(lambda: app.acquire_token_by_refresh_token(refresh_token, self._scopes))
        if "error" not in answer:
            self._app = app
        return answer

    def _make_application(self, credential: Credential) -> "ClientApplication":
        return make_msal_application(self._endpoint, self._authority, self._client_id, credential)


def call_msal(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer of one call of MSAL: tokens or `error`. Raises only errors of `shared.foundation.errors`."""
    try:
        return call()
    except CosellError:
        raise
    except Exception as error:  # noqa: BLE001 - MSAL raises any kind of exception for an unexpected answer
        # No cause is attached, because MSAL's texts quote answers, id tokens among them.
        raise Unavailable(f"sign-in to Partner Center: unreadable answer ({type(error).__name__})") from None


def make_msal_application(
    endpoint: MsalHttpClient, authority: str, client_id: str, credential: Credential
) -> "ClientApplication":
    """MSAL's object for an app registration; without a credential, for a public one. Raises SignInFailed."""
    from msal import ConfidentialClientApplication, PublicClientApplication  # noqa: PLC0415 - takes a fifth of a second

    # On level DEBUG, MSAL logs claims of users.
    logging.getLogger("msal").setLevel(logging.WARNING)
    same = {"authority": authority, "instance_discovery": False, "http_client": endpoint}
    try:
        if credential is None:
            return PublicClientApplication(client_id, **same)
        return ConfidentialClientApplication(client_id, client_credential=credential, **same)
    except (ValueError, TypeError, KeyError):
        raise SignInFailed(
            "Entra ID does not know the authority, or the certificate cannot be read",
            code="signInSettings",
            remedy="Check the authority and tenant settings, and that the certificate in Key Vault is PEM with its"
            " private key and without a password.",
        ) from None
