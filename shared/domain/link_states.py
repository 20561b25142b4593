"""The states of a link, and the mark that a seller sees (docs/protocol.md#states-of-a-link).

(nothing) --flagged, complete--> live
(nothing) --flagged, incomplete--> held --corrected--> live
(nothing) --inbound New--> on_hold --answered--> live
live --refused by a service--> parked --taken at a later try, or another value--> live
any with a referral --un-ticked--> paused --ticked--> the state of before
any with a referral --deleted, or not visible--> gone --restored, or visible--> the state of before
live, parked --both sides closed, the rest on record--> closed
"""

from enum import StrEnum


class State(StrEnum):
    """The state of a link."""

    LIVE = "live"
    ON_HOLD = "on_hold"
    HELD = "held"
    PAUSED = "paused"
    CLOSED = "closed"
    GONE = "gone"
    PARKED = "parked"


SUSPENDED = (State.PAUSED, State.GONE)
"""The states that a link leaves for the one that it had before (`resting_links.py`)."""


class Mark(StrEnum):
    """The values of the sync status field of an opportunity.

    synced        both sides agree
    differences   something differs for good, and the audit names each difference
    waiting       an answer or a set time is awaited
    failed        somebody must act
    """

    SYNCED = "Synced"
    DIFFERENCES = "Synced with differences"
    WAITING = "Waiting"
    FAILED = "Failed"
