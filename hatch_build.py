"""Make the wheel require the versions of requirements-cli.txt, so that an installed `cosell` runs on tested versions.

hatchling loads this file when it builds the wheel (pyproject.toml). The metadata of a wheel has no place for hashes, so
only `make` checks those.
"""

from collections.abc import Iterator
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

LOCK = "requirements-cli.txt"


class CustomMetadataHook(MetadataHookInterface):
    """Sets the dependencies of the project."""

    def update(self, metadata: dict[str, object]) -> None:
        """Add every pin of the lock file to the metadata. Raises ValueError for a line that pins no version."""
        lock = Path(self.root, LOCK).read_text(encoding="utf-8")
        metadata["dependencies"] = list(pins(lock))


def pins(lock: str) -> Iterator[str]:
    """Each requirement of a lock file with version and marker, but without hashes. Raises ValueError."""
    for line in lock.splitlines():
        if not line or line.startswith((" ", "#")):  # a hash, or a comment on who needs the package
            continue
        requirement = line.removesuffix("\\").strip()
        if "==" not in requirement.partition(";")[0]:
            raise ValueError(f"{LOCK} must pin a version in each line, and this one does not: {requirement}")
        yield requirement
