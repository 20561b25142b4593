"""Runs Azurite, Microsoft's storage emulator, for as long as it is needed: with `STORAGE=azurite`, and in tests.

It needs Node.js and the package that `make node` installs; the local run does without both.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulators.base.server import LOOPBACK
from shared.foundation.errors import ConfigurationError

PACKAGES = Path(__file__).resolve().parents[1] / "tests" / "conformance" / "azurite" / "node_modules"
PROGRAM = PACKAGES / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
# Published with the emulator and the same for everyone: it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SERVICES = ("blob", "queue", "table")
STARTS_WITHIN, ENDS_WITHIN = 60.0, 10.0
"""Seconds."""
ATTEMPTS = 5
"""A port that was free when it was chosen may be taken when Azurite comes to it, seconds later."""


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite; the ports of its services."""

    scheme: str
    blob: int
    queue: int
    table: int

    @property
    def table_endpoint(self) -> str:
        """The address of the account's tables."""
        return f"{self.scheme}://{LOOPBACK}:{self.table}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What the storage libraries and the settings take."""
        services = {"Blob": self.blob, "Queue": self.queue, "Table": self.table}
        endpoints = ";".join(
            f"{name}Endpoint={self.scheme}://{LOOPBACK}:{port}/{ACCOUNT}" for name, port in services.items()
        )
        return f"DefaultEndpointsProtocol={self.scheme};AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"


def missing() -> str | None:
    """One sentence that says what Azurite lacks here, or None."""
    if shutil.which("node") is None:
        return "Azurite needs Node.js, which is not installed: its command node was not found."
    if not PROGRAM.exists():
        return "Azurite is not installed: run make node."
    return None


@contextmanager
def running(folder: Path, *options: str, scheme: str = "http") -> Iterator[Azurite]:
    """Azurite on free ports, in memory; `folder` takes its log. Raises ConfigurationError where it cannot run."""
    if reason := missing():
        raise ConfigurationError(reason)
    log = folder / "azurite.log"
    with ExitStack() as stack:
        for _ in range(ATTEMPTS):
            azurite = Azurite(scheme, *_free_ports(len(SERVICES)))
            if _listens(stack.enter_context(_process(_command(azurite, options), log)), log):
                yield azurite
                return
        raise RuntimeError(f"Azurite did not start: other programs took its ports, {ATTEMPTS} times")


@contextmanager
def _process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=_environment(), start_new_session=True,  # Ctrl-C is for us: it ends once we have let go of it
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(ENDS_WITHIN)


def _command(azurite: Azurite, options: Sequence[str]) -> Sequence[str]:
    ports = {"blob": azurite.blob, "queue": azurite.queue, "table": azurite.table}
    places = [word for name, port in ports.items() for word in (f"--{name}Host", LOOPBACK, f"--{name}Port", str(port))]
    switches = ("--silent", "--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck")
    return [shutil.which("node") or "node", str(PROGRAM), *switches, *places, *options]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _listens(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until all three services listen; False if another program took a port since it was found free."""
    deadline = time.monotonic() + STARTS_WITHIN
    while log.read_text(errors="replace").count("successfully listening") < len(SERVICES):
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")
            if "EADDRINUSE" in said:
                return False
            raise RuntimeError(f"Azurite did not start: {said[-2000:]}")
        time.sleep(0.02)
    return True
