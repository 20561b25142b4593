"""Runs external tools on the Bicep files, if they are present: the Bicep CLI, and a checker of resource types."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import ENVIRONMENTS, ROOT, SAMPLE_VARIABLES, AzureFiles

CLI = shutil.which("bicep")
CHECKER = ROOT.parent / "shared" / "tools" / "bicepcheck"
MAIN = AzureFiles().folder / "main.bicep"

needs_cli = pytest.mark.skipif(CLI is None, reason="SKIPPED: the Bicep CLI is not on PATH, so nothing was compiled")
needs_checker = pytest.mark.skipif(
    not CHECKER.is_dir(), reason="SKIPPED: bicepcheck is not beside this checkout, so resource types went unchecked"
)


def run_tool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed arguments
        [str(each) for each in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **SAMPLE_VARIABLES},
    )


@needs_cli
@pytest.mark.parametrize("command", ["build", "lint"])
def test_the_bicep_cli_reports_nothing(command: str) -> None:
    stdout = ["--stdout"] if command == "build" else []
    done = run_tool(CLI or "", command, MAIN, *stdout)
    assert (done.returncode, done.stderr) == (0, "")


@needs_cli
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_bicep_cli_builds_the_parameters(environment: str) -> None:
    done = run_tool(CLI or "", "build-params", MAIN.with_name(f"{environment}.bicepparam"), "--stdout")
    assert (done.returncode, done.stderr) == (0, "")


@needs_checker
def test_every_resource_matches_azures_type_definition() -> None:
    done = run_tool(sys.executable, CHECKER / "bicepcheck.py", CHECKER / "azure-types.json", MAIN)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["12 files, 0 findings"])
