"""Runs the Azure CLI: takes a list of words, returns text or JSON, and uses no shell."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.cli.azure_cli import QUIET, command_name, parse_output, run_az_process

type Call = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]
"""Takes the words and the environment variables; returns exit status, stdout and stderr."""


class AzError(Exception):
    """A command of the Azure CLI ended with an error. `text` is what the CLI printed."""

    def __init__(self, command: str, text: str) -> None:
        """`command` is the command's words without its options."""
        super().__init__(f"az {command}: {text}")
        self.command, self.text = command, text


class Az:
    """The program `az` with this process's environment variables, and those that the deployment adds."""

    def __init__(self, environ: Mapping[str, str] | None = None, call: Call = run_az_process) -> None:
        """`environ` replaces this process's variables; `call` replaces the program on PATH."""
        self._environ = dict(os.environ if environ is None else environ)
        self._call = call

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables of every command."""
        return self._environ

    def set_variables(self, variables: Mapping[str, str]) -> None:
        """Add environment variables for every later command: the parameter files read them."""
        self._environ |= variables

    def run_text(self, *words: str) -> str:
        """Return what a command prints. Raises AzError, and ConfigurationError if `az` is not on PATH."""
        status, out, error = self._call([*words, *QUIET], self._environ)
        if status:
            raise AzError(command_name(words), (error or out).strip() or f"status {status}")
        return out

    def run_json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON that the command prints
        """Return what a command prints, read as JSON, or None if it prints nothing. Raises as `run_text`."""
        try:
            return parse_output(self.run_text(*words))
        except ValueError:
            raise AzError(command_name(words), "the answer is not JSON") from None
