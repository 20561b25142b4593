"""An emulator of Entra ID's token endpoint, v1 and v2, as far as unattended sign-in needs it (section 12).

Control API besides the common one:

    POST   /_control/next-refresh-fails     {"code": 50173, "times": 1}
    POST   /_control/revoke-access-tokens
    POST   /_control/settings               see `EntraSettings`
    POST   /_control/refresh-token          -> {"refresh_token": ...}, as after an interactive consent
    POST   /_control/apps                   {"client_id": ..., "secrets": [...], "certificates": [PEM...]}
"""

import base64
import json
import random
import uuid
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from infra.local.emulator import CONTROL, Emulator
from infra.local.partner_center.aadsts import AadstsError
from infra.local.partner_center.clients import App
from infra.local.partner_center.tokens import (
    REFERRALS_AUDIENCE,
    WEBHOOKS_AUDIENCE,
    SigningKey,
    TokenRefused,
    User,
)
from infra.local.wire import Request, Response

TENANT = "aaaabbbb-0000-4111-8222-ccccdddd0001"
CLIENT_ID = "aaaabbbb-0000-4111-8222-ccccdddd0002"
SECRET = "local-client-secret"  # noqa: S105 - the made-up secret of a local run
USER_ID = "aaaabbbb-0000-4111-8222-ccccdddd0003"
REFRESH_LIFE = timedelta(days=90)
_ROTATIONS = ("keep", "invalidate", "withhold")


@dataclass(slots=True)
class EntraSettings:
    """How the endpoint behaves; defaults are Entra's."""

    access_token_seconds: int = 3599
    mfa: bool = True  # `mfa` in amr of tokens issued from now on
    # On redemption of a refresh token: both stay valid; the old one dies at once; no new one is sent.
    rotation: str = "keep"
    roles: tuple[str, ...] | None = None  # instead of the user's own
    audiences: tuple[str, ...] = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)  # resources the tenant knows
    consented: tuple[str, ...] = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)

    def change(self, wanted: dict[str, Any]) -> None:
        """Set several by name. Raises ValueError."""
        unknown = set(wanted) - {f.name for f in fields(self)}
        if unknown or wanted.get("rotation", "keep") not in _ROTATIONS:
            raise ValueError(f"unknown setting or value: {sorted(unknown) or 'rotation'}")
        for name, value in wanted.items():
            setattr(self, name, tuple(value) if isinstance(value, list) else value)


@dataclass(slots=True)
class _Grant:
    client_id: str
    expires: float


@dataclass(slots=True)
class _Planned:
    code: int
    times: int = field(default=1)


