"""Which rows of a list count as a read of their referral, and whether lists are trusted. Pure.

A list may lag behind, lack referrals, repeat them, or show a whole older version. So a row counts only if Partner
Center made it after the version that the link knows: that one is at least as new as the last write of ours.

Source: docs/protocol.md#lists-as-reads.
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from enum import Enum

from shared.domain.deal import Deal
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.member_sets import keys_of
from shared.domain.policy import Policy
from shared.domain.records import Referral

AGREED, DIFFERED = "lists_agreed", "lists_differed"
"""The cursors that say when rows were last compared with single referrals, and when they last differed."""
SAMPLE_AGAIN = timedelta(days=1)
OFF_FOR = timedelta(days=30)
"""So long after a difference is no list used."""


class Trust(Enum):
    """Whether rows are used: not for a while, after a comparison only, or as they are."""

    OFF = 0
    UNTESTED = 1
    TESTED = 2


def trust_in_lists(cursors: Mapping[str, datetime], now: datetime) -> Trust:
    """Whether the rows of lists are used. A time in the future proves nothing in their favour."""
    agreed, differed = cursors.get(AGREED), cursors.get(DIFFERED)
    if differed is not None and now - differed < OFF_FOR:
        return Trust.OFF
    is_tested = agreed is not None and timedelta() <= now - agreed < SAMPLE_AGAIN
    return Trust.TESTED if is_tested else Trust.UNTESTED


def may_be_listed(link: Link, stamp: datetime, policy: Policy) -> bool:
    """Whether rows from a time on may stand in for a read. What awaits an answer or has ended is read by itself.

    They are newer than the known version by more than the clocks of the service may differ.
    """
    known = link.known_since
    return known is not None and stamp > known + policy.clocks_differ and link.state in (State.LIVE, State.PARKED)


def counts_as_read(row: Referral, link: Link, stamp: datetime, policy: Policy) -> bool:
    """Whether a row stands in for a read of the link's referral; `stamp` is the date that named it for this run.

    A row that shows less than what was agreed does not count: a list may leave something out.
    """
    return row.updated >= stamp and may_be_listed(link, row.updated, policy) and _holds(row.deal, link.base)


def _holds(deal: Deal, base: Deal) -> bool:
    """Whether a deal lacks no value that the base has, and no member of its lists."""
    return all(deal.get(name) is not None for name, value in base.items() if value is not None) and all(
        set(keys_of(value)) <= set(keys_of(deal[name])) for name, value in base.items() if isinstance(value, tuple)
    )


def differing_fields(row: Referral, read: Referral) -> tuple[str, ...] | None:
    """In which fields a row differs from the same version, read by itself; None if it shows another version."""
    if row.etag != read.etag:
        return None
    names = {name for name in {*row.deal, *read.deal} if row.deal.get(name) != read.deal.get(name)}
    is_same = replace(row, deal=read.deal, raw=None, is_listed=False) == replace(read, raw=None)
    return tuple(sorted(names if is_same else {*names, "*"}))
