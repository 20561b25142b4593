"""The real Azure CLI, where it is on PATH, judges the stand-in's table of commands and options.

It is asked without a login, in a folder of its own: a line that it can read ends with status 1 ("Please run
'az login'"), one that it cannot with status 2 (reference/azure.md section 5). Nothing is changed anywhere.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.azure_deploy.az_stand_in import KNOWN

NEEDS_BICEP = ("deployment sub what-if", "deployment sub create", "bicep version")
"""What looks for Bicep before it looks at a login."""
FLAGS = ("--wait", "--no-pretty-print")
CHOSEN = {"--auth-mode": "login", "--method": "post", "--metadata": "state=pending", "--include": "m"}
REMOTE = sorted(command for command in KNOWN if command not in (*NEEDS_BICEP, "version"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("az") is None, reason="SKIPPED: the Azure CLI is not on PATH, so it judges no line")
@pytest.mark.parametrize("command", REMOTE)
def test_the_real_cli_can_read_each_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    words = [*command.split()]
    for option in sorted(KNOWN[command]):
        value = str(tmp_path / "file") if option in ("--file", "--src") else CHOSEN.get(option, "/subscriptions/abc")
        words += [option] if option in FLAGS else [option, value]
    environ = {**os.environ, "AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_COLLECT_TELEMETRY": "no"}
    done = subprocess.run(  # noqa: S603 - our own words
        [shutil.which("az") or "az", *words, "--output", "json", "--only-show-errors"],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert (done.returncode, "az login" in done.stderr) == (1, True), done.stderr
