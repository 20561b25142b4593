"""Let a repeated call begin its next try at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SLEEP = "shared.transport.retry.sleep"


@contextmanager
def no_waits() -> Iterator[list[float]]:
    """Skip the waits between tries within the block; yields the list of those that were skipped, in seconds."""
    waits = list[float]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SLEEP, waits.append)
        yield waits


def never_wait() -> None:
    """Skip the waits between tries for the rest of this process."""
    pytest.MonkeyPatch().setattr(SLEEP, lambda _: None)
