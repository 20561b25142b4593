"""Sign people in with the browser: the sign-in page, and the codes that it gives to apps.

The contract: docs/reference/salesforce.md#sign-in-in-the-browser.
"""

import base64
import hashlib
import html
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from emulators.base.server import Request, Response
from emulators.salesforce.client_apps import App
from emulators.salesforce.data.schema import Record
from emulators.salesforce.oauth_error import OAuthError

CODE_LIFETIME = timedelta(minutes=15)
WRONG_PASSWORD = (
    "Please check your username and password. If you still can't log in, contact your Salesforce administrator."  # noqa: S105 - a sentence
)


@dataclass(slots=True)
class Code:
    """A code that the page gave: to which app, for whom, and how it must be redeemed."""

    client_id: str
    user: str
    callback: str
    challenge: str
    until: datetime
    used: bool = False


class AuthorizationCodes:
    """The sign-in page, and the codes that nobody has redeemed yet. Any password is right."""

    def __init__(
        self, apps: Mapping[str, App], now: Callable[[], datetime], find_user: Callable[[str], Record | None]
    ) -> None:
        """`find_user` returns a user's record by user name."""
        self._apps, self._now, self._find_user = apps, now, find_user
        self._codes: dict[str, Code] = {}

    def answer_page(self, request: Request) -> Response:
        """Answer `/services/oauth2/authorize`: the page, or after its form the way back to the app."""
        try:
            app = self._app_of(request.query)
            _check_callback(app, request.query.get("redirect_uri", ""))
        except OAuthError as error:  # there is no address to which the browser could return
            return Response(error.status, urlencode(error.body).encode(), {"Content-Type": ""})
        try:
            _check_parameters(request.query)
            if request.method != "POST":
                return _sign_in_page()
            user = self._find_user(request.form().get("username", ""))
            if user is None or not user["IsActive"]:
                return _sign_in_page(WRONG_PASSWORD)
            if not app.admits(user["Username"]):
                raise OAuthError("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app")  # noqa: TRY301 - one place sends errors back
            return _send_back(request.query, {"code": self._new_code(request.query, user["Id"])})
        except OAuthError as error:
            return _send_back(request.query, error.body)

    def redeem(self, form: Mapping[str, str]) -> str:
        """The id of the user for whom the page gave a code. Raises OAuthError."""
        app = self._app_of(form)
        code = self._codes.get(form.get("code", ""))
        if code is None or code.client_id != form.get("client_id"):
            raise OAuthError("invalid_grant", "invalid authorization code")
        if code.used or self._now() >= code.until:
            raise OAuthError("invalid_grant", "expired authorization code")
        _check_callback(app, form.get("redirect_uri", ""))
        if form["redirect_uri"] != code.callback:
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
        if not secrets.compare_digest(code.challenge, _challenge_of(form.get("code_verifier", ""))):
            raise OAuthError("invalid_grant", "invalid code verifier")
        code.used = True
        return code.user

    def _app_of(self, parameters: Mapping[str, str]) -> App:
        app = self._apps.get(parameters.get("client_id", ""))
        if app is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        return app

    def _new_code(self, query: Mapping[str, str], user: str) -> str:
        text = f"aPrx{secrets.token_urlsafe(48)}=="
        until = self._now() + CODE_LIFETIME
        self._codes[text] = Code(query["client_id"], user, query["redirect_uri"], query["code_challenge"], until)
        return text


def _check_callback(app: App, callback: str) -> None:
    if callback not in app.callbacks:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")


def _check_parameters(query: Mapping[str, str]) -> None:
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        raise OAuthError("invalid_request", "missing required code challenge")


def _challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _send_back(query: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    state = {"state": query["state"]} if "state" in query else {}
    return Response(302, b"", {"Location": f"{query['redirect_uri']}?{urlencode({**answer, **state})}"})


def _sign_in_page(message: str = "") -> Response:
    body = (
        f"<!doctype html><title>Login | Salesforce</title><p>{html.escape(message)}</p>"
        '<form method="post"><input name="username"><input type="password" name="pw"><button>Log In</button></form>'
    )
    return Response(200, body.encode(), {"Content-Type": "text/html;charset=UTF-8", "Cache-Control": "no-store"})
