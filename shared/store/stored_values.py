"""Define the values that the store returns besides links and pointers."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from shared.domain.deal import Side


class Entry[T](Struct, frozen=True):
    """A value of the store, the ETag that it was read with, and its age by the store's own clock."""

    value: T
    etag: str
    age: timedelta


class Line(Struct, frozen=True):
    """One audit line of an opportunity."""

    at: datetime
    text: str


class RetryEntry(Struct, frozen=True):
    """A retry entry: a pair that waits for its next attempt at the time `at`.

    `key` is an opportunity id (side Salesforce) or a referral id (side Partner Center). `since` is when the pair came
    into the retry queue. `further` holds what a later build stored behind these values
    (docs/protocol.md#rows-of-other-builds).
    """

    side: Side
    key: str
    at: datetime
    cause: str
    attempts: int = 0
    etag: str = ""
    since: datetime | None = None
    further: tuple[Any, ...] = ()


class SideState(Struct, frozen=True):
    """The state of a side, for every instance: until when and why it is paused, and how many calls may run at once."""

    paused_until: datetime | None = None
    reason: str | None = None
    parallelism: int | None = None
