"""Run a script with jsforce against an emulator."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CLIENT_FOLDER = Path(__file__).parent / "jsforce"


def run_jsforce(script: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a script prints, as JSON. Skips the test where Node.js or jsforce is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT RUN: jsforce needs Node.js, but the command node was not found")
    if not (CLIENT_FOLDER / "node_modules" / "jsforce").is_dir():
        pytest.skip(f"NOT RUN: run `npm ci --ignore-scripts` in tests/conformance/{CLIENT_FOLDER.name}")
    ran = subprocess.run(  # noqa: S603 - our own script, in a fixed place
        [node, script],
        cwd=CLIENT_FOLDER,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer
