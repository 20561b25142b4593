"""Installs the packages of a lock file into the environment of this Python, and shows the progress.

    .venv/bin/python -m local.install_packages requirements-local.txt

It uses uv if it is on PATH, because uv is several times faster than pip. Without a network it stops after one try, with
one sentence. The exit status is 0, 1 if the packages could not be installed, or 130 after Ctrl-C.

It imports only the standard library, because it runs before any package is installed.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path

CONNECT_SECONDS = 15
"""Seconds that pip waits for a connection. A network that drops all packets is recognised after this time."""
TERMINAL_SECONDS, PLAIN_SECONDS = 1.0, 5.0
"""Seconds between two lines of progress: on a terminal, where a line replaces the one before, and elsewhere."""
SHOWN_LINES = 20
"""If the installation fails, this many last lines of the installer are shown."""
INTERRUPTED = 128 + signal.SIGINT

_PIN = re.compile(r"^([a-z0-9][\w.-]*)==([^\s;]+)", re.MULTILINE)
_PIP_PACKAGE = re.compile(
    r"^(?:(?:Collecting|Requirement already satisfied:) ([\w.-]+)|Processing (?:\S*/)?(\w[\w.]*?)-\d)"
)
_PIP_RECEIVES = re.compile(r"^ *(?:Downloading|Using cached) ")
_PIP_RETRIES = re.compile(r"Retrying \(Retry\(.*?connection broken by '(\w+)")
_UV_CANNOT_CONNECT = re.compile(r"error sending request|\(Connect\)|timed out|dns error", re.IGNORECASE)


class InstallationFailed(Exception):
    """The packages could not be installed; the message is for the reader."""


class NoNetwork(InstallationFailed):
    """The package index cannot be reached."""

    def __init__(self, reason: str) -> None:
        """`reason` is the name of the error that the installer reported."""
        super().__init__(
            f"The packages cannot be installed, because the package index cannot be reached ({reason}): check the "
            "network and its proxy, and run the same command again."
        )


class Progress:
    """Shows how many packages the installer has found. On a terminal, each line replaces the one before."""

    def __init__(self, total: int) -> None:
        """Start the clock. `total` is the number of packages in the lock file."""
        self._total = total
        self._found: set[str] = set()
        self._phase = ""
        self._began = self._shown = time.monotonic()
        self._on_terminal = sys.stdout.isatty()

    def note_line(self, line: str) -> None:
        """Note one line of the installer's output."""
        if package := _PIP_PACKAGE.match(line):
            name = (package[1] or package[2]).replace("_", "-")
            self._found.add(name.lower())
            self._phase = f"fetching {name}"
        elif line.startswith("Installing collected packages"):
            self._phase = "unpacking all of them"

    def show(self) -> None:
        """Show the progress, unless the last line was shown a moment ago."""
        now = time.monotonic()
        if now - self._shown < (TERMINAL_SECONDS if self._on_terminal else PLAIN_SECONDS):
            return
        self._shown = now
        # The lock file also lists packages for other systems, so the count may end below the total.
        text = f"  {len(self._found)} of {self._total} packages, {self._phase or 'starting'} ({self._seconds:.0f} s)"
        print(f"\r\033[K{text}" if self._on_terminal else text, end="" if self._on_terminal else "\n", flush=True)

    def finish(self) -> None:
        """Remove the line from the terminal."""
        if self._on_terminal:
            print("\r\033[K", end="", flush=True)

    def describe_end(self) -> str:
        """One sentence after a successful installation."""
        return f"Installed the packages in {self._seconds:.0f} s."

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began


def pins_of(lock: str) -> Mapping[str, str]:
    """The packages and their versions in the text of a lock file."""
    return dict(_PIN.findall(lock))


def install_packages(lock: Path) -> None:
    """Install all packages of a lock file, each only with one of its hashes.

    Raises:
        NoNetwork: the package index cannot be reached.
        InstallationFailed: the installer failed for another reason.
    """
    pins = pins_of(lock.read_text(encoding="utf-8"))
    print(f"Installing the packages of {lock.name}. This happens once.", flush=True)
    progress = Progress(len(pins))
    uv = shutil.which("uv")
    try:
        if uv is None:
            _install_with_pip(lock, progress)
        else:
            _check_network_with_uv(uv, pins)
            _install_with_uv(uv, lock, progress)
    finally:
        progress.finish()
    print(progress.describe_end(), flush=True)


# --- uv


def _check_network_with_uv(uv: str, pins: Mapping[str, str]) -> None:
    """Ask for one missing package, without retries. Raises NoNetwork."""
    missing = next((f"{name}=={version}" for name, version in pins.items() if _installed_version(name) != version), "")
    if not missing:
        return
    words = [uv, "pip", "install", "--python", sys.executable, "--dry-run", "--no-deps", missing]
    completed = subprocess.run(  # noqa: S603 - our own words
        words, env={**os.environ, "UV_HTTP_RETRIES": "0"}, capture_output=True, text=True, check=False
    )
    if completed.returncode and _UV_CANNOT_CONNECT.search(completed.stderr):
        raise NoNetwork("uv could not connect")


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _install_with_uv(uv: str, lock: Path, progress: Progress) -> None:
    words = [uv, "pip", "install", "--python", sys.executable, "--require-hashes", "-r", str(lock)]
    if sys.stderr.isatty():
        completed = subprocess.run(words, check=False)  # noqa: S603 - our own words; uv shows its own progress
        if completed.returncode:
            raise InstallationFailed(_failure_sentence("uv"))
        return
    lines = []
    with _start(words) as process:
        for line in _lines_with_pauses(process):
            lines += [line] if line else []
            progress.show()
    if process.returncode:
        raise InstallationFailed(_with_last_lines("uv", lines))


# --- pip


def _install_with_pip(lock: Path, progress: Progress) -> None:
    """Install with pip, and stop it at its first retry if it has not received anything yet."""
    if util.find_spec("pip") is None:  # an environment that was made while uv was on PATH has no pip
        subprocess.run([sys.executable, "-m", "ensurepip"], capture_output=True, check=True)
    options = ("--disable-pip-version-check", "--no-input", "--no-compile", "--timeout", str(CONNECT_SECONDS))
    lines: list[str] = []
    has_received = False
    with _start([sys.executable, "-m", "pip", "install", *options, "--require-hashes", "-r", str(lock)]) as process:
        for line in _lines_with_pauses(process):
            lines += [line] if line else []
            has_received = has_received or _PIP_RECEIVES.match(line) is not None
            retry = _PIP_RETRIES.search(line)
            if retry and not has_received:
                process.terminate()
                raise NoNetwork(retry[1])
            progress.note_line(line)
            progress.show()
    if process.returncode:
        raise InstallationFailed(_with_last_lines("pip", lines))


# --- running the installer


def _start(words: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own words
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )


def _lines_with_pauses(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of the output as they arrive. An empty line stands for a second without output."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read_output() -> None:
        for line in process.stdout or ():
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read_output, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=TERMINAL_SECONDS)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


def _failure_sentence(installer: str) -> str:
    return f"The packages cannot be installed: {installer} failed, and its output shows why."


def _with_last_lines(installer: str, lines: Sequence[str]) -> str:
    return "\n".join([*lines[-SHOWN_LINES:], _failure_sentence(installer)])


def main(argv: Sequence[str]) -> int:
    """Install the packages of the lock files that `argv` names. Returns the exit status."""
    try:
        for name in argv:
            install_packages(Path(name))
    except KeyboardInterrupt:
        print("\nStopped.")
        return INTERRUPTED
    except InstallationFailed as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
