"""Keeps the deployed zips in the package container, so that a previous version can be restored.

Each zip is a blob under `history/` with a state: `pending` until its health check, then `healthy` or `failed`
(`not_built` if the app was never built from it), and `withdrawn` after a rollback. The app runs the newest healthy zip.
The last three healthy zips are kept. The name of a zip holds the generation of the rows that it writes.

A later commit with the same code and mapping file is not installed again. Its commit and test record lie beside the
zip, in the metadata of the blob, in place of those in the zip (`renew`).
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from infra.azure.deploy.az import AzError
from infra.azure.deploy.failure import explain_az_error
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_package import FIRST_ROWS, ZipPackage

PREFIX = "history/"
HEALTHY_ZIPS_KEPT = 3
COUNTS = ("passed", "failed", "skipped", "deselected")
"""What a test record counts."""
ROLE_SECONDS, PAUSE_SECONDS = 600.0, 15.0
"""A role for data takes effect some minutes after it was granted."""
ROLE_NOT_EFFECTIVE = ("do not have the required permissions", "AuthorizationPermissionMismatch")


class State(StrEnum):
    """The state of a zip in the history."""

    PENDING = "pending"
    HEALTHY = "healthy"
    FAILED = "failed"
    NOT_BUILT = "not_built"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class KeptZip:
    """One zip of the history."""

    name: str
    state: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The hash of the content, which ends the name. A zip that was deployed twice has two names and one digest."""
        return self.name.removesuffix(".zip").rpartition("-")[2]

    @property
    def rows(self) -> int:
        """The generation of the rows that this zip writes, and the latest one that it reads."""
        found = re.search(r"-rows(\d+)-", self.name)
        return int(found[1]) if found else FIRST_ROWS

    def with_renewed_record(self, package: ZipPackage) -> ZipPackage:
        """This zip's package with the record that lies beside it, if a later commit of the same code has renewed it."""
        if not self.metadata.get("commit"):
            return package
        commit, counts = self.metadata["commit"], {name: int(self.metadata.get(name, 0)) for name in COUNTS}
        tested = {"commit": commit, "clean": True, "finished": self.metadata.get("finished", ""), **counts}
        return replace(package, record={**package.record, "commit": commit, "clean": True, "tested": tested})


def healthy_zips(zips: Sequence[KeptZip]) -> list[KeptZip]:
    """The healthy ones among the zips of a history, in the same order."""
    return [kept for kept in zips if kept.state == State.HEALTHY]


def latest_rows(zips: Sequence[KeptZip]) -> int:
    """The latest generation of rows that the store may hold: each zip of a history that may have run counts."""
    return max((kept.rows for kept in zips if kept.state != State.NOT_BUILT), default=FIRST_ROWS)


class ZipHistory:
    """The history of one environment."""

    def __init__(self, session: Session, target: Target) -> None:
        """Calls nothing yet."""
        self._session = session
        container = target.outputs.get("PACKAGE_CONTAINER", "packages")
        self._account_options = ("--account-name", target.outputs["STORAGE_ACCOUNT_NAME"], "--auth-mode", "login")
        self._container_options = ("--container-name", container)

    def upload_pending(self, package: ZipPackage) -> str:
        """Upload a zip as pending and return its name. Raises DeploymentFailure."""
        time = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
        commit = package.commit[:12] or "nocommit"
        name = f"{PREFIX}{time}-{commit}-rows{package.rows}-{package.digest}.zip"
        with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
            path = Path(folder) / "app.zip"
            path.write_bytes(package.data)
            options = ("--name", name, "--file", str(path), "--metadata", f"state={State.PENDING}")
            self._retry_until_role_works(*self._blob_command("upload"), *options)
        return name

    def _retry_until_role_works(self, *words: str) -> Any:  # noqa: ANN401 - any JSON that the command prints
        deadline, has_printed = self._session.monotonic() + ROLE_SECONDS, False
        while True:
            try:
                return self._session.az.run_json(*words)
            except AzError as error:
                if self._session.monotonic() >= deadline or not any(text in error.text for text in ROLE_NOT_EFFECTIVE):
                    raise explain_az_error(error) from error
            if not has_printed:
                self._session.say(
                    f"Waiting until the new role on the storage account takes effect, {ROLE_SECONDS / 60:.0f} minutes "
                    "at most."
                )
                has_printed = True
            self._session.sleep(PAUSE_SECONDS)

    def set_state(self, name: str, state: State) -> None:
        """Change the state of a zip. Raises DeploymentFailure."""
        self._session.run_az(*self._blob_command("metadata", "update"), "--name", name, "--metadata", f"state={state}")

    def renew(self, kept: KeptZip, package: ZipPackage) -> None:
        """Write the commit and the test record of a zip with the same files beside a healthy one.

        The zip must have a test record. Raises DeploymentFailure.
        """
        record = package.record["tested"]
        values = {"state": kept.state, **{name: str(record.get(name, 0)) for name in ("commit", "finished", *COUNTS)}}
        words = (f"{name}={value}" for name, value in values.items())
        self._session.run_az(*self._blob_command("metadata", "update"), "--name", kept.name, "--metadata", *words)

    def list_zips(self) -> list[KeptZip]:
        """All zips, newest first. A role that was granted just now is waited for. Raises DeploymentFailure."""
        blobs = self._retry_until_role_works(*self._blob_command("list"), "--prefix", PREFIX, "--include", "m") or []
        zips = [_kept_zip(blob["name"], blob.get("metadata") or {}) for blob in blobs]
        return sorted(zips, key=lambda kept: kept.name, reverse=True)

    def list_healthy(self) -> list[KeptZip]:
        """The healthy zips, newest first: the app runs the first one. Raises DeploymentFailure."""
        return healthy_zips(self.list_zips())

    def download(self, kept: KeptZip) -> ZipPackage:
        """Download a zip. Raises DeploymentFailure."""
        with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
            path = Path(folder) / "app.zip"
            self._session.run_az(*self._blob_command("download"), "--name", kept.name, "--file", str(path))
            return ZipPackage.from_bytes(path.read_bytes())

    def delete_old(self) -> None:
        """Delete all zips that are older than the newest healthy one, except the last three different healthy ones."""
        zips, kept_names = self.list_zips(), dict[str, str]()
        for kept in zips:
            if kept.state == State.HEALTHY and len(kept_names) < HEALTHY_ZIPS_KEPT:
                kept_names.setdefault(kept.digest, kept.name)
        newest = next(iter(kept_names.values()), "")
        for kept in zips:
            if kept.name < newest and kept.name not in kept_names.values():
                self._session.run_az(*self._blob_command("delete"), "--name", kept.name)

    def _blob_command(self, *verb: str) -> tuple[str, ...]:
        return ("storage", "blob", *verb, *self._container_options, *self._account_options)


def _kept_zip(name: str, metadata: Mapping[str, str]) -> KeptZip:
    return KeptZip(name, metadata.get("state", ""), metadata)
