"""The emulators, started once; nobody has signed in yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from infra.local.systems import Systems, started
from tests.unit.cli.connect_partner_center.connect_bench import PLACEHOLDER, RT, Person


@pytest.fixture(scope="module")
def all_systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with started(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture
def systems(all_systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Systems]:
    for name, value in {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    all_systems.reset()
    all_systems.vault.shelf.put(RT, {"value": PLACEHOLDER})
    all_systems.partner_center.populate(1)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield all_systems


@pytest.fixture
def person(systems: Systems) -> Person:
    return Person(systems)
