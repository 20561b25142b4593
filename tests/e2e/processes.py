"""Commands of the local run in processes of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.systems import ROOT

WIDE = {"COLUMNS": "200", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
ENDS_WITHIN = 30.0


def environment(**environ: str) -> dict[str, str]:
    return {**os.environ, **WIDE, **environ}


def run(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A Python command to its end; `folder` is where it runs."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *arguments], cwd=folder, env=environment(**environ), capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Running:
    """A command that serves until it is told to end."""

    process: subprocess.Popen[str]

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read lines up to the one that matches; the match. Fails with all that was said where none does."""
        said = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line has {pattern!r}: {''.join(said)}")

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Send the signal; exit status and what is said until then."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=ENDS_WITHIN)
        return self.process.returncode, said


@contextmanager
def serving(*arguments: str, folder: Path, **environ: str) -> Iterator[Running]:
    """A Python command that serves; ended at the latest when the test is done. Errors are part of its output."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *arguments], cwd=folder, env=environment(**environ),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()
