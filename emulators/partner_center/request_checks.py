"""Who may call the referrals host, and whether the call is well-formed HTTP (12.1, 12.2, 12.6 and section 16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import ADMIN, REFERRALS_AUDIENCE, USER, TokenRefused
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.service_errors import ServiceError, access_denied, unauthenticated

MFA_CODE = "900421"
_INVALID = 'Bearer error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user with a referral role."""

    email: str
    admin: bool
    mfa: bool

    def has_access_to(self, row: StoredReferral) -> bool:
        """A referrals admin sees all deals, a referrals user those whose team he is in (2.4)."""
        return self.admin or any(
            isinstance(member.get("email"), str) and member["email"].lower() == self.email
            for member in row.record.get("team") or ()
        )


def check_caller(request: Request, entra: EntraEmulator, audience: str = REFERRALS_AUDIENCE) -> Caller:
    """The caller of a request. Raises ServiceError: 401, or 403 for app-only, a foreign tenant or no role."""
    claims = _read_claims(request, entra)
    if claims.get("aud") != audience:
        raise unauthenticated("The audience of the token is not valid.", WWW_Authenticate=_INVALID)
    if claims.get("tid") != entra.tenant:
        raise access_denied("The tenant of the token is not a partner of this account.")
    if claims.get("idtyp") == "app" or "scp" not in claims:
        raise access_denied("App-only tokens are not accepted: App+User is required.", inner="appOnlyNotSupported")
    mfa = "mfa" in (claims.get("amr") or ())
    if not mfa:
        raise unauthenticated("401 Unauthorized - MFA required", inner=MFA_CODE, WWW_Authenticate=_INVALID)
    roles = claims.get("roles") or ()
    if ADMIN not in roles and USER not in roles:
        raise access_denied("The user has no referral role.")
    return Caller(str(claims.get("upn", "")).lower(), ADMIN in roles, mfa)


def _read_claims(request: Request, entra: EntraEmulator) -> Mapping[str, Any]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("The request has no bearer token.", WWW_Authenticate="Bearer")
    try:
        return entra.introspect(token.strip())
    except TokenRefused as refusal:
        raise unauthenticated(f"The token does not count: {refusal}.", WWW_Authenticate=_INVALID) from None


def check_media(request: Request) -> None:
    """406 where JSON is not accepted, 415 where a body is something else. Raises ServiceError."""
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("json", "*/*", "application/*")):
        raise ServiceError(406, "invalidRequest", "Only application/json is served.", target="Accept")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind not in ("application/json", "application/json-patch+json"):
        raise ServiceError(415, "invalidRequest", "The content type must be application/json.", target="Content-Type")
