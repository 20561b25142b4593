"""The one tree of errors, split by what the caller does next.

    CosellError
    ├── ConfigurationError      the app does not start: a person mends a setting or the mapping file
    ├── Retryable               the work becomes due again, not before `after` seconds
    │   ├── Throttled           the side asked for patience: halve its parallelism
    │   ├── Unavailable         no answer, a 5xx, or an answer that cannot be read
    │   └── Locked              Salesforce holds the record (row lock, approval)
    ├── Ambiguous               a write whose outcome is unknown: look before acting
    ├── Conflict                somebody was faster (409, 412): read, merge, try again
    ├── NotFound                the record is gone or not visible
    ├── Rejected                the far side refuses this record: park it with code, field, reason, remedy
    ├── SignInFailed            the side is paused for every instance until a probe succeeds
    │   ├── MfaRequired         the consent was given without multi-factor authentication
    │   └── ConsentNeeded       a person must sign in again
    └── StoreError
        ├── StoreConflict       another instance changed the row first (stale ETag, insert of what exists)
        └── StoreUnavailable    storage did not answer

Texts from outside are data: a client cuts them to `MAX_REMOTE_TEXT` characters before they enter an error, and an error
never carries a request body, a token or personal data. See design.md section 4, rule 8.
"""

from shared.domain.cause import Cause as Cause  # noqa: PLC0414 - part of this vocabulary

MAX_REMOTE_TEXT = 300


class CosellError(Exception):
    """Anything this product raises on purpose."""


class ConfigurationError(CosellError):
    """A setting or the mapping file is missing or wrong; the message names it and shows an example."""


class Retryable(CosellError):
    """Try again later, `after` seconds from now at the earliest (None: the caller's own backoff decides)."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        """Keep the far side's wish for patience, in seconds."""
        super().__init__(message)
        self.after = after


class Throttled(Retryable):
    """The side limits us (429, REQUEST_LIMIT_EXCEEDED)."""


class Unavailable(Retryable):
    """A network failure, a 5xx, or an answer that is HTML, empty or truncated."""


class Locked(Retryable):
    """Salesforce could not lock the row (UNABLE_TO_LOCK_ROW, ENTITY_IS_LOCKED)."""


class Ambiguous(CosellError):
    """A write was sent and its outcome is unknown: it may have happened."""


class Conflict(CosellError):
    """The record changed since it was read (409, 412)."""


class NotFound(CosellError):
    """The record does not exist or the signed-in user may not see it."""


class Rejected(CosellError):
    """The far side understood the request and refuses it; trying again unchanged is pointless."""

    def __init__(self, cause: Cause) -> None:
        """Carry the cause to whoever parks the record."""
        super().__init__(f"{cause.code}: {cause.reason}")
        self.cause = cause


class SignInFailed(CosellError):
    """Authentication failed in a way that a second try does not mend."""

    def __init__(self, message: str, *, code: str, remedy: str) -> None:
        """`code` is the far side's (AADSTS…, 900421, an OAuth error); `remedy` is one sentence."""
        super().__init__(message)
        self.code = code
        self.remedy = remedy


class MfaRequired(SignInFailed):
    """The token does not prove multi-factor authentication (Partner Center code 900421)."""


class ConsentNeeded(SignInFailed):
    """The refresh token is expired, revoked or lacks consent: a person must sign in again."""


class StoreError(CosellError):
    """The store could not do what was asked."""


class StoreConflict(StoreError):
    """Another instance changed the row first, or it exists already."""


class StoreUnavailable(StoreError):
    """Storage did not answer in time."""
