"""The zip: exactly what belongs into the app, byte for byte the same for the same sources, with a record of its making.

config-zip does not read `.funcignore` (reference/azure.md section 5), so the files are chosen here.
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

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.test_record import read as read_tested
from infra.azure.deploy.test_record import state_of
from shared import __version__
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import load

SINGLE = ("function_app.py", "host.json", "requirements.txt")
FOLDERS = ("functions", "shared")
LEFT_OUT = ("shared/cli/",)
"""What only a person's machine runs."""
KINDS = frozenset({".py", ".toml"})
RECORD = "build.json"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name: a file's own time would make every zip another."""
READABLE = 0o100644 << 16
UNIX = 3


@dataclass(frozen=True, slots=True)
class Package:
    """One zip's bytes and its record."""

    data: bytes
    record: Mapping[str, Any]

    @classmethod
    def of(cls, data: bytes) -> "Package":
        """Read a zip that was made earlier. Raises Stopped if it is none of ours."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return cls(data, json.loads(archive.read(RECORD)))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            sentence = f"The zip carries no readable {RECORD}."
            raise Stopped(sentence, "Deploy it anew from the sources.") from error

    @property
    def files(self) -> dict[str, bytes]:
        """Every file by its path."""
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @property
    def code(self) -> dict[str, bytes]:
        """The files that are the same in every environment."""
        return {name: data for name, data in self.files.items() if name != RECORD and not name.startswith("mapping/")}

    @property
    def commit(self) -> str:
        """The commit that it was made from; empty where there was no git."""
        return str(self.record["commit"])

    @property
    def digest(self) -> str:
        """The zip's own hash, cut."""
        return hashlib.sha256(self.data).hexdigest()[:12]

    @property
    def functions(self) -> frozenset[str]:
        """The names that the app must have once it is indexed."""
        return frozenset(self.record["functions"])

    @property
    def untested(self) -> str | None:
        """Why nobody may say that `make test` passed on these very sources; None where it did."""
        tested, commit = self.record.get("tested"), self.commit
        if not self.record["clean"] or not commit:
            return "it was made from changes that are in no commit"
        if not tested:
            return f"it carries no record of `make test` for the commit {commit[:12]}"
        if tested["commit"] != commit or not tested["clean"]:
            return "its record of `make test` is of other sources"
        return None


def build(root: Path, environment: str) -> Package:
    """Make the zip of a checkout for an environment. Raises Stopped for a mapping file that is missing or wrong."""
    code = {path.relative_to(root).as_posix(): path.read_bytes() for path in chosen(root)}
    commit, is_clean = state_of(root)
    tested = read_tested(root)
    record = {
        "version": __version__,
        "commit": commit,
        "clean": is_clean,
        "tested": tested if tested and is_clean and tested["commit"] == commit else None,
        "functions": sorted(functions(code)),
    }
    return for_environment(code, record, environment, _mapping(root, environment))


def for_environment(code: Mapping[str, bytes], record: Mapping[str, Any], environment: str, mapping: bytes) -> Package:
    """The zip of some code with one environment's mapping. Raises Stopped for a mapping file that is wrong."""
    whole = {**record, "environment": environment, "mapping": _hash(environment, mapping)}
    files = {
        **code,
        f"mapping/{environment}.toml": mapping,
        RECORD: (json.dumps(whole, indent=2, sort_keys=True) + "\n").encode(),
    }
    return Package(_zipped(files), whole)


def chosen(root: Path) -> Iterator[Path]:
    """The files of the app, without the mapping."""
    for name in SINGLE:
        if not (root / name).is_file():
            raise Stopped(f"{name} is not there.", "Run from a complete checkout.", Exit.USAGE)
        yield root / name
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.suffix in KINDS and not name.startswith(LEFT_OUT):
                yield path


def functions(code: Mapping[str, bytes]) -> Iterator[str]:
    """The names of the functions that the code declares."""
    for name, data in code.items():
        if name.startswith("functions/"):
            yield from re.findall(r'function_name\("(\w+)"\)', data.decode())


def _mapping(root: Path, environment: str) -> bytes:
    path = root / "mapping" / f"{environment}.toml"
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = 'Make it; the line `extends = "default"` is enough (docs/mapping.md).'
        raise Stopped(f"mapping/{path.name} is not there.", remedy, Exit.USAGE) from error


def _hash(environment: str, mapping: bytes) -> str:
    """The hash that the health endpoint will answer with."""
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        path = Path(folder) / f"{environment}.toml"
        path.write_bytes(mapping)
        try:
            return load(path)[1]
        except ConfigurationError as error:
            raise Stopped(f"The mapping is wrong: {error}.", f"Mend mapping/{path.name}.", Exit.USAGE) from error


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.external_attr, entry.create_system, entry.compress_type = READABLE, UNIX, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()
