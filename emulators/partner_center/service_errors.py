"""Describe the errors of the referrals API (docs/reference/partner-center.md#referral-errors)."""

from emulators.base.server import Response

MAX_MESSAGE = 1024  # characters


class ServiceError(Exception):
    """A request fails; `to_response` gives the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "referral",
        inner: str | None = None,
        **headers: str,
    ) -> None:
        """`inner` is the more specific code. Write header names with underscores."""
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.target, self.inner = status, code, message, target, inner
        self.headers = headers

    def to_response(self) -> Response:
        """Return the answer in the service's error shape."""
        error: dict[str, object] = {"code": self.code, "message": self.message[:MAX_MESSAGE], "target": self.target}
        if self.inner is not None:
            error["innerError"] = {"code": self.inner, "message": self.message[:MAX_MESSAGE]}
        return Response.of({"error": error}, self.status, **self.headers)


def invalid_request(message: str, *, target: str = "referral", inner: str | None = None) -> ServiceError:
    """Return a 400: the request is malformed or breaks a rule."""
    return ServiceError(400, "invalidRequest", message, target=target, inner=inner)


def not_emulated(what: str) -> ServiceError:
    """Return a 400 for a feature of the real service that the emulator lacks."""
    return invalid_request(f"{what} is not emulated.", inner="notEmulated")


def not_found() -> ServiceError:
    """Return a 404: the referral does not exist, or the caller may not see it."""
    return ServiceError(404, "itemNotFound", "The requested referral does not exist.")


def access_denied(message: str, *, inner: str | None = None) -> ServiceError:
    """Return a 403: the caller's role or token does not allow the call, or another organisation owns the referral."""
    return ServiceError(403, "accessDenied", message, inner=inner)


def unauthenticated(message: str, *, inner: str | None = None, **headers: str) -> ServiceError:
    """Return a 401: the token is missing or not accepted."""
    return ServiceError(401, "unauthenticated", message, target="token", inner=inner, **headers)
