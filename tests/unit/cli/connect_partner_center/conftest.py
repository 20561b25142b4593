"""The emulators, started once. Nobody has signed in yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.systems import Systems
from tests.no_waits import no_waits
from tests.unit.cli.connect_partner_center.sign_in_steps import PLACEHOLDER, REFRESH_TOKEN, Person


@pytest.fixture
def systems(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Systems]:
    monkeypatch.chdir(tmp_path)
    systems.vault.secret_store.put(REFRESH_TOKEN, {"value": PLACEHOLDER})
    systems.partner_center.populate(1)
    with no_waits():
        yield systems


@pytest.fixture
def person(systems: Systems) -> Person:
    return Person(systems)
