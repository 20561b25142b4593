"""Emulate the interactive sign-in of Entra ID: authorization code with PKCE, and device code.

The setting `person` plays the person at the sign-in page: `consents`, `refuses`, or `waits`, which leaves the page
open. The setting `mfa` says whether they use a second factor, `consented` to which APIs an administrator consented.

Sources: docs/reference/partner-center.md#authorization-code-and-refresh-grants,
docs/reference/partner-center.md#device-code
"""

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from emulators.base.server import Response
from emulators.entra.aadsts_errors import AadstsError, describe_error
from emulators.entra.tenant_state import TenantState, requested_audience

CODE_LIFE, DEVICE_LIFE = 600.0, 900  # seconds
DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
DECLINED, NO_REDIRECT, NO_PKCE, REDEEMED, OTHER_REPLY, WRONG_VERIFIER = 65004, 50011, 9002325, 54005, 500112, 501481
PENDING, DEVICE_EXPIRED, UNKNOWN_DEVICE = 70016, 70019, 70018


@dataclass(slots=True)
class Consent:
    """The consent behind a code; `redirect` and `challenge` belong to an authorization code only."""

    client_id: str
    audience: str
    expires: float
    redirect: str = ""
    challenge: str = ""
    nonce: str | None = None
    offline: bool = True
    redeemed: bool = False


class Consents:
    """The authorization codes and device codes of one tenant. The methods that redeem a code raise AadstsError."""

    def __init__(self, state: TenantState) -> None:
        """Start without codes."""
        self._state = state
        self._codes: dict[str, Consent] = {}
        self._devices: dict[str, Consent] = {}

    # --- authorization code

    def authorize(self, query: Mapping[str, str], *, v2: bool) -> Response:
        """Answer the browser: send it back to the app with a code or an error, or show a page."""
        try:
            redirect = self._check_redirect(query)
        except AadstsError as error:
            # The address is not one of the app's, so nothing may be sent to it.
            return _html_page(f"AADSTS{error.code}: {describe_error(error.code)[2]}", 400)
        if query.get("response_type") != "code" or query.get("response_mode", "query") not in ("query", "form_post"):
            return _html_page("Only response_type=code with response_mode=query or form_post is emulated.", 400)
        if self._state.settings.person == "waits":
            return _html_page("Sign in to your account")
        return _send_back(redirect, query, self._answer_authorization(query, redirect, v2=v2))

    def _check_redirect(self, query: Mapping[str, str]) -> str:
        app, redirect = self._state.apps.get(query.get("client_id", "")), query.get("redirect_uri", "")
        if app is None:
            raise AadstsError(700016)
        if redirect not in app.redirects and _without_loopback_port(redirect) not in app.redirects:
            raise AadstsError(NO_REDIRECT)
        return redirect

    def _answer_authorization(self, query: Mapping[str, str], redirect: str, *, v2: bool) -> dict[str, str]:
        try:
            self._state.raise_planned_failure("authorize")
            return {"code": self._issue_code(query, redirect, v2=v2), "session_state": "local"}
        except AadstsError as error:
            _, kind, text = describe_error(error.code)
            return {"error": kind, "error_description": f"AADSTS{error.code}: {text}"}

    def _issue_code(self, query: Mapping[str, str], redirect: str, *, v2: bool) -> str:
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise AadstsError(NO_PKCE)
        if self._state.settings.person == "refuses":
            raise AadstsError(DECLINED)
        audience = requested_audience(query, v2=v2)
        self._state.require_admin_consent(audience)
        code = f"0.AC{self._state.make_random_id()}"
        self._codes[code] = Consent(
            query["client_id"], audience, self._state.seconds_from_now(CODE_LIFE), redirect,
            query.get("code_challenge", ""), query.get("nonce"), _asks_for_refresh_token(query, v2=v2),
        )  # fmt: skip
        return code

    def redeem_code(self, form: Mapping[str, str]) -> Consent:
        """Return the consent behind an authorization code. A code can be redeemed once. Raises AadstsError."""
        consent = self._codes.get(form.get("code", ""))
        if consent is None or consent.client_id != form["client_id"]:
            raise AadstsError(70000)
        if consent.redeemed:
            raise AadstsError(REDEEMED)
        if consent.expires <= self._state.seconds_from_now(0):
            raise AadstsError(70008)
        if consent.redirect != form.get("redirect_uri"):
            raise AadstsError(OTHER_REPLY)
        if consent.challenge and consent.challenge != _s256_challenge(form.get("code_verifier", "")):
            raise AadstsError(WRONG_VERIFIER)
        consent.redeemed = True
        return consent

    # --- device code

    def start_device_sign_in(self, form: Mapping[str, str], *, v2: bool) -> Response:
        """Return a device code for the app and a short code for the person. Raises AadstsError."""
        audience = requested_audience(form, v2=v2)
        code, short = f"DC{self._state.make_random_id()}", self._state.make_random_id()[:8].upper()
        expires = self._state.seconds_from_now(DEVICE_LIFE)
        self._devices[code] = Consent(
            form["client_id"], audience, expires, offline=_asks_for_refresh_token(form, v2=v2)
        )
        address = "https://microsoft.com/devicelogin"
        message = (
            f"To sign in, use a web browser to open the page {address} and enter the code {short} to authenticate."
        )
        interval = self._state.settings.device_interval
        return Response.of({"user_code": short, "device_code": code, "verification_uri": address,
                            "expires_in": DEVICE_LIFE, "interval": interval, "message": message})  # fmt: skip

    def redeem_device_code(self, form: Mapping[str, str]) -> Consent:
        """Return the consent behind a device code. Raises AadstsError, also while the person has not signed in."""
        consent = self._devices.get(form.get("device_code") or form.get("code", ""))
        if consent is None or consent.client_id != form["client_id"]:
            raise AadstsError(UNKNOWN_DEVICE)
        if consent.expires <= self._state.seconds_from_now(0):
            raise AadstsError(DEVICE_EXPIRED)
        person = self._state.settings.person
        if person != "consents":
            raise AadstsError(PENDING if person == "waits" else DECLINED)
        self._state.require_admin_consent(consent.audience)
        return consent


