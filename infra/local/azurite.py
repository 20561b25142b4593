"""Runs Azurite, Microsoft's storage emulator, for as long as it is needed: with `STORAGE=azurite`, and in tests.

It needs Node.js and the package that `make node` installs; the local run does without both.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.wire import LOOPBACK
from shared.errors import ConfigurationError

PACKAGES = Path(__file__).resolve().parents[2] / "tests" / "conformance" / "azurite" / "node_modules"
PROGRAM = PACKAGES / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
# Published with the emulator and the same for everyone: it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STARTS_WITHIN, ENDS_WITHIN = 60.0, 10.0


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
    azurite = Azurite(scheme, *_free_ports(3))
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            _command(azurite, options), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=_environment(), start_new_session=True,  # Ctrl-C is for us: it ends once we have let go of it
        )  # fmt: skip
        try:
            _wait(process, azurite, folder / "azurite.log")
            yield azurite
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


def _wait(process: subprocess.Popen[bytes], azurite: Azurite, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    for port in (azurite.blob, azurite.queue, azurite.table):
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Azurite did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
