from collections.abc import Iterator

import pytest
import stamina

from tests.unit.sync.bench import Bench


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as made:
        yield made
