"""What several tests of the rules share."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine has another time zone than that of the world, which all texts and stored times have."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
