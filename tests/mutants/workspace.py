"""The folder `.mutants`, in which the mutants are made and tested: a copy of the tracked files, with mutated modules.

mutmut looks for `pyproject.toml` and for the sources where it runs, and writes to the folder `mutants` below.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mutmut.configuration import config

ROOT = Path(__file__).parents[2]
WORKSPACE = ROOT / ".mutants"
# mutmut decides the name.
COPY = WORKSPACE / "mutants"


def enter_workspace() -> None:
    """Bring the workspace up to date and make it the current directory."""
    COPY.mkdir(parents=True, exist_ok=True)
    os.chdir(WORKSPACE)
    for name in ("shared", "pyproject.toml"):
        if not Path(name).is_symlink():
            Path(name).symlink_to(ROOT / name)
    for path in _tracked_files():
        _copy(path)


def forget_the_original() -> None:
    """Let imports find the copy only."""
    sys.path[:] = [str(COPY), *(path for path in sys.path if Path(path).resolve() not in (ROOT, WORKSPACE))]


def _tracked_files() -> list[str]:
    """All files that git tracks or would track, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 # fixed
    return listed.stdout.splitlines()


def _copy(path: str) -> None:
    """Copy a file if it is newer, except the mutated modules: mutmut writes these."""
    source, target = ROOT / path, COPY / path
    if config().should_mutate(path) or not source.is_file():
        return
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
