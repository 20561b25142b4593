"""Run the Azure CLI with the login of the person who uses `cosell`, without a shell.

    run_az(["functionapp", "config", "appsettings", "set", "--name", app, "--settings", "SYNC=on"])

The text on stderr comes from outside. Only its error code and its first line, cut, enter an error
(docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs). The deployment (infra/azure/deploy) calls
`run_az_process` and explains the refusals itself.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    Cause,
    ConfigurationError,
    CosellError,
    NotFound,
    Rejected,
    SignInFailed,
    Unavailable,
)
from shared.transport.proxy import note_unreachable_in

SECONDS = 300.0
"""The time limit of one command."""
QUIET = ("--output", "json", "--only-show-errors")

RIGHTS = "Ask for the role that this step needs (infra/azure/README.md lists the roles)."
LOOK = "Correct what the message names, or run the same `az` command yourself to see its whole output."
LOG_IN = "Run `az login`, choose the subscription with `az account set`, and try again."
_DENIED = ("AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed", "InsufficientAccountPermissions")
_NOT_FOUND = re.compile(r"\b(\w*NotFound)\b")
_CODE = re.compile(r"(?:^|\()(?:Code: )?([A-Z][A-Za-z]{3,60})\)", re.MULTILINE)


def run_az(args: Sequence[str], *, seconds: float = SECONDS) -> Any:  # noqa: ANN401 - JSON
    """Run `az ARGS --output json` and return its parsed output, or None if it prints nothing.

    Raises ConfigurationError (the Azure CLI is not installed), SignInFailed (not logged in), Rejected, NotFound, and
    Unavailable (no answer within `seconds`, or an answer that is not JSON).
    """
    try:
        status, stdout, stderr = run_az_process([*args, *QUIET], seconds=seconds)
        if status:
            raise _error_from_stderr(command_name(args), stderr)
        return parse_output(stdout)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"az {command_name(args)} gave no answer in {seconds:.0f} seconds") from None
    except ValueError:
        raise Unavailable(f"az {command_name(args)} printed an answer that is not JSON") from None


def run_az_process(
    words: Sequence[str], environ: Mapping[str, str] | None = None, *, seconds: float | None = None
) -> tuple[int, str, str]:
    """Run the `az` that is on PATH and return its exit status, stdout and stderr.

    `environ` replaces the environment variables of this process. Raises ConfigurationError if the Azure CLI is not
    installed, and subprocess.TimeoutExpired after `seconds`.
    """
    program = shutil.which("az", path=None if environ is None else environ.get("PATH"))
    if program is None:
        raise ConfigurationError("the Azure CLI is not on the PATH: install it, run `az login`, and try again")
    try:
        done = subprocess.run(  # noqa: S603 - an argument list without a shell
            [program, *words], capture_output=True, text=True, encoding="utf-8", timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, env=environ,
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(f"the Azure CLI cannot be started: {type(error).__name__}") from error
    return done.returncode, done.stdout, done.stderr


def command_name(args: Sequence[str]) -> str:
    """Return the words of a command without its options: their values may be long or secret."""
    return " ".join(takewhile(lambda word: not word.startswith("-"), args))


def parse_output(text: str) -> Any:  # noqa: ANN401 - JSON
    """Parse the JSON that a command printed; None if it printed nothing. Raises ValueError."""
    return json.loads(text) if text.strip() else None


def _error_from_stderr(command: str, stderr: str) -> CosellError:
    match = _CODE.search(stderr)
    code = match[1] if match else "azure"
    reason = next((line.strip() for line in stderr.splitlines() if line.strip()), "no reason was given")
    reason = reason.removeprefix("ERROR: ")[:MAX_REMOTE_TEXT]
    if note_unreachable_in(stderr):
        return Unavailable(f"az {command}: the Azure CLI could not connect")
    if "az login" in stderr or "az account set" in stderr or "AADSTS" in stderr:
        return SignInFailed(f"az {command}: the Azure CLI is not logged in", code="azure_cli_login", remedy=LOG_IN)
    if any(word in stderr for word in _DENIED):
        return Rejected(Cause(code, None, f"az {command}: {reason}", RIGHTS))
    if _NOT_FOUND.search(stderr):
        return NotFound(f"az {command}: {reason}")
    return Rejected(Cause(code, None, f"az {command}: {reason}", LOOK))
