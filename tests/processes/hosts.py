"""Two processes of the local host with the app, on one store and one queue, and the front end that gives them events.

A kill is SIGKILL: nothing of the process runs afterwards. The process is started again at once.
"""

import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from emulators.base.server import Request, Response
from local.systems import ROOT

START_SECONDS = 60.0
_SERVING = re.compile(r"^Serving \d+ functions on (http://\S+) ", re.MULTILINE)
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""The variables of this process that a host gets too. Its settings must not depend on the shell."""


@dataclass
class HostProcess:
    """One host. `starts` counts how often it was started; its output is in `folder`, one file for each start."""

    name: str
    folder: Path
    environ: Mapping[str, str]
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the process. It serves seconds later."""
        self.starts += 1
        command = [sys.executable, "-m", "tests.processes.hurried_host", "--app", str(ROOT), "--port", "0", "--timers"]
        command += ["--queue-file", str(self.folder / "queues.sqlite")]
        with self._output().open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
            )  # fmt: skip

    def kill(self, process: subprocess.Popen[bytes] | None) -> bool:
        """Kill this process of the host and start the next one. Returns False if it had ended before."""
        with self.lock:
            if process is None or process is not self.process or process.poll() is not None:
                return False
            process.kill()
            process.wait()
            self.start()
            return True

    def end(self) -> None:
        """Kill the process for good."""
        with self.lock:
            if self.process is not None:
                self.process.kill()
                self.process.wait()

    @property
    def url(self) -> str | None:
        """The address; None until the process serves."""
        served = _SERVING.search(self._output().read_text(errors="replace"))
        return served[1] if served else None

    def output(self) -> str:
        """What all its processes have printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob(f"{self.name}-*.log")))

    def _output(self) -> Path:
        return self.folder / f"{self.name}-{self.starts:03}.log"

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, **self.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class FrontEnd:
    """Leads each event to one of the hosts that serve, as the front end of Azure does."""

    hosts: Sequence[HostProcess]
    chance: random.Random

    def handle(self, request: Request) -> Response:
        """Answer as a host does, or with 503 where no host answers."""
        headers = {name: text for name, text in request.headers.items() if name not in ("host", "content-length")}
        for host in self.chance.sample(self.hosts, len(self.hosts)):
            with suppress(httpx.HTTPError):
                if host.url:
                    answer = httpx.post(
                        host.url + request.path, content=request.body, headers=headers, timeout=10, trust_env=False
                    )
                    return Response(answer.status_code, answer.content)
        return Response(503)


@contextmanager
def started(hosts: Sequence[HostProcess]) -> Iterator[None]:
    """Run the hosts until the block ends."""
    try:
        for host in hosts:
            host.start()
        yield
    finally:
        for host in hosts:
            host.end()
