"""The Azure CLI as a function: a list of words in, JSON out, no shell between."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
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

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """`environ` stands in for this process's variables."""
        self._environ = dict(os.environ if environ is None else environ)

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that every command sees."""
        return self._environ

    def give(self, variables: Mapping[str, str]) -> None:
        """Let every later command see these variables too: the parameter files read them."""
        self._environ |= variables

    def text(self, *words: str) -> str:
        """What a command prints. Raises AzFailed, and Stopped where there is no `az`."""
        program = shutil.which("az", path=self._environ.get("PATH"))
        if program is None:
            raise Stopped("The Azure CLI (az) is not on PATH.", "Install it: learn.microsoft.com/cli/azure", Exit.USAGE)
        command = [program, *words, *QUIET]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self._environ)  # noqa: S603 - the words are ours, and no shell reads them
        if done.returncode:
            named = " ".join(_until_options(words))
            raise AzFailed(named, (done.stderr or done.stdout).strip() or f"status {done.returncode}")
        return done.stdout

    def run(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command's JSON is
        """What a command prints, read as JSON; None where it prints nothing. Raises AzFailed and Stopped."""
        said = self.text(*words)
        try:
            return json.loads(said) if said.strip() else None
        except ValueError:
            raise AzFailed(" ".join(_until_options(words)), "an answer that is no JSON") from None


def _until_options(words: tuple[str, ...]) -> list[str]:
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return list(words[:first])
