"""The Azure CLI as a function: a list of words in, JSON out, no shell between."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.azure.deploy.stopped import Stopped
from shared.cli.exits import Exit

QUIET = ("--output", "json", "--only-show-errors")


class AzFailed(Exception):
    """A command ended with an error; `text` is what it said."""

    def __init__(self, command: str, text: str) -> None:
        """`command` is the command's words without its options."""
        super().__init__(f"az {command}: {text}")
        self.command, self.text = command, text


class Az:
    """Runs `az`, always with the same variables of the shell, to which the deployment adds its own."""

    def __init__(self, environ: Mapping[str, str] | None = None, call: "Call | None" = None) -> None:
        """`environ` stands in for this process's variables, `call` for the program on its PATH."""
        self._environ = dict(os.environ if environ is None else environ)
        self._call = call or on_path

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that every command sees."""
        return self._environ

    def give(self, variables: Mapping[str, str]) -> None:
        """Let every later command see these variables too: the parameter files read them."""
        self._environ |= variables

    def text(self, *words: str) -> str:
        """What a command prints. Raises AzFailed, and Stopped where there is no `az`."""
        status, out, error = self._call([*words, *QUIET], self._environ)
        if status:
            raise AzFailed(" ".join(_until_options(words)), (error or out).strip() or f"status {status}")
        return out

    def run(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command's JSON is
        """What a command prints, read as JSON; None where it prints nothing. Raises AzFailed and Stopped."""
        said = self.text(*words)
        try:
            return json.loads(said) if said.strip() else None
        except ValueError:
            raise AzFailed(" ".join(_until_options(words)), "an answer that is no JSON") from None


type Call = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]
"""Words and variables in; exit status, stdout and stderr out."""


def on_path(words: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the `az` of PATH. Raises Stopped where there is none."""
    program = shutil.which("az", path=environ.get("PATH"))
    if program is None:
        raise Stopped("The Azure CLI (az) is not on PATH.", "Install it: learn.microsoft.com/cli/azure", Exit.USAGE)
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, env=dict(environ))  # noqa: S603 - the words are ours, and no shell reads them
    return done.returncode, done.stdout, done.stderr


def _until_options(words: tuple[str, ...]) -> list[str]:
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return list(words[:first])
