"""Starts and stops Azurite, Microsoft's storage emulator. The tests use it, and the local run with `STORAGE=azurite`.

It needs Node.js and the package that `make node` installs. Without `STORAGE=azurite`, the local run needs neither.
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

NODE_MODULES = Path(__file__).resolve().parents[1] / "tests" / "conformance" / "azurite" / "node_modules"
PROGRAM = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
# Microsoft publishes this key with Azurite. Every Azurite accepts it, so it is not a secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SERVICES = ("blob", "queue", "table")
START_SECONDS, STOP_SECONDS = 60.0, 10.0
"""Seconds that Azurite may take to start and to stop."""
START_ATTEMPTS = 5
"""Azurite opens its ports seconds after they were chosen. If another program took one meanwhile, it starts again."""


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite: its scheme and the port of each service."""

    scheme: str
    blob: int
    queue: int
    table: int

    @property
    def table_endpoint(self) -> str:
        """The address of the account's table service."""
        return f"{self.scheme}://{LOOPBACK}:{self.table}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """The connection string in the form that the storage libraries and the app's settings accept."""
        services = {"Blob": self.blob, "Queue": self.queue, "Table": self.table}
        endpoints = ";".join(
            f"{name}Endpoint={self.scheme}://{LOOPBACK}:{port}/{ACCOUNT}" for name, port in services.items()
        )
        return f"DefaultEndpointsProtocol={self.scheme};AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"


def unavailable_reason() -> str | None:
    """The reason why Azurite cannot run on this machine, in one sentence; None if it can."""
    if shutil.which("node") is None:
        return "Azurite needs Node.js, but the command node was not found. Install Node.js."
    if not PROGRAM.exists():
        return "Azurite is not installed. Run: make node"
    return None


@contextmanager
def start_azurite(folder: Path, *options: str, scheme: str = "http", log_requests: bool = False) -> Iterator[Azurite]:
    """Run Azurite on free ports, in memory, until the block ends. It writes its log into `folder`.

    With `log_requests` the log has a line for each request.

    Raises:
        ConfigurationError: Azurite cannot run on this machine.
        RuntimeError: Azurite did not start.
    """
    if reason := unavailable_reason():
        raise ConfigurationError(reason)
    log = folder / "azurite.log"
    with ExitStack() as stack:
        for _ in range(START_ATTEMPTS):
            azurite = Azurite(scheme, *_free_ports(len(SERVICES)))
            command = [*_build_command(azurite), *([] if log_requests else ["--silent"]), *options]
            if _wait_until_listening(stack.enter_context(_start_process(command, log)), log):
                yield azurite
                return
        raise RuntimeError(f"Azurite did not start: other programs took its ports in all {START_ATTEMPTS} attempts")


@contextmanager
def _start_process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=_process_environment(),
            start_new_session=True,  # Ctrl-C must not reach Azurite: this process stops it when it no longer needs it
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _build_command(azurite: Azurite) -> Sequence[str]:
    ports = {"blob": azurite.blob, "queue": azurite.queue, "table": azurite.table}
    addresses = [(f"--{name}Host", LOOPBACK, f"--{name}Port", str(port)) for name, port in ports.items()]
    address_options = [word for words in addresses for word in words]
    general_options = ("--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck")
    return [shutil.which("node") or "node", str(PROGRAM), *general_options, *address_options]


def _process_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until all three services listen. Returns False if another program took one of the chosen ports meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while log.read_text(errors="replace").count("successfully listening") < len(SERVICES):
        if process.poll() is not None or time.monotonic() > deadline:
            log_text = log.read_text(errors="replace")
            if "EADDRINUSE" in log_text:
                return False
            raise RuntimeError(f"Azurite did not start: {log_text[-2000:]}")
        time.sleep(0.02)
    return True
