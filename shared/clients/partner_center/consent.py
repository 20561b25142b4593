"""A person's consent through MSAL: authorization code with PKCE and state in a browser, or a device code (12.3, 12.4).

Neither touches the vault: what is granted is looked at first and stored by the caller.
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
"""Where a new certificate waits until a sign-in with it has succeeded: the one in use stays until then."""

UNKNOWN_CERTIFICATE = "700027"
PENDING = frozenset({"authorization_pending", "slow_down"})
INTERVAL = 5  # seconds between two questions, where Entra ID names none (RFC 8628)
Flow = dict[str, Any]


class GrantedTokens(Redacted, frozen=True):
    """The two tokens of one answer; `refresh_token` is the newest one there is."""

    access_token: str
    refresh_token: str


class Consent:
    """One person's sign-in for one app registration."""

    def __init__(self, http: httpx.Client, app: AppRegistration, credential: Credential) -> None:
        """`credential` None: the registration is public. Raises ConfigurationError, and SignInFailed for settings."""
        self._http, self._registration, self._credential = http, app, credential
        self._authority = f"{app.authority.rstrip('/')}/{app.tenant}"
        endpoint = MsalHttpClient(http, self._authority)
        self._app = make_msal_application(endpoint, self._authority, app.client_id, credential)

    def check_certificate(self) -> None:
        """Ask, without a person, whether Entra ID knows the certificate. Raises SignInFailed (AADSTS700027) if not.

        Whatever else it says is left to the sign-in itself: an app alone may be refused what a person is not.
        """
        answer = call_msal(lambda: self._app.acquire_token_for_client(list(self._registration.scopes)))
        if "error" in answer and (refusal := EntraRefusal.from_answer(answer)).number == UNKNOWN_CERTIFICATE:
            raise refusal.as_error()

    def begin_browser_sign_in(self, redirect: str) -> Flow:
        """A flow whose `auth_uri` the person opens, and whose `state` the browser must bring back to `redirect`.

        The sign-in is asked for anew (`prompt=login`): an old session may lack multi-factor authentication. The browser
        comes back with a form, so that the code stands in no address and in no history.
        """
        scopes = list(self._registration.scopes)
        how = {"redirect_uri": redirect, "prompt": "login", "response_mode": "form_post"}
        return dict(call_msal(lambda: self._app.initiate_auth_code_flow(scopes, **how)))

    def finish_browser_sign_in(self, flow: Flow, answer: Mapping[str, str]) -> GrantedTokens:
        """What the browser brought back becomes tokens. Raises SignInFailed and Unavailable."""
        return _read_grant(call_msal(lambda: self._app.acquire_token_by_auth_code_flow(flow, dict(answer))))

    def begin_device_sign_in(self) -> Flow:
        """A flow whose `message` tells the person what to open and type. Raises as `finish`."""
        flow = dict(call_msal(lambda: self._app.initiate_device_flow(list(self._registration.scopes))))
        if "user_code" not in flow:
            raise EntraRefusal.from_answer(flow).as_error()
        return flow | {"interval": max(1, int(flow.get("interval", INTERVAL)))}

    def poll_device_sign_in(self, flow: Flow) -> GrantedTokens | None:
        """Ask once whether the person is done; None: not yet, ask again in `flow["interval"]` seconds (it grows)."""
        answer = call_msal(lambda: self._app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True))
        return None if answer.get("error") in PENDING else _read_grant(answer)

    def redeem_refresh_token(self, refresh_token: str, scope: str) -> GrantedTokens:
        """The refresh token redeemed for an audience, and its successor where there is one. Raises as `finish`."""
        registration = self._registration
        redemption = Redemption(self._http, self._authority, registration.client_id, [scope])
        answer = redemption(self._credential, refresh_token)
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
            remedy="Let the app registration ask for offline_access, then sign in again.",
        )
    return GrantedTokens(access, refresh)
