"""Runs a program that answers each line of JSON with one line of JSON."""

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
"""The variables of this process that a program gets too. Its settings must not depend on the shell."""
ANSWER_SECONDS = 1_500.0
"""The longest wait for one answer. The longest action of a slow machine takes a quarter of it."""

END_SECONDS = 10.0
"""The longest wait for a program that was told to end."""


class CannotMeasure(Exception):
    """A program ended early, answered too late, or did not do its work; `str()` says which."""


class Conversation:
    """A running program. What it prints as an error goes into the file `errors`."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self._process, self._errors = process, errors
        self._read = b""

    def ask(self, do: str, **more: object) -> Any:  # noqa: ANN401 - JSON
        """Ask for one action, and return the answer. Raises CannotMeasure."""
        self.begin(do, **more)
        return self.answer(do)

    def begin(self, do: str, **more: object) -> None:
        """Ask for one action, and do not wait for it. Raises CannotMeasure."""
        self.send({"do": do, **more})

    def send(self, value: object) -> None:
        """Send one line. Raises CannotMeasure."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker; the process was started with a pipe
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended("a question") from None

    def answer(self, what: str, seconds: float = ANSWER_SECONDS) -> Any:  # noqa: ANN401 - JSON
        """Wait for the next line of output. Raises CannotMeasure."""
        until = time.monotonic() + seconds
        while b"\n" not in self._read:
            if not self.has_answered(until - time.monotonic()):
                raise CannotMeasure(f"{what} took longer than {seconds:.0f} s")
            assert self._process.stdout is not None  # noqa: S101 - as above
            part = os.read(self._process.stdout.fileno(), 1 << 20)
            if not part:
                raise self._ended(what)
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def has_answered(self, seconds: float = 0.0) -> bool:
        """Whether output is there, or comes within some seconds."""
        assert self._process.stdout is not None  # noqa: S101 - as above
        return bool(self._read or select.select([self._process.stdout], [], [], max(0.0, seconds))[0])

    def _ended(self, what: str) -> CannotMeasure:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        status = self._process.wait(END_SECONDS)
        return CannotMeasure(f"{what}: the program ended with {status}: {lines[-1] if lines else 'no message'}")


@contextmanager
def run_program(
    command: Sequence[str], environ: Mapping[str, str], folder: Path, errors: Path
) -> Iterator[Conversation]:
    """Run a program in `folder` until the block ends. Its settings are `environ` and a few variables of this one."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    pipe = subprocess.PIPE
    errors.parent.mkdir(parents=True, exist_ok=True)
    with errors.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command, cwd=folder, env={**kept, **environ}, stdin=pipe, stdout=pipe, stderr=output
        )
        try:
            yield Conversation(process, errors)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the program end by itself, so that it removes its files; kill it if it does not."""
    with suppress(BrokenPipeError, subprocess.TimeoutExpired):
        assert process.stdin is not None  # noqa: S101 - for the type checker; the process was started with a pipe
        process.stdin.close()
        process.wait(END_SECONDS)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
