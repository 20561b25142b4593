"""Describe the errors of the webhook host, and check who may call it.

Sources: docs/reference/partner-center.md#webhook-errors, docs/reference/partner-center.md#roles-for-webhooks,
docs/reference/partner-center.md#token-audiences, docs/reference/partner-center.md#multi-factor-authentication
"""

from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import WEBHOOK_ROLES, WEBHOOKS_AUDIENCE, TokenRefused
from emulators.partner_center.request_checks import MFA_CODE
from emulators.partner_center.service_errors import MAX_MESSAGE, ServiceError

ACCESS_DENIED, TOKEN_MISSING, INVALID_INPUT = "400", "800001", "800002"
_CHALLENGE = 'Bearer error="invalid_token"'


class WebhookError(ServiceError):
    """A request to the webhook host fails; `to_response` gives the answer."""

    def to_response(self) -> Response:
        """Return the answer in the webhook host's error shape: `code`, `description`, `data` and `source`."""
        body = {"code": self.code, "description": self.message[:MAX_MESSAGE], "data": [], "source": "WebhookService"}
        return Response.of(body, self.status, **self.headers)


def invalid_input(message: str) -> WebhookError:
    """Return a 400: the body or the name of an event is not valid."""
    return WebhookError(400, INVALID_INPUT, message)


def resource_not_found(what: str) -> WebhookError:
    """Return a 404: `what` does not exist."""
    return WebhookError(404, "404", f"The service has no {what}.")


def check_webhook_caller(request: Request, entra: EntraEmulator) -> None:
    """Accept App+User and App-only tokens of this host's audience. Raises WebhookError with 401 or 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise WebhookError(401, TOKEN_MISSING, "The partner token is missing.", WWW_Authenticate="Bearer")
    try:
        claims = entra.introspect(token.strip())
    except TokenRefused as refusal:
        raise WebhookError(401, ACCESS_DENIED, f"Access denied: {refusal}.", WWW_Authenticate=_CHALLENGE) from None
    if claims.get("aud") != WEBHOOKS_AUDIENCE:
        raise WebhookError(401, ACCESS_DENIED, "Access denied: wrong audience.", WWW_Authenticate=_CHALLENGE)
    if claims.get("tid") != entra.tenant:
        raise WebhookError(403, "403", "The tenant of the token is not a partner of this account.")
    if claims.get("idtyp") == "app":
        return
    if "mfa" not in (claims.get("amr") or ()):
        raise WebhookError(401, MFA_CODE, "401 Unauthorized - MFA required", WWW_Authenticate=_CHALLENGE)
    if set(WEBHOOK_ROLES).isdisjoint(claims.get("roles") or ()):
        raise WebhookError(403, "403", "The user has no role that may register for events.")
