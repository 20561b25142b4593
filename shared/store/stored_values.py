"""What the store hands out beside links and pointers."""

from datetime import datetime, timedelta

from msgspec import Struct

from shared.domain.deal import Side


class Entry[T](Struct, frozen=True):
    """A value of the store, the ETag it was read with, and its age by the store's own clock."""

    value: T
    etag: str
    age: timedelta


class Line(Struct, frozen=True):
    """One line of the audit."""

    at: datetime
    text: str


class RetryEntry(Struct, frozen=True):
    """A pair that waits for its next attempt: an opportunity id (Salesforce) or a referral id (Partner Center).

    `since` is when the pair became due for the first time.
    """

    side: Side
    key: str
    at: datetime
    cause: str
    attempts: int = 0
    etag: str = ""
    since: datetime | None = None


class SideState(Struct, frozen=True):
    """How a side is doing, for every instance: paused until when and why, and how much at once."""

    paused_until: datetime | None = None
    reason: str | None = None
    parallelism: int | None = None
