"""State the outcome of a check: the event is verified, or it is refused for one reason out of a fixed list.

docs/event-signature.md#reasons-of-a-refusal explains each reason.
"""

from enum import StrEnum

from msgspec import Struct

from shared.foundation.errors import CosellError

UNAUTHORISED = 401
TOO_LARGE = 413
UNSUPPORTED_TYPE = 415


class Reason(StrEnum):
    """The reasons to refuse an event. The reason goes to our log only; the sender never sees it."""

    BODY_TOO_LARGE = "body_too_large"
    CONTENT_TYPE = "content_type"
    HEADER_MISSING = "header_missing"
    HEADER_REPEATED = "header_repeated"
    ALGORITHM = "algorithm"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_WRONG = "signature_wrong"
    URL_MALFORMED = "url_malformed"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    PATH_NOT_ALLOWED = "path_not_allowed"
    TOO_MANY_DOWNLOADS = "too_many_downloads"
    CERTIFICATE_UNAVAILABLE = "certificate_unavailable"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_NAME = "certificate_name"
    CERTIFICATE_USAGE = "certificate_usage"
    CERTIFICATE_KEY = "certificate_key"
    CERTIFICATE_NOT_VALID_NOW = "certificate_not_valid_now"
    CERTIFICATE_CHAIN = "certificate_chain"
    DEFECT = "defect"


_STATUS = {Reason.BODY_TOO_LARGE: TOO_LARGE, Reason.CONTENT_TYPE: UNSUPPORTED_TYPE}


class Unverified(CosellError):
    """The event is not proven to come from the dispatcher. `shared.webhook` handles this error itself."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason. The error holds no text of the request."""
        super().__init__(reason.value)
        self.reason = reason


class Verified(Struct, frozen=True):
    """The dispatcher signed the body. The hash of its certificate is SHA-256 in hexadecimal, so that it can be logged.

    `repeated` means that this instance saw the same bytes recently: a second delivery, or a replay. It is only logged.
    A duplicate is harmless, because an event only says which referral to read.
    """

    certificate_sha256: str
    repeated: bool


class Refusal(Struct, frozen=True):
    """Answer `status` with an empty body, and log `reason`. `defect` is the class of an error in our own code."""

    status: int
    reason: Reason
    defect: str = ""

    @classmethod
    def for_reason(cls, reason: Reason, defect: str = "") -> "Refusal":
        """The refusal for a reason: 413 and 415 for what precedes the verification, 401 for everything else."""
        return cls(_STATUS.get(reason, UNAUTHORISED), reason, defect)
