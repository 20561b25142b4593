"""Emulate Entra ID, v1 and v2: token endpoint, authorization code, device code and discovery document.

Source: docs/reference/partner-center.md#sign-in. The control API has these routes besides the shared ones:

    POST   /_control/next-refresh-fails     {"code": 50173, "times": 1}
    POST   /_control/next-sign-in-fails     {"code": 50076, "times": 1, "at": "authorize"} or at "token", "devicecode"
    POST   /_control/revoke-access-tokens
    POST   /_control/settings               see `emulators/entra/settings.py`
    POST   /_control/refresh-token          -> {"refresh_token": ...}, as after an interactive sign-in
    POST   /_control/apps                   {"client_id": ..., "secrets": [...], "certificates": [...], "public": ...}
"""

import base64
import json
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from emulators.base.control_body import convert_strictly
from emulators.base.emulator import CONTROL, Emulator
from emulators.base.server import Request, Response
from emulators.entra.aadsts_errors import AadstsError
from emulators.entra.app_registrations import AppRegistration
from emulators.entra.consents import DEVICE_GRANTS, Consent, Consents
from emulators.entra.settings import EntraSettings
from emulators.entra.tenant_state import TenantState, requested_audience
from emulators.entra.tokens import REFERRALS_AUDIENCE, SigningKey, TokenRefused, User

TENANT = "aaaabbbb-0000-4111-8222-ccccdddd0001"
CLIENT_ID = "aaaabbbb-0000-4111-8222-ccccdddd0002"
SECRET = "local-client-secret"  # noqa: S105 - the made-up secret of a local run
USER_ID = "aaaabbbb-0000-4111-8222-ccccdddd0003"
REFRESH_LIFE = timedelta(days=90)


@dataclass(slots=True)
class _Grant:
    """The app that a refresh token belongs to, and its end in epoch seconds; 0 after it was invalidated."""

    client_id: str
    expires: float


