"""Define the values that the store returns besides links and pointers."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Self

from msgspec import Struct, field

from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Side
from shared.domain.policy import PAUSED

WAITING = "waiting"
DELETED, HIDDEN = "deleted", "hidden"
"""Causes of retry entries of opportunities that are looked for: a deleted one may be restored, a hidden one shown."""
OPERATOR = "operator"
"""The cause of an entry that an operator has left: what a service refused is tried again too."""
EVENT = "event"
"""The cause of an entry that an event of a burst has left: nothing of the referral was read yet."""
WAITING_CAUSES = frozenset({"held", WAITING, MASS_CHANGE, "mapping_change", DELETED, HIDDEN, PAUSED, EVENT})
"""Causes of retry entries that are no failure: a person must act first, a set time has not come yet, or a run."""


class Entry[T](Struct, frozen=True):
    """A value of the store, the ETag that it was read with, and its age by the store's own clock."""

    value: T
    etag: str
    age: timedelta


class Asker(Struct, frozen=True, array_like=True):
    """Who has asked for a pair (an Entra object id, or `local`), and when."""

    operator: str
    at: datetime


class RetryEntry(Struct, frozen=True):
    """A retry entry: a pair that waits for its next attempt at the time `at`.

    `key` is an opportunity id (side Salesforce) or a referral id (side Partner Center). `since` is when the pair came
    into the retry queue. `asked` is an operator's request that the app has not worked yet. `further` holds what a later
    build stored behind these values (docs/protocol.md#rows-of-other-builds).
    """

    side: Side
    key: str
    at: datetime
    cause: str
    attempts: int = 0
    etag: str = ""
    since: datetime | None = None
    further: tuple[Any, ...] = ()
    asked: Asker | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the pair failed, so that it is late."""
        return self.cause not in WAITING_CAUSES

    @classmethod
    def of_event(cls, key: str, now: datetime) -> Self:
        """The entry that an event of a burst about a referral leaves at `now`."""
        return cls(Side.PARTNER_CENTER, key, now, EVENT)

    @property
    def is_event(self) -> bool:
        """Whether only an event of a burst left it: its work is that of the event, and knows the same shortcuts."""
        return self.cause == EVENT

    def must_wait(self, now: datetime) -> bool:
        """Whether the pair failed, and its next attempt is later than `now`."""
        return self.is_failure and self.at > now


class KnownPath(Struct, frozen=True):
    """What a release of the app has learned of a path: whether Partner Center takes a change of it."""

    release: str
    is_taken: bool


class SideState(Struct, frozen=True):
    """The state of a side, for every instance: until when and why it is paused.

    `paths` is what was learned of paths of a referral that no list of Microsoft's names (docs/protocol.md#fixed-paths).
    """

    paused_until: datetime | None = None
    reason: str | None = None
    paths: Mapping[str, KnownPath] = field(default_factory=dict)

    def with_paths(self, learned: Mapping[str, KnownPath]) -> "SideState":
        """This state with what was learned of some paths."""
        return replace(self, paths={**self.paths, **learned})

    def fixed_paths(self, release: str) -> frozenset[str]:
        """The paths of which Partner Center takes no change; those that another release learned are tried again."""
        known = self.paths.items()
        return frozenset(path for path, one in known if not one.is_taken and one.release == release)

    @property
    def waits_for_sign_in(self) -> bool:
        """Whether a failed sign-in paused the side. A person can end that pause with `cosell connect`."""
        return self.paused_until is not None and self.reason == "sign_in"


class CompareProgress(Struct, frozen=True):
    """How far a compare of all links has come (docs/protocol.md#the-daily-compare).

    begun       when it began
    phase       what it does next; `ENDED` once nothing is left
    after       the opportunity id up to which the links are compared, or the ticked opportunities
    listed_to   when the last referral of the list that was compared was created; None before the first page
    sampled_to  the opportunity id of the link whose referral was last read as a sample, also by an earlier compare
    counts      what was found, by the kinds of findings, and how many links and referrals were looked at
    """

    begun: datetime
    phase: str = ""
    after: str = ""
    listed_to: datetime | None = None
    sampled_to: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
