"""Fixtures that several test folders share: an authority for TLS, and all outside systems of the connector."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from local.systems import Systems, start_systems


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority serves all tests, because it only issues certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def all_systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with start_systems(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture
def systems(all_systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Systems:
    """The systems after a reset, and an environment in which the app finds them. Each test has its own store."""
    for name, value in {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    all_systems.reset()
    return all_systems
