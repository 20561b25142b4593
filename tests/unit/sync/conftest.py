from collections.abc import Iterator

import pytest
import stamina

from tests.unit.sync.harness import Harness


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness
