from collections.abc import Iterator

import pytest

from tests.no_waits import no_waits


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Let the clients repeat their reads, without real waits between the tries."""
    with no_waits():
        yield
