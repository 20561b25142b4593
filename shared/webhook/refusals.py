"""What the event door answers: verified, or refused for one reason of a fixed vocabulary (docs/event-signature.md)."""

from enum import StrEnum

from msgspec import Struct

from shared.foundation.errors import CosellError

UNAUTHORISED = 401
TOO_LARGE = 413
UNSUPPORTED_TYPE = 415


class Reason(StrEnum):
    """Why an event was refused. For our log alone: the caller never learns it."""

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
    """The event is not proven to come from the dispatcher; never leaves the door."""

    def __init__(self, reason: Reason) -> None:
        """Carry the reason; no text from outside."""
        super().__init__(reason.value)
        self.reason = reason


class Verified(Struct, frozen=True):
    """The body is the dispatcher's. The hash is SHA-256 in hexadecimal, fit for a log.

    `repeated`: this instance has lately seen the same bytes (a second delivery, or a replay). It is told for the log
    alone: a duplicate is harmless, because an event only says which referral to read.
    """

    certificate_sha256: str
    repeated: bool


class Refusal(Struct, frozen=True):
    """Answer `status` with an empty body; log `reason`. `defect` names the class of an error of our own, if any."""

    status: int
    reason: Reason
    defect: str = ""

    @classmethod
    def of(cls, reason: Reason, defect: str = "") -> "Refusal":
        """413 and 415 for what was seen before any verification, 401 for all the rest."""
        return cls(_STATUS.get(reason, UNAUTHORISED), reason, defect)