def _without_loopback_port(redirect: str) -> str | None:
    """Return a `localhost` address without its port, because a command listens on any free one; else None."""
    try:
        parts = urlsplit(redirect)
    except ValueError:
        return None
    return f"{parts.scheme}://localhost{parts.path.rstrip('/')}" if parts.hostname == "localhost" else None


def _send_back(redirect: str, query: Mapping[str, str], answer: dict[str, str]) -> Response:
    state = {"state": query["state"]} if "state" in query else {}
    if query.get("response_mode") == "form_post":
        return _self_submitting_page(redirect, answer | state)
    separator = "&" if urlsplit(redirect).query else "?"
    return Response(302, b"", {"Location": f"{redirect}{separator}{urlencode(answer | state)}"})


def _html_page(text: str, status: int = 200) -> Response:
    body = f"<!doctype html><title>Sign in</title><p>{html.escape(text)}</p>"
    return Response(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _self_submitting_page(redirect: str, answer: Mapping[str, str]) -> Response:
    """Return a page with a form that the browser posts to the app as soon as it has loaded."""
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in answer.items()
    )
    form = f'<form method="post" action="{html.escape(redirect)}">{fields}</form>'
    body = f"<!doctype html><title>Working...</title>{form}<script>document.forms[0].submit()</script>"
    return Response(200, body.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def _asks_for_refresh_token(fields: Mapping[str, str], *, v2: bool) -> bool:
    """Return whether the answer must have a refresh token. v1 always gives one, v2 only for `offline_access`."""
    return not v2 or "offline_access" in fields.get("scope", "").split()


def _s256_challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
