"""Define the values that the store returns besides links and pointers."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from shared.domain.deal import Side

WAITING = "waiting"
WAITING_CAUSES = frozenset({"held", WAITING})
"""Causes of retry entries that are no failure: a person must act first, or a set time has not come yet."""


class Entry[T](Struct, frozen=True):
    """A value of the store, the ETag that it was read with, and its age by the store's own clock."""

    value: T
    etag: str
    age: timedelta


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

    @property
    def is_failure(self) -> bool:
        """Whether the pair failed, so that it is late."""
        return self.cause not in WAITING_CAUSES

    def must_wait(self, now: datetime) -> bool:
        """Whether the pair failed, and its next attempt is later than `now`."""
        return self.is_failure and self.at > now


class SideState(Struct, frozen=True):
    """The state of a side, for every instance: until when and why it is paused, and how many calls may run at once."""

    paused_until: datetime | None = None
    reason: str | None = None
    parallelism: int | None = None

    @property
    def waits_for_sign_in(self) -> bool:
        """Whether a failed sign-in paused the side. A person can end that pause with `cosell connect`."""
        return self.paused_until is not None and self.reason == "sign_in"
