"""The record that `make test` leaves: which commit passed, on a clean tree, when, and how many tests."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORD = Path(".cosell") / "tested.json"


def state_of(root: Path) -> tuple[str, bool]:
    """The commit that is checked out (empty where git cannot say), and whether nothing differs from it."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain")
    return (commit or "").strip(), commit is not None and changes == ""


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own words, the person's own git
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def read(root: Path) -> dict[str, Any] | None:
    """The record, if there is one that can be read."""
    try:
        said = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    complete = isinstance(said, dict) and {"commit", "clean", "passed", "failed"} <= said.keys()
    return said if complete and said["clean"] and said["failed"] == 0 and said["passed"] > 0 else None


def settle(root: Path, before: tuple[str, bool], counts: Mapping[str, int], *, is_whole: bool) -> bool:
    """Leave the record, or take it away; whether it was left."""
    path, after = root / RECORD, state_of(root)
    good = is_whole and before == after and after[1] and counts["failed"] == 0 and counts["passed"] > 0
    if not good:
        path.unlink(missing_ok=True)
        return False
    path.parent.mkdir(exist_ok=True)
    said = {"commit": after[0], "clean": True, "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **counts}
    path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return True
