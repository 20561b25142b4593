"""The Azure CLI under the login of the person at the keyboard: an argument list in, its JSON out, no shell between.

    run(["functionapp", "config", "appsettings", "set", "--name", app, "--settings", "SYNC=on"])

What it prints to stderr is data from outside: its code is kept, and its first line, cut (design.md section 4, rule 8).
The deployment (infra/azure/deploy) runs the same program by `on_path`, and reads its refusals in its own way.
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

SECONDS = 300.0
"""How long one command may take."""
QUIET = ("--output", "json", "--only-show-errors")

RIGHTS = "Ask for the role that this step needs (infra/azure/README.md)."
LOOK = "Mend what it says, or run the same `az` command by hand to see all of it."
LOG_IN = "Run `az login`, choose the subscription with `az account set`, and try again."
_DENIED = ("AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed", "InsufficientAccountPermissions")
_GONE = re.compile(r"\b(\w*NotFound)\b")
_CODE = re.compile(r"(?:^|\()(?:Code: )?([A-Z][A-Za-z]{3,60})\)", re.MULTILINE)


def run_az(args: Sequence[str], *, seconds: float = SECONDS) -> Any:  # noqa: ANN401 - JSON
    """The decoded answer of `az ARGS --output json`, None where it says nothing.

    Raises ConfigurationError (no Azure CLI on the path), SignInFailed (nobody is logged in), Rejected, NotFound, and
    Unavailable (no answer in `seconds`, or none that can be read).
    """
    try:
        status, out, said = run_az_process([*args, *QUIET], seconds=seconds)
        if status:
            raise _failure(command_name(args), said)
        return parse_output(out)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"az {command_name(args)} gave no answer in {seconds:.0f} seconds") from None
    except ValueError:
        raise Unavailable(f"az {command_name(args)} printed something else than JSON") from None


def run_az_process(
    words: Sequence[str], environ: Mapping[str, str] | None = None, *, seconds: float | None = None
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the `az` of PATH; `environ` stands in for this process's variables.

    Raises ConfigurationError where there is none, and subprocess.TimeoutExpired after `seconds`.
    """
    program = shutil.which("az", path=None if environ is None else environ.get("PATH"))
    if program is None:
        raise ConfigurationError("the Azure CLI is not on the path: install it, run `az login`, and try again")
    try:
        done = subprocess.run(  # noqa: S603 - a list without a shell, of our own words
            [program, *words], capture_output=True, text=True, encoding="utf-8", timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, env=environ,
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(f"the Azure CLI cannot be run: {type(error).__name__}") from error
    return done.returncode, done.stdout, done.stderr


def command_name(args: Sequence[str]) -> str:
    """The words of the command without its options: values may be long, or nobody's business."""
    return " ".join(takewhile(lambda word: not word.startswith("-"), args))


def parse_output(text: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON that a command printed; None where it printed nothing. Raises ValueError."""
    return json.loads(text) if text.strip() else None


def _failure(what: str, said: str) -> CosellError:
    code = _CODE.search(said)
    name = code[1] if code else "azure"
    reason = next((line.strip() for line in said.splitlines() if line.strip()), "no reason was given")
    reason = reason.removeprefix("ERROR: ")[:MAX_REMOTE_TEXT]
    if "az login" in said or "az account set" in said or "AADSTS" in said:
        return SignInFailed(f"az {what}: nobody is logged in to the Azure CLI", code="azure_cli_login", remedy=LOG_IN)
    if any(word in said for word in _DENIED):
        return Rejected(Cause(name, None, f"az {what}: {reason}", RIGHTS))
    if _GONE.search(said):
        return NotFound(f"az {what}: {reason}")
    return Rejected(Cause(name, None, f"az {what}: {reason}", LOOK))
