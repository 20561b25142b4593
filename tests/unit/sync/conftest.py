from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.no_waits import no_waits
from tests.unit.sync.changed_mappings import Write
from tests.unit.sync.harness import Harness


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with no_waits():
        yield


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a mapping file that extends the default."""

    def write(text: str) -> Path:
        path = tmp_path / f"{abs(hash(text))}.toml"
        path.write_text(f'extends = "default"\nversion = 1\n{text}', "utf-8")
        return path

    return write
