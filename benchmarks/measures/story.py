"""The time of `make run`, with the store in tables, over the time with the embedded one."""

import os
import subprocess
import time

from benchmarks.measures.measure import Work
from benchmarks.systems.builds import Build
from benchmarks.systems.processes import ANSWER_SECONDS, KEPT, CannotMeasure
from local.azurite import NODE_MODULES

DEALS, RUNS = 100, 3


def measure_story(work: Work) -> None:
    """Run the story of the build with both stores, one after the other."""
    link_node_modules(work.build)
    for _ in range(work.effort.runs(RUNS)):
        embedded = _time_story(work, "")
        work.add("story", _time_story(work, "azurite") / embedded)


def link_node_modules(build: Build) -> None:
    """Let a worktree find the Azurite of this checkout: both builds pin the same version of it."""
    place = build.root / NODE_MODULES.relative_to(NODE_MODULES.parents[3])
    if not place.exists():
        place.symlink_to(NODE_MODULES.resolve())


def _time_story(work: Work, storage: str) -> float:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ = {**kept, "DEALS": str(work.effort.deals(DEALS)), "STORAGE": storage}
    command = [str(work.build.python), "-m", work.build.story]
    began = time.monotonic()
    completed = subprocess.run(  # noqa: S603 - our own command
        command, cwd=work.build.root, env=environ, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
    )
    if completed.returncode:
        lines = completed.stdout.strip().splitlines()
        raise CannotMeasure(f"the story failed: {lines[-1] if lines else 'it printed nothing'}")
    return time.monotonic() - began
