"""The Azure CLI under the login of the person at the keyboard: an argument list in, its JSON out, no shell between.

    run(["functionapp", "config", "appsettings", "set", "--name", app, "--settings", "SYNC=on"])

What it prints to stderr is data from outside: its code is kept, and its first line, cut (design.md section 4, rule 8).
"""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from shared.errors import (
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
"""How long one command may take; a deployment asks for more."""

RIGHTS = "Ask for the role that this step needs (infra/azure/README.md)."
LOOK = "Mend what it says, or run the same `az` command by hand to see all of it."
LOG_IN = "Run `az login`, choose the subscription with `az account set`, and try again."
_DENIED = ("AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed", "InsufficientAccountPermissions")
_GONE = re.compile(r"\b(\w*NotFound)\b")
_CODE = re.compile(r"(?:^|\()(?:Code: )?([A-Z][A-Za-z]{3,60})\)", re.MULTILINE)


def run(args: Sequence[str], *, seconds: float = SECONDS) -> Any:  # noqa: ANN401 - JSON
    """The decoded answer of `az ARGS --output json`, None where it says nothing.

    Raises ConfigurationError (no Azure CLI on the path), SignInFailed (nobody is logged in), Rejected, NotFound, and
    Unavailable (no answer in `seconds`, or none that can be read).
    """
    program = shutil.which("az")
    if program is None:
        raise ConfigurationError("the Azure CLI is not on the path: install it, run `az login`, and try again")
    command = [program, *args, "--output", "json", "--only-show-errors"]
    try:
        done = subprocess.run(  # noqa: S603 - a list without a shell, of our own words
            command, capture_output=True, text=True, encoding="utf-8", timeout=seconds, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable(f"az {_named(args)} gave no answer in {seconds:.0f} seconds") from None
    except OSError as error:
        raise ConfigurationError(f"the Azure CLI cannot be run: {type(error).__name__}") from error
    if done.returncode:
        raise _failure(_named(args), done.stderr)
    return _decoded(_named(args), done.stdout)


def _named(args: Sequence[str]) -> str:
    """The words of the command without its options: values may be long, or nobody's business."""
    words = []
    for word in args:
        if word.startswith("-"):
            break
        words.append(word)
    return " ".join(words)


def _decoded(what: str, text: str) -> Any:  # noqa: ANN401 - JSON
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise Unavailable(f"az {what} printed something else than JSON") from None


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
