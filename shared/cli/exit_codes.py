"""Define the exit codes of `cosell`, and which error leads to which code (docs/command-line.md#exit-codes)."""

from enum import IntEnum

from shared.foundation.errors import (
    Ambiguous,
    ConfigurationError,
    Conflict,
    CosellError,
    NotFound,
    Rejected,
    Retryable,
    SignInFailed,
)


class Exit(IntEnum):
    """The exit code of a command. Scripts may rely on the numbers."""

    OK = 0
    PROBLEM = 1  # the command worked and found a problem
    USAGE = 2  # an option, setting or file is wrong
    REFUSED = 3  # the service refuses: rights, a rule, a foreign registration
    SIGN_IN = 4  # a person must sign in or consent
    RETRY = 5  # a temporary problem: try again


def exit_code_of(error: CosellError) -> Exit:
    """Return the exit code of an error."""
    match error:
        case ConfigurationError():
            return Exit.USAGE
        case SignInFailed():
            return Exit.SIGN_IN
        case Rejected() | NotFound():
            return Exit.REFUSED
        case Retryable() | Ambiguous() | Conflict():
            return Exit.RETRY
    return Exit.RETRY
