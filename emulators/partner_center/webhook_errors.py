"""The webhook host's error shape, and who may call it (reference/partner-center.md 9.2, 11.1, 12.1, 12.6)."""

from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import WEBHOOKS_AUDIENCE, TokenRefused
from emulators.partner_center.request_checks import MFA_CODE
from emulators.partner_center.service_errors import MAX_MESSAGE, ServiceError

ACCESS_DENIED, TOKEN_MISSING, INVALID_INPUT = "400", "800001", "800002"
_INVALID = 'Bearer error="invalid_token"'


class WebhookError(ServiceError):
    """An answer other than success, as the webhook host words it."""

    def to_response(self) -> Response:
        """`code` and `description` at the top, beside `data` and `source`."""
        told = {"code": self.code, "description": self.message[:MAX_MESSAGE], "data": [], "source": "WebhookService"}
        return Response.of(told, self.status, **self.headers)


def invalid_input(message: str) -> WebhookError:
    """400: the body, or an event's name, is not valid."""
    return WebhookError(400, INVALID_INPUT, message)


def resource_not_found(what: str) -> WebhookError:
    """404."""
    return WebhookError(404, "404", f"There is no {what}.")


def check_webhook_caller(request: Request, entra: EntraEmulator) -> None:
    """Let App+User and App-only tokens of this audience in. Raises WebhookError: 401, or 403 for a foreigner."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise WebhookError(401, TOKEN_MISSING, "The partner token is missing.", WWW_Authenticate="Bearer")
    try:
        claims = entra.introspect(token.strip())
    except TokenRefused as refusal:
        raise WebhookError(401, ACCESS_DENIED, f"Access denied: {refusal}.", WWW_Authenticate=_INVALID) from None
    if claims.get("aud") != WEBHOOKS_AUDIENCE:
        raise WebhookError(401, ACCESS_DENIED, "Access denied: wrong audience.", WWW_Authenticate=_INVALID)
    if claims.get("tid") != entra.tenant:
        raise WebhookError(403, "403", "The tenant of the token is not a partner of this account.")
    if claims.get("idtyp") == "app":
        return
    if "mfa" not in (claims.get("amr") or ()):
        raise WebhookError(401, MFA_CODE, "401 Unauthorized - MFA required", WWW_Authenticate=_INVALID)
    if not claims.get("roles"):
        raise WebhookError(403, "403", "The user has no role that may register for events.")
