"""What the sync has done again and again for one pair: tries that met an unreadable refusal, and writes of a value.

Pure. Source: docs/protocol.md#unreadable-refusals, docs/protocol.md#the-ping-pong-guard.
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.sentences import cause, system_name

UNREADABLE = "unreadable_refusal"
MOST_TRIES, SHORTEST = 5, timedelta(hours=1)
"""After so many tries, over so long a time, an unreadable refusal parks what it refuses."""


class Tries(Struct, frozen=True):
    """How often, and since when, a service refused what we write to a pair without a reason that can be read."""

    count: int
    since: datetime


class Writes(Struct, frozen=True):
    """When a value was last written to one field of a side: the fingerprint of the value, and the times.

    `is_stopped` says that it was written too often, because something sets it back: it is written once an hour then.
    """

    value: str
    times: tuple[datetime, ...]
    is_stopped: bool = False


class Repeats(Struct, frozen=True):
    """What was done again and again for a pair. `unknown` has the keys that a later build stored, as in `Link`.

    unreadable   the refusals that cannot be read, by the side that was written
    written      the last writes, by side and field ("partner_center.money")
    """

    unreadable: Mapping[str, Tries] = field(default_factory=dict)
    written: Mapping[str, Writes] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def tries(self, side: Side) -> int:
        """How often a side has refused unreadably what was written."""
        return self.unreadable[side].count if side in self.unreadable else 0


def with_unreadable(known: Repeats | None, side: Side, now: datetime) -> Repeats:
    """What is known after one more unreadable refusal by a side."""
    repeats = known or Repeats()
    tries = repeats.unreadable.get(side, Tries(0, now))
    return replace(repeats, unreadable={**repeats.unreadable, side: replace(tries, count=tries.count + 1)})


def without_unreadable(known: Repeats | None, side: Side) -> Repeats | None:
    """What is known once a side has taken all that was written; None if nothing is left."""
    if known is None or side not in known.unreadable:
        return known
    left = replace(known, unreadable={key: tries for key, tries in known.unreadable.items() if key != side})
    return None if left == Repeats() else left


def lasting_refusal(known: Repeats | None, side: Side, now: datetime) -> Cause | None:
    """Why a value is parked that a side refused unreadably too often; None while it is tried again."""
    tries = known.unreadable.get(side) if known else None
    if tries is None or tries.count < MOST_TRIES or now - tries.since < SHORTEST:
        return None
    return cause(UNREADABLE, None, system=system_name(side))
