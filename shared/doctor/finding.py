"""What a check says: ok, failed with a remedy, or skipped with the reason; never a secret, never a person's name."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from shared.foundation.errors import (
    ConfigurationError,
    CosellError,
    NotFound,
    Rejected,
    SignInFailed,
    StoreError,
)

AGAIN = "Try again; if it stays so, check the address, the network between and the service's own status page."
STORAGE = "Check the STORE_ settings, and that you hold the role Storage Table Data Contributor on the account."
SETTING = "Mend the setting that the sentence names; docs/settings.md lists them all."
MISSING = "Check the address, and that the account may see it."
OURS = "This is a fault of the check itself: report it with this line."

_REMEDIES: Mapping[type[CosellError], str] = {
    ConfigurationError: SETTING,
    StoreError: STORAGE,
    NotFound: MISSING,
}


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(Struct, frozen=True):
    """One sentence of what was found; a failed one has a remedy."""

    result: Result
    found: str
    remedy: str = ""


def ok(found: str) -> Verdict:
    """All is well."""
    return Verdict(Result.OK, found)


def failed(found: str, remedy: str) -> Verdict:
    """Something is wrong, and this is what to do."""
    return Verdict(Result.FAILED, found, remedy)


def skipped(reason: str) -> Verdict:
    """It could not be judged."""
    return Verdict(Result.SKIPPED, reason)


def verdict_of_error(error: Exception) -> Verdict:
    """The verdict of a check that ended in an error; of one that is not ours only the kind is told."""
    if isinstance(error, CosellError):
        return failed(str(error) or type(error).__name__, _remedy(error))
    return failed(f"the check broke off: {type(error).__name__}", OURS)


def _remedy(error: CosellError) -> str:
    if isinstance(error, SignInFailed):
        return error.remedy
    if isinstance(error, Rejected):
        return error.cause.remedy
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), AGAIN)
