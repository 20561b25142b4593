"""The Azure CLI as a function: a list of words in, JSON out, no shell between."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.cli.azure_cli import QUIET, command_name, parse_output, run_az_process

type Call = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]
"""Words and variables in; exit status, stdout and stderr out."""


class AzFailed(Exception):
    """A command ended with an error; `text` is what it said."""

    def __init__(self, command: str, text: str) -> None:
        """`command` is the command's words without its options."""
        super().__init__(f"az {command}: {text}")
        self.command, self.text = command, text


class Az:
    """Runs `az`, always with the same variables of the shell, to which the deployment adds its own."""

    def __init__(self, environ: Mapping[str, str] | None = None, call: Call = run_az_process) -> None:
        """`environ` stands in for this process's variables, `call` for the program on its PATH."""
        self._environ = dict(os.environ if environ is None else environ)
        self._call = call

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that every command sees."""
        return self._environ

    def give(self, variables: Mapping[str, str]) -> None:
        """Let every later command see these variables too: the parameter files read them."""
        self._environ |= variables

    def text(self, *words: str) -> str:
        """What a command prints. Raises AzFailed, and ConfigurationError where there is no `az`."""
        status, out, error = self._call([*words, *QUIET], self._environ)
        if status:
            raise AzFailed(command_name(words), (error or out).strip() or f"status {status}")
        return out

    def run(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command's JSON is
        """What a command prints, read as JSON; None where it prints nothing. Raises as `text`."""
        try:
            return parse_output(self.text(*words))
        except ValueError:
            raise AzFailed(command_name(words), "an answer that is no JSON") from None
