"""Judges from outside, where they are at hand: the Bicep CLI, and the checker of resource types."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_home import ENVIRONMENTS, ROOT, SAMPLE, Home

CLI = shutil.which("bicep")
CHECKER = ROOT.parent / "shared" / "tools" / "bicepcheck"
MAIN = Home().folder / "main.bicep"

needs_cli = pytest.mark.skipif(CLI is None, reason="SKIPPED: the Bicep CLI is not on PATH, so nothing was compiled")
needs_checker = pytest.mark.skipif(
    not CHECKER.is_dir(), reason="SKIPPED: bicepcheck is not beside this checkout, so resource types went unchecked"
)


def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the arguments are our own files
        [str(each) for each in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **SAMPLE},
    )


@needs_cli
@pytest.mark.parametrize("order", ["build", "lint"])
def test_the_bicep_cli_has_nothing_to_say(order: str) -> None:
    stdout = ["--stdout"] if order == "build" else []
    done = ran(CLI or "", order, MAIN, *stdout)
    assert (done.returncode, done.stderr) == (0, "")


@needs_cli
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_bicep_cli_builds_the_parameters(environment: str) -> None:
    done = ran(CLI or "", "build-params", MAIN.with_name(f"{environment}.bicepparam"), "--stdout")
    assert (done.returncode, done.stderr) == (0, "")


@needs_checker
def test_every_resource_has_the_shape_that_azure_wants() -> None:
    done = ran(sys.executable, CHECKER / "bicepcheck.py", CHECKER / "azure-types.json", MAIN)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["12 files, 0 findings"])
