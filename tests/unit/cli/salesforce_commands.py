"""Run `cosell salesforce` from the command line, in the environment `local`."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from shared.cli.main import app


def run_cosell(*words: str) -> Result:
    """Run a command below `cosell salesforce`."""
    return CliRunner().invoke(app, ["salesforce", words[0], "--env", "local", *words[1:]])


def document_of(result: Result) -> dict[str, Any]:
    """The JSON document that a command printed."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document
