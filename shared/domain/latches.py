"""The latches, as data: what Partner Center allows to change, in which status, and in which direction.

status of the referral   what may be written
Closed                   nothing, apart from deal registration
New                      the answer only: status to Active or Closed
Active                   every path of the PATCH list; status to Closed, but not to Declined
a lead                   nothing, until it is accepted in Partner Center
shared with Microsoft    no customer contacts

Nobody can set Expired.

Source: docs/reference/partner-center.md#status-transitions, docs/reference/partner-center.md#fields-that-lock.
"""

from msgspec import Struct

from shared.domain.deal import Status, Value

TRANSITIONS = {"New": frozenset({"New", "Active", "Closed"}), "Active": frozenset({"Active", "Closed"})}
"""The statuses that each status may become; a status that is not listed may not change."""

SUBSTATUSES = {
    "New": frozenset({"Pending", "Received"}),
    "Active": frozenset({"Accepted"}),
    "Closed": frozenset({"Won", "Lost", "Declined", "Expired", "Error"}),
}


class Latch(Struct, frozen=True):
    """The reason why a write is forbidden. `code` is stored in the link and chooses the sentence for sellers."""

    code: str


CLOSED_IS_FINAL = Latch("closed_is_final")
NOT_ANSWERED = Latch("not_answered")
NO_SUCH_MOVE = Latch("no_such_move")
ALREADY_ACCEPTED = Latch("already_accepted")
CONTACTS_LOCKED = Latch("contacts_locked")
"""Of customer contacts once the deal is shared with Microsoft (docs/reference/partner-center.md#fields-that-lock)."""
FIXED_THERE = Latch("fixed_there")
"""Of a field of which Partner Center takes no change (docs/protocol.md#fixed-paths)."""
IS_LEAD = Latch("lead_not_accepted")
LEAD_STATUS = Status("Lead", "None")
"""The status that stands for a lead that nobody has accepted: nothing may be written to it."""


def forbidding_latch(current: Status | None, value: Value | None) -> Latch | None:
    """The latch that forbids writing `value` to a referral whose status is `current`; None if it may be written."""
    if current is None:
        return None
    if current == LEAD_STATUS:
        return IS_LEAD
    if current.is_final:
        return CLOSED_IS_FINAL
    if isinstance(value, Status):
        if value.substatus == "Declined" and not current.is_unanswered:
            return ALREADY_ACCEPTED
        return None if _is_allowed_move(current, value) else NO_SUCH_MOVE
    return NOT_ANSWERED if current.is_unanswered else None


def _is_allowed_move(current: Status, wanted: Status) -> bool:
    reachable = TRANSITIONS.get(current.status, frozenset())
    settable = SUBSTATUSES.get(wanted.status, frozenset()) - {"Expired"}
    return wanted.status in reachable and wanted.substatus in settable
