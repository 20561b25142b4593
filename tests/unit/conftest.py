"""Fixtures that several test folders share: an authority for TLS, and all outside systems of the connector."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulators.base.certificate_authority import Authority
from local.systems import Systems, start_systems


@pytest.fixture(scope="session", autouse=True)
def keys_are_loaded_once() -> Iterator[None]:
    """Load each private key once for all signatures: OpenSSL checks its primes each time, for 30 ms or more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwt.algorithms.load_pem_private_key", cache(load_pem_private_key))
        yield


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
