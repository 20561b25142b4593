"""All errors that the product raises on purpose, in one tree. Each branch tells the caller what to do next.

    CosellError
    ├── ConfigurationError      the app does not start: a person corrects a setting or the mapping file
    ├── Retryable               try again, at the earliest after `after` seconds
    │   ├── Throttled           the side limits the number of calls: pause it, with half as many calls at once after
    │   ├── Unavailable         no answer, a 5xx, or an answer that cannot be read
    │   └── Locked              Salesforce has locked the record (row lock, approval)
    ├── Ambiguous               a write with an unknown outcome: read before writing again
    │   └── UnreadableRefusal   a 4xx without a reason that can be read: the same, and parked if it lasts
    ├── Conflict                another writer was faster (409, 412): read, merge, try again
    ├── NotFound                the record does not exist, or is not visible
    ├── Rejected                the service refuses this record: park it with code, field, reason and remedy
    ├── SignInFailed            the side is paused for every instance until a probe succeeds
    │   ├── MfaRequired         the consent was given without multi-factor authentication
    │   └── ConsentNeeded       a person must sign in again
    └── StoreError
        ├── StoreConflict       another instance changed the row first (old ETag, or the row exists already)
        ├── StoreUnavailable    the storage did not answer
        └── UnreadableRow       a row is damaged, or holds what this build does not know: hold that pair alone

An error never carries a request body, a token or personal data. A client cuts a text from outside to `MAX_REMOTE_TEXT`
characters before the text enters an error (docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs).
docs/errors.md explains every error to operators.
"""

from shared.domain.cause import Cause as Cause  # noqa: PLC0414 - callers import it with the errors

MAX_REMOTE_TEXT = 300
"""Characters of a text from outside that an error may carry."""


class CosellError(Exception):
    """Any error that the product raises on purpose.

    `call_id` is the id by which the service knows the call that failed, if it has one. The client sets it.
    """

    call_id: str | None = None

    @property
    def reason_codes(self) -> tuple[str | None, str | None]:
        """The code and the field that the service gave, as it wrote them; the log shows known shapes only."""
        return None, None


class ConfigurationError(CosellError):
    """A setting or the mapping file is missing or wrong. The message names it and shows an example."""


class Retryable(CosellError):
    """Try again later: at the earliest `after` seconds from now, or after the caller's own backoff (None)."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        """`after` is the wait in seconds that the service asked for."""
        super().__init__(message)
        self.after = after


class Throttled(Retryable):
    """The side limits the number of calls (429, REQUEST_LIMIT_EXCEEDED)."""


class Unavailable(Retryable):
    """The network failed, or the answer was a 5xx, HTML, empty or truncated."""


class Locked(Retryable):
    """Salesforce could not lock the record (UNABLE_TO_LOCK_ROW, ENTITY_IS_LOCKED)."""


class Ambiguous(CosellError):
    """A write was sent and its outcome is unknown: it may have taken effect."""


class UnreadableRefusal(Ambiguous):
    """A write was refused with a 4xx and no reason that can be read, as a gateway before the service does.

    Nobody knows what the gateway has passed on.
    """

    def __init__(self, message: str, *, tries: int = 0) -> None:
        """`tries` is how often the same pair has met such a refusal, if that is counted: the next try is later then."""
        super().__init__(message)
        self.tries = tries


class Conflict(CosellError):
    """The record has changed since it was read (409, 412)."""


class NotFound(CosellError):
    """The record does not exist, or the signed-in user may not see it."""


class Rejected(CosellError):
    """The service understood the request and refuses it. The same request would be refused again."""

    def __init__(self, cause: Cause, step: str | None = None, *, status: int | None = None) -> None:
        """`cause` has the code, field, reason and remedy for parking the record; `step` names the step of a graph.

        `status` is that of the answer, where Partner Center gave one.
        """
        super().__init__(f"{cause.code}: {cause.reason}")
        self.cause, self.step, self.status = cause, step, status

    @property
    def reason_codes(self) -> tuple[str | None, str | None]:
        """Code and field of the cause."""
        return self.cause.code, self.cause.field


class SignInFailed(CosellError):
    """The sign-in failed, and a second attempt would fail too."""

    def __init__(self, message: str, *, code: str, remedy: str) -> None:
        """`code` is the remote side's code (AADSTS…, 900421, an OAuth error) or ours. `remedy` is one sentence."""
        super().__init__(message)
        self.code = code
        self.remedy = remedy

    @property
    def reason_codes(self) -> tuple[str | None, str | None]:
        """The code; a sign-in has no fields."""
        return self.code, None


class MfaRequired(SignInFailed):
    """The token does not prove multi-factor authentication (Partner Center code 900421)."""


class ConsentNeeded(SignInFailed):
    """The refresh token is expired or revoked, or consent is missing: a person must sign in again."""


class StoreError(CosellError):
    """The store could not read or write a row."""


class StoreConflict(StoreError):
    """Another instance changed the row first, or the row exists already."""


class UnreadableRow(StoreError):
    """A row is damaged, or a later build stored something in it that this build does not know."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        """`problem` says what cannot be read, without values of a deal. `remedy` says what an operator can do."""
        super().__init__(f"{problem}: {remedy}")
        self.problem = problem
        self.remedy = remedy


class StoreUnavailable(StoreError):
    """The storage did not answer in time."""
