"""Reads and writes the test record: which commit passed `make test` without local changes, when, and how many tests."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORD = Path(".cosell") / "tested.json"


def git_state(root: Path) -> tuple[str, bool]:
    """The commit that is checked out (empty without git), and whether there are no changes and no untracked files."""
    commit = _git_output(root, "rev-parse", "HEAD")
    changes = _git_output(root, "status", "--porcelain")
    return (commit or "").strip(), commit is not None and changes == ""


def _git_output(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - fixed words, and the git on the person's PATH
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def read_test_record(root: Path) -> dict[str, Any] | None:
    """The record of a run that passed, or None if the file is missing, damaged or about a run that failed."""
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_complete = isinstance(record, dict) and {"commit", "clean", "passed", "failed"} <= record.keys()
    return record if is_complete and record["clean"] and record["failed"] == 0 and record["passed"] > 0 else None


def update_test_record(
    root: Path, state_at_start: tuple[str, bool], counts: Mapping[str, int], *, is_whole: bool
) -> bool:
    """Write the record after a whole run that passed, else delete it. Returns whether it was written.

    The run counts only if `git_state` was the same at its start and at its end, without changes.
    """
    path, state = root / RECORD, git_state(root)
    has_passed = counts["failed"] == 0 and counts["passed"] > 0
    if not (is_whole and state_at_start == state and state[1] and has_passed):
        path.unlink(missing_ok=True)
        return False
    path.parent.mkdir(exist_ok=True)
    record = {"commit": state[0], "clean": True, "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **counts}
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return True
