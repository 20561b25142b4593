"""A command prints its own lines, and no log events among them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND_THAT_LOGS = """
import shared.cli.main as command
from shared.foundation.logs import log

command.app = lambda **_: log("registration_missing")
command.main()
"""


@pytest.mark.slow
def test_a_warning_of_the_log_is_not_printed() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", COMMAND_THAT_LOGS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
