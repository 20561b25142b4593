"""Check the token and the media types of a request to the referrals API.

Sources: docs/reference/partner-center.md#token-audiences,
docs/reference/partner-center.md#account-roles-and-app-permissions,
docs/reference/partner-center.md#multi-factor-authentication, docs/reference/partner-center.md#request-headers
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import ADMIN, REFERRALS_AUDIENCE, USER, TokenRefused
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.service_errors import ServiceError, access_denied, unauthenticated

MFA_CODE = "900421"
_CHALLENGE = 'Bearer error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user with a referral role."""

    email: str
    admin: bool
    mfa: bool

    def has_access_to(self, referral: StoredReferral) -> bool:
        """Return whether the caller is a referrals admin, or a referrals user who is in the deal's team.

        Source: docs/reference/partner-center.md#who-sees-what
        """
        return self.admin or any(
            isinstance(member.get("email"), str) and member["email"].lower() == self.email
            for member in referral.record.get("team") or ()
        )


def check_caller(request: Request, entra: EntraEmulator, audience: str = REFERRALS_AUDIENCE) -> Caller:
    """Return the caller of a request.

    Raises ServiceError: 401, or 403 for an App-only token, a foreign tenant or a missing role.
    """
    claims = _read_claims(request, entra)
    if claims.get("aud") != audience:
        raise unauthenticated("The audience of the token is not valid.", WWW_Authenticate=_CHALLENGE)
    if claims.get("tid") != entra.tenant:
        raise access_denied("The tenant of the token is not a partner of this account.")
    if claims.get("idtyp") == "app" or "scp" not in claims:
        raise access_denied("App-only tokens are not accepted: App+User is required.", inner="appOnlyNotSupported")
    mfa = "mfa" in (claims.get("amr") or ())
    if not mfa:
        raise unauthenticated("401 Unauthorized - MFA required", inner=MFA_CODE, WWW_Authenticate=_CHALLENGE)
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
        raise unauthenticated(f"The token is not accepted: {refusal}.", WWW_Authenticate=_CHALLENGE) from None


def check_media(request: Request) -> None:
    """Raise ServiceError: 406 if the caller does not accept JSON, 415 if the body is not JSON."""
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("json", "*/*", "application/*")):
        raise ServiceError(406, "invalidRequest", "The answer is application/json only.", target="Accept")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind not in ("application/json", "application/json-patch+json"):
        raise ServiceError(415, "invalidRequest", "The content type must be application/json.", target="Content-Type")