class EntraEmulator(Emulator):
    """One tenant with one user and some apps."""

    def __init__(
        self,
        *,
        seed: int = 0,
        tenant: str = TENANT,
        client_id: str = CLIENT_ID,
        client_secret: str = SECRET,
        user: User | None = None,
    ) -> None:
        """Register the app `client_id` with `client_secret`. `register_app` adds further apps and certificates."""
        super().__init__(seed=seed)
        self.tenant, self.client_id, self.client_secret = tenant, client_id, client_secret
        self.user = user or User(USER_ID)
        self.key = SigningKey()
        self.reset_state()

    def reset_state(self) -> None:
        """Return to one app, no tokens and the default settings. The signing key stays."""
        apps = {self.client_id: AppRegistration(self.client_id, [self.client_secret])}
        self._state = TenantState(self.clock, random.Random(f"{self.seed}/tokens"), apps)
        self._consents = Consents(self._state)
        self._grants: dict[str, _Grant] = {}
        self._valid_access_tokens: set[str] = set()

    # --- for tests and the local run

    @property
    def settings(self) -> EntraSettings:
        """The settings, which a test may change at any time."""
        return self._state.settings

    @property
    def apps(self) -> dict[str, AppRegistration]:
        """The app registrations by client id."""
        return self._state.apps

    def register_app(self, client_id: str, *, secret: str | None = None, certificate_pem: str | None = None) -> None:
        """Add an app, or add a credential to an app that exists."""
        app = self.apps.setdefault(client_id, AppRegistration(client_id))
        app.secrets += [secret] if secret else []
        app.certificates += [certificate_pem] if certificate_pem else []

    def issue_refresh_token(self, client_id: str | None = None) -> str:
        """Return a new refresh token of the user, as after an interactive sign-in."""
        token = f"0.AX{self._state.random.getrandbits(480):0120x}"
        expires = (self.clock.now() + REFRESH_LIFE).timestamp()
        self._grants[token] = _Grant(client_id or self.client_id, expires)
        return token

    def issue_access_token(
        self, audience: str = REFERRALS_AUDIENCE, *, app_only: bool = False, **claims: object
    ) -> str:
        """Return an access token of the user, or with `app_only` of the app.

        `claims` replace claims of the token; None removes one.
        """
        now = int(self.clock.now().timestamp())
        token_id = self._state.make_random_id()
        self._valid_access_tokens.add(token_id)
        merged = {**self._access_token_claims(audience, now, app_only=app_only), "uti": token_id, **claims}
        return self.key.sign_claims({name: value for name, value in merged.items() if value is not None})

    def fail_next(self, code: int, times: int = 1, *, at: str = "refresh") -> None:
        """Let the next `times` requests fail with AADSTS`code`.

        `at` is `refresh` for refresh grants, or `authorize`, `token` or `devicecode` for a step of a sign-in.
        Raises ValueError for another place.
        """
        self._state.plan_failure(code, times, at)

    def revoke_access_tokens(self) -> None:
        """Revoke all access tokens issued so far."""
        self._valid_access_tokens.clear()

    def introspect(self, token: str) -> dict[str, Any]:
        """Return the claims of an access token that is neither expired nor revoked. Raises TokenRefused."""
        with self.lock:
            claims = self.key.read_claims(token)
            if claims.get("uti") not in self._valid_access_tokens:
                raise TokenRefused("the token was revoked")
            if not isinstance(claims.get("exp"), int) or claims["exp"] <= self.clock.now().timestamp():
                raise TokenRefused("the token has expired")
            return claims

    # --- routes

    def respond(self, request: Request) -> Response:
        """Answer the token endpoint, the sign-in pages, the discovery document and the keys."""
        parts = [part for part in request.path.split("/") if part]
        try:
            return self._route(request, parts[0] if parts else "", "/".join(parts[1:]))
        except AadstsError as error:
            return error.to_response(self.clock.now(), uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _route(self, request: Request, tenant: str, rest: str) -> Response:
        if tenant not in (self.tenant, "common", "organizations"):
            raise AadstsError(90002)
        match request.method, rest:
            case "GET", "v2.0/.well-known/openid-configuration" | ".well-known/openid-configuration":
                return self._discovery_document(request, tenant, v2=rest.startswith("v2.0"))
            case "GET", "discovery/v2.0/keys" | "discovery/keys":
                return Response.of({"keys": [self.key.public_jwk()]})
            case "POST", "oauth2/v2.0/token" | "oauth2/token":
                self.add_tag("token")
                return self._redeem_grant(request, v2="v2.0" in rest)
            case "POST", "oauth2/v2.0/devicecode" | "oauth2/devicecode":
                self.add_tag("devicecode")
                form, _ = self._read_form(request)
                self._state.raise_planned_failure("devicecode")
                return self._consents.start_device_sign_in(form, v2="v2.0" in rest)
            case "GET", "oauth2/v2.0/authorize" | "oauth2/authorize":
                self.add_tag("authorize")
                return self._consents.authorize(request.query, v2="v2.0" in rest)
        return Response.of({"error": "invalid_request", "error_description": "Not emulated."}, 404)

    def _discovery_document(self, request: Request, tenant: str, *, v2: bool) -> Response:
        base = f"https://{request.headers.get('host', 'localhost')}/{tenant}"
        version = "/v2.0" if v2 else ""
        return Response.of({
            "issuer": f"{base}{version}",
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "token_endpoint": f"{base}/oauth2{version}/token",
            "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
            "jwks_uri": f"{base}/discovery{version}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token", "code id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        })  # fmt: skip

    # --- grants

    def _read_form(self, request: Request) -> tuple[dict[str, str], AppRegistration]:
        """Return the form of a request and the app that it names. Raises AadstsError."""
        try:
            form = request.form()
        except ValueError:
            raise AadstsError(900144) from None
        app = self.apps.get(form.get("client_id", ""))
        if app is None:
            raise AadstsError(700016 if form.get("client_id") else 900144)
        return form, app

    def _redeem_grant(self, request: Request, *, v2: bool) -> Response:
        form, app = self._read_form(request)
        app.check_credential(form, request.path, self.clock.now().timestamp())
        match form.get("grant_type"):
            case "authorization_code":
                return self._tokens_after_sign_in(form, self._consents.redeem_code(form), v2=v2)
            case grant if grant in DEVICE_GRANTS:
                return self._tokens_after_sign_in(form, self._consents.redeem_device_code(form), v2=v2)
            case "refresh_token":
                return self._tokens_after_refresh(form, app, v2=v2)
            case "client_credentials":
                return self._token_response(form, requested_audience(form, v2=v2), None, v2=v2)
        raise AadstsError(70003)

    def _tokens_after_sign_in(self, form: dict[str, str], consent: Consent, *, v2: bool) -> Response:
        """Return tokens for a person who has consented, with a refresh token if the app asked for one."""
        self._state.raise_planned_failure("token")
        refresh = self.issue_refresh_token(form["client_id"]) if consent.offline else None
        return self._token_response(form, consent.audience, refresh, v2=v2, nonce=consent.nonce)

    def _tokens_after_refresh(self, form: dict[str, str], app: AppRegistration, *, v2: bool) -> Response:
        self._state.raise_planned_failure("refresh")
        grant = self._grants.get(form.get("refresh_token", ""))
        if grant is None or grant.client_id != app.client_id:
            raise AadstsError(70000)
        if grant.expires <= self.clock.now().timestamp():
            raise AadstsError(700082 if grant.expires > 0 else 70008)
        audience = requested_audience(form, v2=v2)
        self._state.require_admin_consent(audience)
        new_token = None if self.settings.rotation == "withhold" else self.issue_refresh_token(app.client_id)
        if self.settings.rotation == "invalidate":
            grant.expires = 0
        return self._token_response(form, audience, new_token, v2=v2)

    # --- tokens

    def _token_response(
        self, form: dict[str, str], audience: str, refresh: str | None, *, v2: bool, nonce: str | None = None
    ) -> Response:
        app_only = form["grant_type"] == "client_credentials"
        life, now = self.settings.access_token_seconds, int(self.clock.now().timestamp())
        token = self.issue_access_token(audience, app_only=app_only, appid=form["client_id"])
        body: dict[str, Any] = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
        if not v2:
            body = {**{name: str(value) for name, value in body.items()}, "resource": audience,
                    "expires_on": str(now + life), "not_before": str(now - 300)}  # fmt: skip
        body["access_token"] = token
        if not app_only:
            body["scope"] = f"{audience}/user_impersonation" if v2 else "user_impersonation"
            body |= {"id_token": self._id_token(form["client_id"], now, nonce), "client_info": self._client_info()}
        return Response.of(body if refresh is None else {**body, "refresh_token": refresh})

    def _access_token_claims(self, audience: str, now: int, *, app_only: bool) -> dict[str, object]:
        settings, user = self.settings, self.user
        claims: dict[str, object] = {
            "aud": audience, "iss": f"https://sts.windows.net/{self.tenant}/", "tid": self.tenant, "ver": "1.0",
            "iat": now, "nbf": now - 300, "exp": now + settings.access_token_seconds, "appid": self.client_id,
        }  # fmt: skip
        if app_only:
            return {**claims, "oid": self.client_id, "idtyp": "app"}
        roles = user.roles if settings.roles is None else settings.roles
        amr = ["pwd", "mfa"] if settings.mfa else ["pwd"]
        return {
            **claims,
            "oid": user.oid,
            "upn": user.email,
            "amr": amr,
            "roles": list(roles),
            "scp": "user_impersonation",
        }

    def _id_token(self, client_id: str, now: int, nonce: str | None) -> str:
        more = {"preferred_username": self.user.email} | ({"nonce": nonce} if nonce else {})
        return self.key.sign_claims({
            **more, "aud": client_id, "iss": f"https://sts.windows.net/{self.tenant}/", "tid": self.tenant,
            "oid": self.user.oid, "sub": self.user.oid, "iat": now, "nbf": now - 300, "ver": "1.0",
            "exp": now + self.settings.access_token_seconds,
        })  # fmt: skip

    def _client_info(self) -> str:
        info = json.dumps({"uid": self.user.oid, "utid": self.tenant}).encode()
        return base64.urlsafe_b64encode(info).rstrip(b"=").decode()

    def defect_response(self, request: Request) -> Response:
        """Return a 500 in the shape of the endpoint."""
        del request
        return Response.of({"error": "server_error", "error_description": "An unexpected error occurred."}, 500)

    # --- control API

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer the control routes that the module's docstring lists."""
        body: Any = request.json() if request.method == "POST" else None
        match request.method, request.path.removeprefix(CONTROL):
            case "POST", "/next-refresh-fails":
                self.fail_next(int(body["code"]), int(body.get("times", 1)))
            case "POST", "/next-sign-in-fails":
                self.fail_next(int(body["code"]), int(body.get("times", 1)), at=body["at"])
            case "POST", "/revoke-access-tokens":
                self.revoke_access_tokens()
            case "POST", "/settings":
                self.settings.apply_changes(body)
            case "POST", "/refresh-token":
                return Response.of({"refresh_token": self.issue_refresh_token()})
            case "POST", "/apps":
                app = convert_strictly(AppRegistration, body)
                self.apps[app.client_id] = app
            case _:
                return None
        return Response.of({"ok": True})
