"""Where the next sweep begins: the service's time at the first page of this one, less a margin.

The newest stamp would leave a burst of changes inside the overlap until something else changes: each sweep would list
and look up all of them again.

Source: docs/protocol.md#the-sweep.
"""

from datetime import datetime, timedelta

from msgspec import Struct

SWEEP = "sweep"
"""The name of the sweep, and of its cursor."""

MARGIN = timedelta(minutes=5)
"""So far may the clock of the node that dates an answer be ahead of the one that stamps a change.

It leaves the overlap whole for lists that lag. Entra allows the same difference between the clocks of two machines.
"""


def first_bound(cursor: datetime | None, now: datetime) -> datetime | None:
    """The cursor to read from. One in the future of our clock `now` is from an absurd time, and counts as `now`."""
    return min(cursor, now) if cursor else None


class Scan(Struct, frozen=True):
    """What a sweep knows of its list once it has the first page.

    `cursor` is the one that it began with. `answered` is the `Date` of the first page, and `newest` the newest
    `updatedDateTime` on it; None where there is none that can be read.
    """

    cursor: datetime | None = None
    answered: datetime | None = None
    newest: datetime | None = None

    def next_cursor(self, begin: datetime, now: datetime) -> datetime | None:
        """The cursor of the next sweep; None where it stays. `now` is our clock before the first page.

        It is never later than `now`, and never before the last cursor or `begin`, the start of the sync. A `Date` from
        before those is absurd: then, as without one, the newest stamp is used.
        """
        least = min(self.cursor or begin, now)
        latest = min(self.answered, now) - MARGIN if self.answered else None
        if latest is None or latest < least - MARGIN:
            latest = min(self.newest, now) if self.newest else None
        return max(latest, least) if latest else None
