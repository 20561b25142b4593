"""Let a person consent, in a browser (authorization code with PKCE and state) or with a device code.

Sources: docs/reference/partner-center.md#authorization-code-and-refresh-grants and
docs/reference/partner-center.md#device-code. This module does not write to the vault: the caller checks the tokens
first and then stores them.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from shared.clients.partner_center.entra_errors import EntraRefusal
from shared.clients.partner_center.msal_http_client import MsalHttpClient
from shared.clients.partner_center.sign_in import AppRegistration
from shared.clients.partner_center.token_redemption import Credential, Redemption, call_msal, make_msal_application
from shared.foundation.errors import ConsentNeeded, Unavailable
from shared.foundation.redacted import Redacted

NEXT_CERTIFICATE = "partner-center-certificate-next"
"""The secret that holds a new certificate until a sign-in with it succeeds. Until then the old one stays in use."""

WRONG_CREDENTIAL = frozenset({"700027", "7000215", "7000222"})
"""Numbers of refusals: the certificate is not known, the client secret is wrong, or it has ended."""
PENDING = frozenset({"authorization_pending", "slow_down"})
INTERVAL = 5  # seconds between two polls if Entra ID names no interval (RFC 8628, 3.2)
Flow = dict[str, Any]


class GrantedTokens(Redacted, frozen=True):
    """The two tokens of one answer. `refresh_token` is the newest one."""

    access_token: str
    refresh_token: str


class Consent:
    """One person's sign-in to one app registration."""

    def __init__(self, http: httpx.Client, app: AppRegistration, credential: Credential) -> None:
        """`credential` None: a public registration. Raises ConfigurationError or SignInFailed for wrong settings."""
        self._http, self._registration, self._credential = http, app, credential
        self._authority = f"{app.authority.rstrip('/')}/{app.tenant}"
        endpoint = MsalHttpClient(http, self._authority)
        self._app = make_msal_application(endpoint, self._authority, app.client_id, credential)

    def check_credential(self) -> None:
        """Check, without a person, that the app registration has the certificate or the client secret.

        Raises SignInFailed (`WRONG_CREDENTIAL`) if it does not. Any other refusal is ignored here, because Entra ID may
        refuse to an app alone what it grants to a person.
        """
        answer = call_msal(lambda: self._app.acquire_token_for_client(list(self._registration.scopes)))
        if "error" in answer and (refusal := EntraRefusal.from_answer(answer)).number in WRONG_CREDENTIAL:
            raise refusal.as_error()

    def begin_browser_sign_in(self, redirect: str) -> Flow:
        """A flow whose `auth_uri` the person opens. The browser must return its `state` to the address `redirect`.

        `prompt=login` demands a new sign-in, because an old session may lack multi-factor authentication. The browser
        returns with a form, so that the code is in no address and in no browser history.
        """
        scopes = list(self._registration.scopes)
        options = {"redirect_uri": redirect, "prompt": "login", "response_mode": "form_post"}
        return dict(call_msal(lambda: self._app.initiate_auth_code_flow(scopes, **options)))

    def finish_browser_sign_in(self, flow: Flow, answer: Mapping[str, str]) -> GrantedTokens:
        """The tokens for the values that the browser returned. Raises SignInFailed and Unavailable."""
        return _read_grant(call_msal(lambda: self._app.acquire_token_by_auth_code_flow(flow, dict(answer))))

    def begin_device_sign_in(self) -> Flow:
        """A flow whose `message` tells the person what to open and type. Raises as `finish_browser_sign_in`."""
        flow = dict(call_msal(lambda: self._app.initiate_device_flow(list(self._registration.scopes))))
        if "user_code" not in flow:
            raise EntraRefusal.from_answer(flow).as_error()
        return flow | {"interval": max(1, int(flow.get("interval", INTERVAL)))}

    def poll_device_sign_in(self, flow: Flow) -> GrantedTokens | None:
        """The tokens, or None while the person is not done: poll again in `flow["interval"]` seconds (can grow)."""
        answer = call_msal(lambda: self._app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True))
        return None if answer.get("error") in PENDING else _read_grant(answer)

    def redeem_refresh_token(self, refresh_token: str, scope: str) -> GrantedTokens:
        """An access token for the audience `scope`, and the newest refresh token. Raises SignInFailed, Unavailable."""
        registration = self._registration
        redemption = Redemption(self._http, self._authority, registration.client_id, [scope])
        answer = redemption.redeem(self._credential, refresh_token)
        return _read_grant({"refresh_token": refresh_token, **{k: v for k, v in answer.items() if v}})


def _read_grant(answer: Mapping[str, Any]) -> GrantedTokens:
    if "error" in answer:
        raise EntraRefusal.from_answer(answer).as_error()
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise Unavailable("sign-in to Partner Center: the answer has no access token")
    if not isinstance(refresh, str) or not refresh:
        raise ConsentNeeded(
            "sign-in to Partner Center: the answer has no refresh token",
            code="refreshTokenWithheld",
            remedy="Allow the app registration to ask for offline_access, then sign in again.",
        )
    return GrantedTokens(access, refresh)