class EntraEmulator(Emulator):
    """One tenant, one user, some apps."""

    def __init__(
        self,
        *,
        seed: int = 0,
        tenant: str = TENANT,
        client_id: str = CLIENT_ID,
        client_secret: str = SECRET,
        user: User | None = None,
    ) -> None:
        """The app `client_id` is registered with `client_secret`; further apps and certificates by `register`."""
        super().__init__(seed=seed)
        self.tenant, self.client_id, self.client_secret = tenant, client_id, client_secret
        self.user = user or User(USER_ID)
        self.key = SigningKey()
        self.restart()

    def restart(self) -> None:
        """One app, no grants, default settings; the signing key stays."""
        self.settings = EntraSettings()
        self.apps = {self.client_id: App(self.client_id, [self.client_secret])}
        self._grants: dict[str, _Grant] = {}
        self._planned: list[_Planned] = []
        self._live: set[str] = set()
        self._secret = random.Random(f"{self.seed}/tokens")

    # --- for tests and the local run

    def register(self, client_id: str, *, secret: str | None = None, certificate_pem: str | None = None) -> None:
        """Add an app, or a further credential of one."""
        app = self.apps.setdefault(client_id, App(client_id))
        app.secrets += [secret] if secret else []
        app.certificates += [certificate_pem] if certificate_pem else []

    def refresh_token(self, client_id: str | None = None) -> str:
        """A new refresh token, as after an interactive consent."""
        token = f"0.AX{self._secret.getrandbits(480):0120x}"
        expires = (self.clock.now() + REFRESH_LIFE).timestamp()
        self._grants[token] = _Grant(client_id or self.client_id, expires)
        return token

    def access_token(self, audience: str = REFERRALS_AUDIENCE, *, app_only: bool = False, **claims: object) -> str:
        """An access token of our user, or of the app alone; `claims` override (None removes one)."""
        now = int(self.clock.now().timestamp())
        ticket = f"{self._secret.getrandbits(128):032x}"
        self._live.add(ticket)
        merged = {**self._claims(audience, now, app_only=app_only), "uti": ticket, **claims}
        return self.key.sign({name: value for name, value in merged.items() if value is not None})

    def fail_next(self, code: int, times: int = 1) -> None:
        """The next refresh grants fail with AADSTS`code`."""
        self._planned.append(_Planned(code, times))

    def revoke_access_tokens(self) -> None:
        """All access tokens issued so far no longer count."""
        self._live.clear()

    def introspect(self, token: str) -> dict[str, Any]:
        """The claims of a token that still counts. Raises TokenRefused."""
        with self.lock:
            claims = self.key.claims(token)
            if claims.get("uti") not in self._live:
                raise TokenRefused("the token was revoked")
            if not isinstance(claims.get("exp"), int) or claims["exp"] <= self.clock.now().timestamp():
                raise TokenRefused("the token has expired")
            return claims

    # --- routes

    def respond(self, request: Request) -> Response:
        """The token endpoint, the discovery document and the keys."""
        parts = [part for part in request.path.split("/") if part]
        try:
            return self._route(request, parts[0] if parts else "", "/".join(parts[1:]))
        except AadstsError as error:
            return error.response(self.clock.now(), uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _route(self, request: Request, tenant: str, rest: str) -> Response:
        if tenant not in (self.tenant, "common", "organizations"):
            raise AadstsError(90002)
        match request.method, rest:
            case "GET", "v2.0/.well-known/openid-configuration" | ".well-known/openid-configuration":
                return self._discovery(request, tenant, v2=rest.startswith("v2.0"))
            case "GET", "discovery/v2.0/keys" | "discovery/keys":
                return Response.of({"keys": [self.key.jwk()]})
            case "POST", "oauth2/v2.0/token" | "oauth2/token":
                self.tag("token")
                return self._token(request, v2="v2.0" in rest)
            case "POST", "oauth2/v2.0/devicecode" | "oauth2/devicecode":
                raise AadstsError(70003)
        return Response.of({"error": "invalid_request", "error_description": "Not emulated."}, 404)

    def _discovery(self, request: Request, tenant: str, *, v2: bool) -> Response:
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

    def _token(self, request: Request, *, v2: bool) -> Response:
        try:
            form = request.form()
        except ValueError:
            raise AadstsError(900144) from None
        app = self.apps.get(form.get("client_id", ""))
        if app is None:
            raise AadstsError(700016 if form.get("client_id") else 900144)
        app.prove(form, request.path, self.clock.now().timestamp())
        match form.get("grant_type"):
            case "refresh_token":
                return self._refreshed(form, app, v2=v2)
            case "client_credentials":
                return self._issued(form, _audience(form, v2=v2), None, v2=v2)
        raise AadstsError(70003)

    def _refreshed(self, form: dict[str, str], app: App, *, v2: bool) -> Response:
        self._fail_as_planned()
        old = form.get("refresh_token", "")
        grant = self._grants.get(old)
        if grant is None or grant.client_id != app.client_id:
            raise AadstsError(70000)
        if grant.expires <= self.clock.now().timestamp():
            raise AadstsError(700082 if grant.expires > 0 else 70008)
        audience = _audience(form, v2=v2)
        self._check_consent(audience)
        fresh = None if self.settings.rotation == "withhold" else self.refresh_token(app.client_id)
        if self.settings.rotation == "invalidate":
            grant.expires = 0
        return self._issued(form, audience, fresh, v2=v2)

    def _fail_as_planned(self) -> None:
        for planned in self._planned:
            if planned.times > 0:
                planned.times -= 1
                raise AadstsError(planned.code)

    def _check_consent(self, audience: str) -> None:
        if audience not in self.settings.audiences:
            raise AadstsError(500011)
        if audience not in self.settings.consented:
            raise AadstsError(65001)

    def _issued(self, form: dict[str, str], audience: str, refresh: str | None, *, v2: bool) -> Response:
        app_only = form["grant_type"] == "client_credentials"
        life, now = self.settings.access_token_seconds, int(self.clock.now().timestamp())
        token = self.access_token(audience, app_only=app_only, appid=form["client_id"])
        body: dict[str, Any] = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
        if not v2:
            body = {**{name: str(value) for name, value in body.items()}, "resource": audience,
                    "expires_on": str(now + life), "not_before": str(now - 300)}  # fmt: skip
        body["access_token"] = token
        if not app_only:
            body["scope"] = f"{audience}/user_impersonation" if v2 else "user_impersonation"
            body |= {"id_token": self._id_token(form["client_id"], now), "client_info": self._client_info()}
        return Response.of(body if refresh is None else {**body, "refresh_token": refresh})

    def _claims(self, audience: str, now: int, *, app_only: bool) -> dict[str, object]:
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

    def _id_token(self, client_id: str, now: int) -> str:
        return self.key.sign({"aud": client_id, "iss": f"https://sts.windows.net/{self.tenant}/", "tid": self.tenant,
                              "oid": self.user.oid, "sub": self.user.oid, "iat": now, "nbf": now - 300,
                              "exp": now + self.settings.access_token_seconds, "ver": "1.0"})  # fmt: skip

    def _client_info(self) -> str:
        info = json.dumps({"uid": self.user.oid, "utid": self.tenant}).encode()
        return base64.urlsafe_b64encode(info).rstrip(b"=").decode()

    # --- control

    def control(self, request: Request) -> Response | None:
        """The routes named at the top."""
        wanted: Any = request.json() if request.method == "POST" else None
        try:
            match request.method, request.path.removeprefix(CONTROL):
                case "POST", "/next-refresh-fails":
                    self.fail_next(int(wanted["code"]), int(wanted.get("times", 1)))
                case "POST", "/revoke-access-tokens":
                    self.revoke_access_tokens()
                case "POST", "/settings":
                    self.settings.change(wanted)
                case "POST", "/refresh-token":
                    return Response.of({"refresh_token": self.refresh_token()})
                case "POST", "/apps":
                    self.apps[wanted["client_id"]] = App(**wanted)
                case _:
                    return None
        except (KeyError, TypeError, ValueError) as error:
            return Response.of({"error": f"bad control body: {error!r}"}, 400)
        return Response.of({"ok": True})


def _audience(form: dict[str, str], *, v2: bool) -> str:
    """The resource of the request: v1 names it, v2 wraps it in a scope."""
    if not v2:
        return form.get("resource", "").rstrip("/")
    scopes = [scope for scope in form.get("scope", "").split() if "://" in scope]
    if not scopes:
        raise AadstsError(70011)
    return scopes[0].rpartition("/")[0].rstrip("/")
