"""The builds that are compared: this checkout, and the commit f9a8dde in a git worktree with its own environment."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.systems.processes import CannotMeasure

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
"""Everything that `make bench` keeps between runs, and its logs. Git ignores it, and `make clean` removes it."""
FORMER_COMMIT = "f9a8dde"
THIS, FORMER = "this build", FORMER_COMMIT
INSIDE = ROOT / "benchmarks" / "inside"
READY = ".bench-ready"
"""This file in an environment says that all its packages are installed."""


@dataclass(frozen=True, slots=True)
class Build:
    """A checkout, the Python of its environment, and the module that plays its story."""

    name: str
    root: Path
    python: Path
    story: str

    def program(self, name: str, *arguments: str) -> list[str]:
        """The command that runs a program of `benchmarks/inside` in this build.

        Neither the folder of the program nor variables of the shell reach the program's imports.
        """
        return [str(self.python), "-P", str(INSIDE / f"{name}.py"), *arguments]


def this_build() -> Build:
    """This checkout, with the environment that runs `make bench`."""
    return Build(THIS, ROOT, Path(sys.executable), "local.story")


def former_build(tell: Callable[[str], None], folder: Path = FOLDER, root: Path = ROOT) -> Build | None:
    """The build of f9a8dde; None if the history does not have it. The first use makes worktree and environment.

    Raises:
        CannotMeasure: git or pip failed.
    """
    if not _has_commit(root):
        return None
    worktree = folder / FORMER_COMMIT
    environment = worktree / ".venv"
    if not (environment / READY).exists():
        tell(f"Making a worktree of {FORMER_COMMIT} and its environment. This happens once.")
        _make_worktree(root, worktree)
        _make_environment(worktree, environment)
    return Build(FORMER, worktree, environment / "bin" / "python", "infra.local.story")


def _has_commit(root: Path) -> bool:
    if shutil.which("git") is None:
        return False
    command = ["git", "-C", str(root), "cat-file", "-e", f"{FORMER_COMMIT}^{{commit}}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own command


def _make_worktree(root: Path, worktree: Path) -> None:
    """Check out the commit anew, also where a run was interrupted or the folder was removed."""
    shutil.rmtree(worktree, ignore_errors=True)
    git = ["git", "-C", str(root), "worktree"]
    _run([*git, "prune"])
    _run([*git, "add", "--detach", "--force", str(worktree), FORMER_COMMIT])


def _make_environment(worktree: Path, environment: Path) -> None:
    """Install what the build's own lock file pins. pip compiles the packages, as a deployment does."""
    _run([sys.executable, "-m", "venv", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "-r", str(worktree / "requirements-dev.txt")])
    (environment / READY).touch()


def _run(command: Sequence[str]) -> None:
    completed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    if completed.returncode:
        lines = completed.stderr.strip().splitlines()
        raise CannotMeasure(f"{' '.join(command[:4])} failed: {lines[-1] if lines else 'it printed nothing'}")
