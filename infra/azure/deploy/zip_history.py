"""The zips that were deployed, in the package container: what runs now, and the way back.

Each lies under `history/` with a state: `pending` while it is tried, `healthy` once its health check passed, `failed`
if it did not, `withdrawn` after a rollback. What runs is the newest healthy one; the last three healthy ones are kept.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from infra.azure.deploy.az import AzFailed
from infra.azure.deploy.failure import explained
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_package import Package

PREFIX = "history/"
KEPT = 3
PATIENCE, PAUSE = 600.0, 15.0
"""Seconds: a right to data works some minutes after it was granted."""
NO_RIGHT_YET = ("do not have the required permissions", "AuthorizationPermissionMismatch")


class State(StrEnum):
    """What became of a zip."""

    PENDING = "pending"
    HEALTHY = "healthy"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Kept:
    """One zip of the history."""

    name: str
    state: str

    @property
    def digest(self) -> str:
        """The zip's hash, which its name ends with: a zip that was deployed twice is still one."""
        return self.name.removesuffix(".zip").rpartition("-")[2]


class History:
    """The history of one environment."""

    def __init__(self, session: Session, target: Target) -> None:
        """Nothing is called yet."""
        self._session = session
        container = target.outputs.get("PACKAGE_CONTAINER", "packages")
        self._where = ("--account-name", target.outputs["STORAGE_ACCOUNT_NAME"], "--auth-mode", "login")
        self._container = ("--container-name", container)

    def keep(self, package: Package) -> str:
        """Store a zip as pending; its name. Raises Stopped."""
        made = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
        name = f"{PREFIX}{made}-{package.commit[:12] or 'nocommit'}-{package.digest}.zip"
        with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
            path = Path(folder) / "app.zip"
            path.write_bytes(package.data)
            words = ("--name", name, "--file", str(path), "--metadata", f"state={State.PENDING}")
            self._patiently(lambda: self._session.az.run(*self._blob("upload"), *words))
        return name

    def _patiently(self, call: Callable[[], Any]) -> None:
        until, told = self._session.monotonic() + PATIENCE, False
        while True:
            try:
                call()
            except AzFailed as failed:
                if self._session.monotonic() >= until or not any(text in failed.text for text in NO_RIGHT_YET):
                    raise explained(failed.command, failed.text) from failed
            else:
                return
            if not told:
                self._session.say("the right to the storage account was granted just now: waiting until it works")
                told = True
            self._session.sleep(PAUSE)

    def mark(self, name: str, state: State) -> None:
        """Say what became of a zip."""
        self._session.run(*self._blob("metadata", "update"), "--name", name, "--metadata", f"state={state}")

    def all(self) -> list[Kept]:
        """Every zip, newest first."""
        rows = self._session.run(*self._blob("list"), "--prefix", PREFIX, "--include", "m") or []
        found = [Kept(row["name"], (row.get("metadata") or {}).get("state", "")) for row in rows]
        return sorted(found, key=lambda kept: kept.name, reverse=True)

    def healthy(self) -> list[Kept]:
        """What runs now, and what ran before it, newest first."""
        return [kept for kept in self.all() if kept.state == State.HEALTHY]

    def read(self, kept: Kept) -> Package:
        """Fetch a zip. Raises Stopped."""
        with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
            path = Path(folder) / "app.zip"
            self._session.run(*self._blob("download"), "--name", kept.name, "--file", str(path))
            return Package.of(path.read_bytes())

    def prune(self) -> None:
        """Keep the last three healthy zips, each once, and what is newer than they are."""
        every, kept = self.all(), dict[str, str]()
        for zipped in every:
            if zipped.state == State.HEALTHY and len(kept) < KEPT:
                kept.setdefault(zipped.digest, zipped.name)
        newest = next(iter(kept.values()), "")
        for zipped in every:
            if zipped.name < newest and zipped.name not in kept.values():
                self._session.run(*self._blob("delete"), "--name", zipped.name)

    def _blob(self, *verb: str) -> tuple[str, ...]:
        return ("storage", "blob", *verb, *self._container, *self._where)
