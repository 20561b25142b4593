from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Let the clients repeat their reads, without real waits between the tries."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
