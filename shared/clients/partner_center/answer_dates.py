"""Who is told when the service gave an answer. The ports import this module: it loads no HTTP client.

Source: docs/protocol.md#the-sweep.
"""

from collections.abc import Callable
from datetime import datetime

type HearDate = Callable[[datetime | None], None]
"""Gets the `Date` of an answer; None where it has none that can be read."""


def ignore_date(_: datetime | None) -> None:
    """Do nothing with the date of an answer."""
