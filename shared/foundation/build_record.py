"""Read the record of its origin that the deployment puts into the zip of the app."""

import json
from functools import cache
from pathlib import Path

BUILD_RECORD = Path(__file__).resolve().parents[2] / "build.json"
"""The file in which the deployment writes the commit of the zip. It is missing on a developer's machine."""


@cache
def deployed_commit(record: Path = BUILD_RECORD) -> str | None:
    """Return the commit from which the deployed zip was made, or None if no zip was deployed."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["commit"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
