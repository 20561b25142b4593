"""Define where copies of the store are kept, and keep them in a folder beside a store that is one file.

The names say the time of a copy, so that they sort by age. A copy is seen only when it is whole.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Protocol

from shared.foundation.errors import NotFound, StoreUnavailable

ERASED = "erased.json"
"""The name of what was purged and forgotten, as hashes: it is kept beside the copies, and is no copy."""
_NAME = re.compile(r"store-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)Z\.jsonl\.gz")


class Copies(Protocol):
    """A place for files. Raises StoreUnavailable, and ConfigurationError for a place that cannot be used."""

    def names(self) -> Sequence[str]:
        """Return the names of all files, sorted."""

    def write[T](self, name: str, fill: Callable[[IO[bytes]], T]) -> T:
        """Write a file, or replace it; nobody sees it before `fill` has ended. Returns what `fill` returns."""

    def read(self, name: str, into: IO[bytes]) -> None:
        """Write the content of a file into another one. Raises NotFound."""

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""


def copy_name(at: datetime) -> str:
    """Return the name of a copy whose reading began at this time."""
    return f"store-{at.astimezone(UTC):%Y-%m-%dT%H-%M-%S}Z.jsonl.gz"


def time_of_copy(name: str) -> datetime | None:
    """Return when the reading of a copy began; None if the name is that of no copy."""
    found = _NAME.fullmatch(name)
    return datetime.strptime(f"{found[1]}+0000", "%Y-%m-%dT%H-%M-%S%z") if found else None


class FolderCopies:
    """The place `Copies` as a folder, which is made at the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> Sequence[str]:
        """See `Copies.names`."""
        return sorted(path.name for path in self._folder.glob("*") if path.suffix != ".part")

    def write[T](self, name: str, fill: Callable[[IO[bytes]], T]) -> T:
        """See `Copies.write`."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return write_whole_file(self._folder / name, fill)
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} cannot be written: {error.strerror}") from error

    def read(self, name: str, into: IO[bytes]) -> None:
        """See `Copies.read`."""
        try:
            with (self._folder / name).open("rb") as source:
                copyfileobj(source, into)
        except FileNotFoundError:
            raise NotFound(f"{self._folder} has no {name}") from None
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} cannot be read: {error.strerror}") from error

    def delete(self, name: str) -> None:
        """See `Copies.delete`."""
        (self._folder / name).unlink(missing_ok=True)


def write_whole_file[T](path: Path, fill: Callable[[IO[bytes]], T]) -> T:
    """Write a file that nobody else can read, under another name until it is whole. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with part.open("wb") as out:
        result = fill(out)
    part.replace(path)
    return result
