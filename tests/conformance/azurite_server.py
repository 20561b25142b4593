"""Runs Azurite, the storage emulator, for as long as a test needs it."""

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

HERE = Path(__file__).parent / "azurite"
PROGRAM = HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
# Published with the emulator and the same for everyone: it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Azurite:
    """A running Azurite; the ports of its services."""

    scheme: str
    blob: int
    queue: int
    table: int

    @property
    def table_endpoint(self) -> str:
        return f"{self.scheme}://{LOOPBACK}:{self.table}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        services = {"Blob": self.blob, "Queue": self.queue, "Table": self.table}
        endpoints = ";".join(
            f"{name}Endpoint={self.scheme}://{LOOPBACK}:{port}/{ACCOUNT}" for name, port in services.items()
        )
        return f"DefaultEndpointsProtocol={self.scheme};AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"


def missing() -> str | None:
    """Why Azurite cannot run here, or None."""
    if shutil.which("node") is None:
        return "NOT RUN: Node.js is missing, so the store was not tested against Table Storage (Azurite)"
    if not PROGRAM.exists():
        return (
            "NOT RUN: Azurite is not installed, so the store was not tested against it: see tests/conformance/azurite"
        )
    return None


@contextmanager
def running(folder: Path, *options: str, scheme: str = "http") -> Iterator[Azurite]:
    """Azurite on free ports, in memory; `folder` takes its log."""
    azurite = Azurite(scheme, *_free_ports(3))
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            _command(azurite, options), cwd=folder, stdout=log, stderr=log, env=_environment()
        )
        try:
            _wait(process, azurite, folder / "azurite.log")
            yield azurite
        finally:
            process.terminate()
            process.wait(10)


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
