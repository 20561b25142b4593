"""Exit codes of `cosell`, documented in docs/command-line.md, and which error leads to which."""

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
    """What a script may act on."""

    OK = 0
    PROBLEM = 1  # the command worked and found something wrong
    USAGE = 2  # a wrong option, setting or file
    REFUSED = 3  # the far side refuses: rights, a rule, a foreign registration
    SIGN_IN = 4  # a person must sign in or consent
    RETRY = 5  # a passing trouble: try again


def exit_code_of(error: CosellError) -> Exit:
    """The exit code of an error."""
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
