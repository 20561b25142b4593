"""What several homes need: an authority for TLS, and all outside systems of the connector, started together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from local.systems import Systems, started


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests: it only issues certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def all_systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with started(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture
def systems(all_systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Systems:
    """Everything as at the start, and an environment in which the app finds it; the store is the test's own."""
    for name, value in {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    all_systems.reset()
    return all_systems
