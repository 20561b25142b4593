"""Runs commands of the local run in processes of their own."""

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

COMMAND_ENVIRONMENT = {"COLUMNS": "200", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
STOP_SECONDS = 30.0


def command_environment(**environ: str) -> dict[str, str]:
    return {**os.environ, **COMMAND_ENVIRONMENT, **environ}


def run_python(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a Python command in `folder` until it ends."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *arguments], cwd=folder, env=command_environment(**environ), capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip


@dataclass(frozen=True)
class RunningCommand:
    """A command that serves until a signal arrives."""

    process: subprocess.Popen[str]

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read the output up to a line that matches, and return the match. Fails with the whole output otherwise."""
        lines = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"no line has {pattern!r}: {''.join(lines)}")

    def stop_and_read(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Send the signal; returns the exit status and the rest of the output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode, rest


@contextmanager
def start_python(*arguments: str, folder: Path, **environ: str) -> Iterator[RunningCommand]:
    """Run a Python command that serves, at most until the block ends. Its errors are part of its output."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts its background jobs so, and a process that ignores a signal hands that on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *arguments], cwd=folder, env=command_environment(**environ),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        try:
            yield RunningCommand(process)
        finally:
            if process.poll() is None:
                process.kill()
