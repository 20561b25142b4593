"""One redemption of a refresh token through MSAL, with MSAL's habits kept in check.

MSAL replays a 400 from memory for a minute, asks a host of its own choice whether an unknown authority is genuine, and
lets any exception through that a strange answer makes it stumble on. So: a new MSAL object after each failure, no
instance discovery (the authority is a setting), and errors of our own tree only.
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
"""A client secret, or `private_key` and `public_certificate` in PEM; None: the registration is public and has none."""


class Redemption:
    """Redeems refresh tokens of one app registration for one audience. Not safe to share between threads."""

    def __init__(self, http: httpx.Client, authority: str, client_id: str, scopes: Iterable[str]) -> None:
        """`authority` names the tenant: https://login.microsoftonline.com/{tenant}."""
        self._endpoint = MsalHttpClient(http, authority)
        self._authority = authority
        self._client_id = client_id
        self._scopes = list(scopes)
        self._app: ClientApplication | None = None
        self._credential: Credential | None = None

    def __call__(self, credential: Credential, refresh_token: str) -> Mapping[str, Any]:
        """Entra's answer, tokens or `error`. Raises SignInFailed (unusable settings), Throttled, Unavailable."""
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
    """The answer of one call of MSAL's, tokens or `error`. Raises errors of our own tree only."""
    try:
        return call()
    except CosellError:
        raise
    except Exception as error:  # noqa: BLE001 - MSAL raises whatever a strange answer makes it stumble on
        # MSAL's texts quote answers, id tokens among them.
        raise Unavailable(f"sign-in to Partner Center: unreadable answer ({type(error).__name__})") from None


def make_msal_application(
    endpoint: MsalHttpClient, authority: str, client_id: str, credential: Credential
) -> "ClientApplication":
    """MSAL's object for an app registration, a public one where there is no credential. Raises SignInFailed."""
    from msal import ConfidentialClientApplication, PublicClientApplication  # noqa: PLC0415 - a fifth of a second

    # At DEBUG MSAL writes claims of users.
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
