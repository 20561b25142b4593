"""Builds the zip of the app: the files that the app needs, their bytecode, and a record of their origin.

The same sources give the same bytes. config-zip sends what it gets (docs/reference/azure.md#azure-cli), so the files
are chosen here.
"""

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.azure.deploy.bytecode import compile_sources, foreign_bytecode, is_bytecode
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.test_record import git_state, read_test_record
from shared import __version__
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError
from shared.mapping import checked_file
from shared.mapping.validation import load_mapping
from shared.store.row_codec import ROWS

FILES = ("function_app.py", "host.json", "requirements.txt", "sbom.cdx.json")
FOLDERS = ("functions", "shared")
EXCLUDED = ("shared/cli/",)
"""Only people's machines run these."""
SUFFIXES = frozenset({".py", ".toml", ".txt"})
RECORD = "build.json"
FIRST_ROWS = 1
"""The generation of rows of a zip that records none (`shared.store.row_codec.ROWS`)."""
EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: with its own time the same sources would give other bytes each time."""
_DEPLOY_AGAIN = "Deploy again from the sources."
READABLE = 0o100644 << 16
UNIX = 3


@dataclass(frozen=True, slots=True)
class ZipPackage:
    """The bytes of a zip, and its record."""

    data: bytes
    record: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, data: bytes) -> "ZipPackage":
        """Read an existing zip. Raises DeploymentFailure if it has no record, or bytecode of other sources."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                package = cls(data, json.loads(archive.read(RECORD)))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise DeploymentFailure(f"The zip has no readable {RECORD}.", _DEPLOY_AGAIN) from error
        if foreign := foreign_bytecode(package.files):
            sentence = f"The zip has bytecode that was not made of its sources: {', '.join(foreign[:5])}."
            raise DeploymentFailure(sentence, _DEPLOY_AGAIN)
        return package

    @property
    def files(self) -> dict[str, bytes]:
        """The content of every file, by path."""
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @property
    def code_files(self) -> dict[str, bytes]:
        """The sources that are the same in every environment: without record, bytecode, and what is in `mapping`."""
        return {
            name: data
            for name, data in self.files.items()
            if name != RECORD and not name.startswith("mapping/") and not is_bytecode(name)
        }

    @property
    def released_files(self) -> dict[str, bytes]:
        """What decides how the app works: the sources and the mapping file. The other files are made of these."""
        mapping = {name: data for name, data in self.files.items() if name.startswith("mapping/")}
        return self.code_files | {name: data for name, data in mapping.items() if name.endswith(".toml")}

    @property
    def commit(self) -> str:
        """The commit that the zip was built from, or an empty text if there was no git."""
        return str(self.record["commit"])

    @property
    def digest(self) -> str:
        """The first twelve hex digits of the zip's SHA-256 hash."""
        return hashlib.sha256(self.data).hexdigest()[:12]

    @property
    def functions(self) -> frozenset[str]:
        """The names of the functions that the app must list after the installation."""
        return frozenset(self.record["functions"])

    @property
    def rows(self) -> int:
        """The generation of the rows that this zip writes, and the latest one that it reads."""
        return int(self.record.get("rows", FIRST_ROWS))

    @property
    def untested_reason(self) -> str | None:
        """Return why the zip does not count as tested, or None if `make test` passed on exactly these sources."""
        test_record, commit = self.record.get("tested"), self.commit
        if not self.record["clean"] or not commit:
            return "it was built from changes that are not committed"
        if not test_record:
            return f"it contains no record that `make test` passed on the commit {commit[:12]}"
        if test_record["commit"] != commit or not test_record["clean"]:
            return "its test record is about other sources"
        return None


def build_zip(root: Path, environment: str) -> ZipPackage:
    """Build the zip of a checkout. Raises DeploymentFailure for a mapping file that is missing or not valid."""
    code = {path.relative_to(root).as_posix(): path.read_bytes() for path in app_files(root)}
    commit, is_clean = git_state(root)
    test_record = read_test_record(root)
    record = {
        "version": __version__,
        "commit": commit,
        "clean": is_clean,
        "tested": test_record if test_record and is_clean and test_record["commit"] == commit else None,
        "functions": sorted(declared_functions(code)),
        "rows": ROWS,
    }
    return zip_for_environment(code, record, environment, _read_mapping(root, environment))


def zip_for_environment(
    code: Mapping[str, bytes], record: Mapping[str, Any], environment: str, mapping: bytes
) -> ZipPackage:
    """The zip of this code with one environment's mapping file, bytecode, and the record that the file was checked.

    Raises DeploymentFailure if the file is not valid.
    """
    whole_record = {**record, "environment": environment, "mapping": _mapping_hash(environment, mapping)}
    files = {
        **code,
        **compile_sources(code),
        checked_file.RECORD: checked_file.make_record(mapping, code),
        f"mapping/{environment}.toml": mapping,
        RECORD: (json.dumps(whole_record, indent=2, sort_keys=True) + "\n").encode(),
    }
    return ZipPackage(_zip_bytes(files), whole_record)


def app_files(root: Path) -> Iterator[Path]:
    """The files of the app, without the mapping file."""
    for name in FILES:
        if not (root / name).is_file():
            raise DeploymentFailure(f"{name} is missing.", "Run from a complete checkout.", Exit.USAGE)
        yield root / name
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.suffix in SUFFIXES and not name.startswith(EXCLUDED):
                yield path


def declared_functions(code: Mapping[str, bytes]) -> Iterator[str]:
    """The names of the functions that the code declares."""
    for name, data in code.items():
        if name.startswith("functions/"):
            yield from re.findall(r'function_name\("(\w+)"\)', data.decode())


def _read_mapping(root: Path, environment: str) -> bytes:
    path = root / "mapping" / f"{environment}.toml"
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = 'Create it. The line `extends = "default"` is enough (docs/mapping.md).'
        raise DeploymentFailure(f"mapping/{path.name} is missing.", remedy, Exit.USAGE) from error


def _mapping_hash(environment: str, mapping: bytes) -> str:
    """The hash that the health endpoint reports for this mapping file."""
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        path = Path(folder) / f"{environment}.toml"
        path.write_bytes(mapping)
        try:
            return load_mapping(path)[1]
        except ConfigurationError as error:
            sentence = f"The mapping file is not valid.\n{error}"
            raise DeploymentFailure(sentence, f"Correct mapping/{path.name}.", Exit.USAGE) from error


def _zip_bytes(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EARLIEST_ZIP_TIME)
            entry.external_attr, entry.create_system, entry.compress_type = READABLE, UNIX, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()
