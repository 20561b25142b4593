"""Define the verdict of a check: ok, failed with a remedy, or skipped with a reason.

A verdict never contains a secret or a person's name.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from shared.foundation.errors import (
    Ambiguous,
    ConfigurationError,
    CosellError,
    NotFound,
    Rejected,
    SignInFailed,
    StoreError,
    Unavailable,
)
from shared.store.access_refusal import access_refusal
from shared.transport.proxy import describe_blocked_connections

TRY_AGAIN = "Try again. If the problem stays, check the address, the network, and the service's status page."
CHECK_STORAGE = "Check the STORE_ settings, and that you have the role Storage Table Data Contributor on the account."
CORRECT_SETTING = "Correct the setting that the message names. docs/settings.md lists all settings."
CHECK_ACCESS = "Check the address, and that the account has access to it."
REPORT_BUG = "This is a bug in the check itself. Please report it with this line."

_REMEDIES: Mapping[type[CosellError], str] = {
    ConfigurationError: CORRECT_SETTING,
    StoreError: CHECK_STORAGE,
    NotFound: CHECK_ACCESS,
}


class Result(StrEnum):
    """The result of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(Struct, frozen=True):
    """The result of a check, one sentence about what was found, and a remedy if the check failed."""

    result: Result
    found: str
    remedy: str = ""


def ok(finding: str) -> Verdict:
    """Return the verdict of a check that passed."""
    return Verdict(Result.OK, finding)


def failed(finding: str, remedy: str) -> Verdict:
    """Return the verdict of a check that failed, with what to do."""
    return Verdict(Result.FAILED, finding, remedy)


def skipped(reason: str) -> Verdict:
    """Return the verdict of a check that could not be made."""
    return Verdict(Result.SKIPPED, reason)


def verdict_of_error(error: Exception) -> Verdict:
    """Return the verdict of a check that raised an error. Of an unexpected error it shows only the type."""
    if isinstance(error, CosellError):
        return failed(str(error) or type(error).__name__, _remedy_for(error))
    return failed(f"the check stopped with an unexpected error: {type(error).__name__}", REPORT_BUG)


def _remedy_for(error: CosellError) -> str:
    if isinstance(error, SignInFailed):
        return error.remedy
    if isinstance(error, Rejected):
        return error.cause.remedy
    if isinstance(error, StoreError) and (refusal := access_refusal(error)):
        return refusal[1]
    if isinstance(error, Unavailable | Ambiguous | StoreError) and (blocked := describe_blocked_connections()):
        return blocked
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), TRY_AGAIN)


def documents_of(verdicts: Mapping[str, Verdict]) -> list[dict[str, str]]:
    """Return the verdicts by name for the JSON output."""
    return [
        {"name": name, "result": str(verdict.result), "found": verdict.found, "remedy": verdict.remedy}
        for name, verdict in verdicts.items()
    ]
