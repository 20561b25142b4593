"""The interactive half of Entra ID: authorization code with PKCE, and device code; a setting plays the person.

`EntraSettings.person`: `consents`, `refuses`, or `waits` (sits before the page and does nothing). The settings `mfa`
and `consented` tell whether he used a second factor, and whether an administrator consented to both APIs.
"""

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from emulators.base.server import Response
from emulators.entra.aadsts_errors import AadstsError, describe_error

if TYPE_CHECKING:
    from emulators.entra.emulator import EntraEmulator

CODE_LIFE, DEVICE_LIFE = 600.0, 900  # seconds
DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
DECLINED, NO_REDIRECT, NO_PKCE, REDEEMED, OTHER_REPLY, WRONG_VERIFIER = 65004, 50011, 9002325, 54005, 500112, 501481
PENDING, DEVICE_EXPIRED, UNKNOWN_DEVICE = 70016, 70019, 70018


@dataclass(slots=True)
class Consent:
    """What a person consented to, or still may; `redirect` and `challenge` belong to an authorization code."""

    client_id: str
    audience: str
    expires: float
    redirect: str = ""
    challenge: str = ""
    nonce: str | None = None
    offline: bool = True
    redeemed: bool = False


class Consents:
    """The codes of one tenant that wait to be redeemed. Raises AadstsError."""

    def __init__(self, entra: "EntraEmulator") -> None:
        """Nobody has consented yet."""
        self._entra = entra
        self._codes: dict[str, Consent] = {}
        self._devices: dict[str, Consent] = {}

    # --- the browser

    def authorize(self, query: Mapping[str, str], *, v2: bool) -> Response:
        """Send the browser back to the app with a code or an error, or leave it with a page."""
        try:
            redirect = self._check_redirect(query)
        except AadstsError as error:
            # Nothing is ever sent to an address that is not the app's.
            return _html_page(f"AADSTS{error.code}: {describe_error(error.code)[2]}", 400)
        if query.get("response_type") != "code" or query.get("response_mode", "query") not in ("query", "form_post"):
            return _html_page("Not emulated: response_type=code with response_mode=query or form_post is.", 400)
        if self._entra.settings.person == "waits":
            return _html_page("Sign in to your account")
        return _send_back(redirect, query, self._answer_authorization(query, redirect, v2=v2))

    def _check_redirect(self, query: Mapping[str, str]) -> str:
        app, redirect = self._entra.apps.get(query.get("client_id", "")), query.get("redirect_uri", "")
        if app is None:
            raise AadstsError(700016)
        if redirect not in app.redirects and _without_loopback_port(redirect) not in app.redirects:
            raise AadstsError(NO_REDIRECT)
        return redirect

    def _answer_authorization(self, query: Mapping[str, str], redirect: str, *, v2: bool) -> dict[str, str]:
        try:
            self._entra.raise_planned_failure("authorize")
            return {"code": self._issue_code(query, redirect, v2=v2), "session_state": "local"}
        except AadstsError as error:
            _, kind, text = describe_error(error.code)
            return {"error": kind, "error_description": f"AADSTS{error.code}: {text}"}

    def _issue_code(self, query: Mapping[str, str], redirect: str, *, v2: bool) -> str:
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise AadstsError(NO_PKCE)
        if self._entra.settings.person == "refuses":
            raise AadstsError(DECLINED)
        audience = self._entra.requested_audience(query, v2=v2)
        self._entra.check_consent(audience)
        code = f"0.AC{self._entra.make_random_id()}"
        self._codes[code] = Consent(
            query["client_id"], audience, self._seconds_from_now(CODE_LIFE), redirect, query.get("code_challenge", ""),
            query.get("nonce"), _asks_for_refresh_token(query, v2=v2),
        )  # fmt: skip
        return code

    def redeem_code(self, form: Mapping[str, str]) -> Consent:
        """What an authorization code stands for; a code counts once."""
        found = self._codes.get(form.get("code", ""))
        if found is None or found.client_id != form["client_id"]:
            raise AadstsError(70000)
        if found.redeemed:
            raise AadstsError(REDEEMED)
        if found.expires <= self._seconds_from_now(0):
            raise AadstsError(70008)
        if found.redirect != form.get("redirect_uri"):
            raise AadstsError(OTHER_REPLY)
        if found.challenge and found.challenge != _s256_challenge(form.get("code_verifier", "")):
            raise AadstsError(WRONG_VERIFIER)
        found.redeemed = True
        return found

    # --- the device code

    def start_device_sign_in(self, form: Mapping[str, str], *, v2: bool) -> Response:
        """A device code and the short one that a person types."""
        audience = self._entra.requested_audience(form, v2=v2)
        code, short = f"DC{self._entra.make_random_id()}", self._entra.make_random_id()[:8].upper()
        self._devices[code] = Consent(
            form["client_id"],
            audience,
            self._seconds_from_now(DEVICE_LIFE),
            offline=_asks_for_refresh_token(form, v2=v2),
        )
        address = "https://microsoft.com/devicelogin"
        message = (
            f"To sign in, use a web browser to open the page {address} and enter the code {short} to authenticate."
        )
        interval = self._entra.settings.device_interval
        return Response.of({"user_code": short, "device_code": code, "verification_uri": address,
                            "expires_in": DEVICE_LIFE, "interval": interval, "message": message})  # fmt: skip

    def redeem_device_code(self, form: Mapping[str, str]) -> Consent:
        """What the person did about a device code."""
        found = self._devices.get(form.get("device_code") or form.get("code", ""))
        if found is None or found.client_id != form["client_id"]:
            raise AadstsError(UNKNOWN_DEVICE)
        if found.expires <= self._seconds_from_now(0):
            raise AadstsError(DEVICE_EXPIRED)
        if self._entra.settings.person != "consents":
            raise AadstsError(PENDING if self._entra.settings.person == "waits" else DECLINED)
        self._entra.check_consent(found.audience)
        return found

    def _seconds_from_now(self, seconds: float) -> float:
        return self._entra.clock.now().timestamp() + seconds


def _without_loopback_port(redirect: str) -> str | None:
    """Of a loopback the port does not count: a command takes a free one. None for any other address."""
    try:
        named = urlsplit(redirect)
    except ValueError:
        return None
    return f"{named.scheme}://localhost{named.path.rstrip('/')}" if named.hostname == "localhost" else None


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
    """A page that posts itself to the app, as soon as the browser has it."""
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in answer.items()
    )
    form = f'<form method="post" action="{html.escape(redirect)}">{fields}</form>'
    body = f"<!doctype html><title>Working...</title>{form}<script>document.forms[0].submit()</script>"
    return Response(200, body.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def _asks_for_refresh_token(asked: Mapping[str, str], *, v2: bool) -> bool:
    """Whether a refresh token was asked for; v1 always gives one."""
    return not v2 or "offline_access" in asked.get("scope", "").split()


def _s256_challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
