"""The referrals host's error shape and the status codes that go with it (reference/partner-center.md 9.1)."""

from emulators.base.server import Response

MAX_MESSAGE = 1024


class ServiceError(Exception):
    """An answer other than success, raised anywhere below the routes."""

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
        """`inner` is the more specific code; header names are written with underscores."""
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.target, self.inner = status, code, message, target, inner
        self.headers = headers

    def to_response(self) -> Response:
        """The answer as the service words it."""
        error: dict[str, object] = {"code": self.code, "message": self.message[:MAX_MESSAGE], "target": self.target}
        if self.inner is not None:
            error["innerError"] = {"code": self.inner, "message": self.message[:MAX_MESSAGE]}
        return Response.of({"error": error}, self.status, **self.headers)


def invalid_request(message: str, *, target: str = "referral", inner: str | None = None) -> ServiceError:
    """400: malformed, or against a rule."""
    return ServiceError(400, "invalidRequest", message, target=target, inner=inner)


def not_emulated(what: str) -> ServiceError:
    """400 for what the real service can do and this one cannot yet."""
    return invalid_request(f"{what} is not emulated.", inner="notEmulated")


def not_found() -> ServiceError:
    """404: it does not exist, or the caller may not know of it."""
    return ServiceError(404, "itemNotFound", "The requested referral does not exist.")


def access_denied(message: str, *, inner: str | None = None) -> ServiceError:
    """403: role, scope or owner do not allow it."""
    return ServiceError(403, "accessDenied", message, inner=inner)


def unauthenticated(message: str, *, inner: str | None = None, **headers: str) -> ServiceError:
    """401: no token, or one that does not count here."""
    return ServiceError(401, "unauthenticated", message, target="token", inner=inner, **headers)
