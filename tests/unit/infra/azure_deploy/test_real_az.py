"""If the real Azure CLI is on PATH, it checks the commands and options that the fake one accepts.

It runs without a login, in a folder of its own, and changes nothing. A line that it can read ends with status 1
("Please run 'az login'"), a line that it cannot read with status 2 (docs/reference/azure.md#azure-cli).
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.azure_deploy.fake_az_program import COMMANDS

NEEDS_BICEP = ("deployment sub what-if", "deployment sub create", "bicep version")
"""These commands look for the Bicep CLI before they look at the login."""
FLAGS = ("--wait", "--no-pretty-print")
VALUES = {"--auth-mode": "login", "--method": "post", "--metadata": "state=pending", "--include": "m"}
NEEDS_LOGIN = sorted(command for command in COMMANDS if command not in (*NEEDS_BICEP, "version"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("az") is None, reason="SKIPPED: the Azure CLI is not on PATH, so it checked no line")
@pytest.mark.parametrize("command", NEEDS_LOGIN)
def test_the_real_azure_cli_can_read_each_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    words = [*command.split()]
    for option in sorted(COMMANDS[command]):
        value = str(tmp_path / "file") if option in ("--file", "--src") else VALUES.get(option, "/subscriptions/abc")
        words += [option] if option in FLAGS else [option, value]
    environ = {**os.environ, "AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_COLLECT_TELEMETRY": "no"}
    done = subprocess.run(  # noqa: S603 - fixed words
        [shutil.which("az") or "az", *words, "--output", "json", "--only-show-errors"],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert (done.returncode, "az login" in done.stderr) == (1, True), done.stderr
