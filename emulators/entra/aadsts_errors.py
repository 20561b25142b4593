"""Word the errors of the token endpoint (docs/reference/partner-center.md#token-endpoint-errors)."""

import uuid
from datetime import datetime

from emulators.base.server import Response

INVALID_GRANT, INVALID_CLIENT, INVALID_REQUEST = "invalid_grant", "invalid_client", "invalid_request"
BAD_REQUEST, UNAUTHORIZED, UNAVAILABLE = 400, 401, 503
INTERACTION = "interaction_required"

# For each AADSTS code: HTTP status, OAuth error, sentence.
ERRORS: dict[int, tuple[int, str, str]] = {
    70008: (BAD_REQUEST, INVALID_GRANT, "The provided authorization code or refresh token has expired or was revoked."),
    700082: (BAD_REQUEST, INVALID_GRANT, "The refresh token has expired due to inactivity."),
    50173: (
        BAD_REQUEST,
        INVALID_GRANT,
        "The provided grant has expired due to it being revoked; a fresh token is needed.",
    ),
    50076: (BAD_REQUEST, INTERACTION, "You must use multi-factor authentication to access the resource."),
    50079: (BAD_REQUEST, INTERACTION, "You must enroll in multi-factor authentication to access the resource."),
    50078: (BAD_REQUEST, INTERACTION, "Presented multi-factor authentication has expired."),
    50158: (BAD_REQUEST, INTERACTION, "External security challenge was not satisfied."),
    53003: (BAD_REQUEST, INVALID_GRANT, "Access has been blocked by Conditional Access policies."),
    65001: (BAD_REQUEST, INVALID_GRANT, "The user or administrator has not consented to use the application."),
    50057: (BAD_REQUEST, INVALID_GRANT, "The user account is disabled."),
    50034: (BAD_REQUEST, INVALID_GRANT, "The user account does not exist in the directory."),
    50126: (BAD_REQUEST, INVALID_GRANT, "Error validating credentials due to invalid username or password."),
    70000: (BAD_REQUEST, INVALID_GRANT, "The provided grant is invalid or malformed."),
    700007: (BAD_REQUEST, "unauthorized_client", "The client is not authorized for this grant."),
    700016: (BAD_REQUEST, "unauthorized_client", "Application was not found in the directory."),
    7000215: (UNAUTHORIZED, INVALID_CLIENT, "Invalid client secret provided."),
    7000218: (UNAUTHORIZED, INVALID_CLIENT, "The request body must contain client_assertion or client_secret."),
    7000222: (UNAUTHORIZED, INVALID_CLIENT, "The provided client secret keys are expired."),
    700023: (UNAUTHORIZED, INVALID_CLIENT, "Client assertion audience, issuer or subject claim does not match."),
    700024: (UNAUTHORIZED, INVALID_CLIENT, "Client assertion is not within its valid time range."),
    700027: (UNAUTHORIZED, INVALID_CLIENT, "The certificate used to sign the client assertion is not registered."),
    500011: (BAD_REQUEST, "invalid_resource", "The resource principal was not found in the tenant."),
    7000112: (BAD_REQUEST, "unauthorized_client", "The application is disabled."),
    700025: (UNAUTHORIZED, INVALID_CLIENT, "The client is public, so it must not send a secret or an assertion."),
    50011: (BAD_REQUEST, INVALID_REQUEST, "The redirect URI of the request is not one of the application's."),
    50105: (BAD_REQUEST, INTERACTION, "The signed in user is not assigned to a role for the application."),
    65004: (BAD_REQUEST, "access_denied", "User declined to consent to access the app."),
    90094: (BAD_REQUEST, "consent_required", "An administrator must grant the permission."),
    54005: (BAD_REQUEST, INVALID_GRANT, "The authorization code was already redeemed."),
    500112: (BAD_REQUEST, "invalid_client", "The reply address does not match that of the authorization code."),
    501481: (BAD_REQUEST, INVALID_GRANT, "The code_verifier does not match the code_challenge."),
    9002325: (BAD_REQUEST, INVALID_REQUEST, "Proof Key for Code Exchange is required by S256."),
    70016: (BAD_REQUEST, "authorization_pending", "Pending end-user authorization."),
    70018: (BAD_REQUEST, "bad_verification_code", "Invalid verification code."),
    70019: (BAD_REQUEST, "expired_token", "The verification code has expired."),
    90002: (BAD_REQUEST, INVALID_REQUEST, "Tenant not found."),
    900144: (BAD_REQUEST, INVALID_REQUEST, "The request body is missing a required parameter."),
    70011: (BAD_REQUEST, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70003: (BAD_REQUEST, "unsupported_grant_type", "The app requested an unsupported grant type."),
    90033: (UNAVAILABLE, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    90024: (UNAVAILABLE, "temporarily_unavailable", "Request budget exceeded. A transient error has occurred."),
}


def describe_error(code: int) -> tuple[int, str, str]:
    """Return HTTP status, OAuth error and sentence of a code. An unknown code counts as a refused grant."""
    return ERRORS.get(code, (BAD_REQUEST, INVALID_GRANT, "The grant was refused."))


class AadstsError(Exception):
    """A request fails with an AADSTS code."""

    def __init__(self, code: int) -> None:
        """`code` is the number after AADSTS; it may be one that ERRORS does not have."""
        super().__init__(f"AADSTS{code}")
        self.code = code

    def to_response(self, now: datetime, trace: uuid.UUID) -> Response:
        """Return the answer in the shape of Entra ID."""
        status, error, text = describe_error(self.code)
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": error,
            "error_description": f"AADSTS{self.code}: {text} Trace ID: {trace} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": str(trace),
            "correlation_id": str(trace),
        }
        if error == INTERACTION:
            body |= {"suberror": "basic_action"}
        return Response.of(body, status)
