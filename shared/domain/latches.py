"""What Partner Center lets change, when, and in which direction, as data (reference/partner-center.md 5.3, 6.1, 6.3).

the referral is   may be written
Closed            nothing (deal registration apart): terminal
New               the answer only: status to Active or Closed
Active            everything on the PATCH list; status to Closed
"""

from msgspec import Struct

from shared.domain.deal import Status, Value

TRANSITIONS = {"New": frozenset({"New", "Active", "Closed"}), "Active": frozenset({"Active", "Closed"})}
"""From status to the statuses it may become; a status that is not named here leads nowhere."""

SUBSTATUSES = {
    "New": frozenset({"Pending", "Received"}),
    "Active": frozenset({"Accepted"}),
    "Closed": frozenset({"Won", "Lost", "Declined", "Expired", "Error"}),
}


class Latch(Struct, frozen=True):
    """Why a write is forbidden: a code for the record and a sentence's key in the catalogue."""

    code: str


CLOSED_IS_FINAL = Latch("closed_is_final")
NOT_ANSWERED = Latch("not_answered")
NO_SUCH_MOVE = Latch("no_such_move")


def latch_on(current: Status | None, value: Value | None) -> Latch | None:
    """The latch that forbids writing `value` to a referral whose status is `current`; None where nothing does."""
    if current is None:
        return None
    if current.is_final:
        return CLOSED_IS_FINAL
    if isinstance(value, Status):
        return None if _may_become(current, value) else NO_SUCH_MOVE
    return NOT_ANSWERED if current.is_unanswered else None


def _may_become(current: Status, wanted: Status) -> bool:
    reachable = TRANSITIONS.get(current.status, frozenset())
    return wanted.status in reachable and wanted.substatus in SUBSTATUSES.get(wanted.status, frozenset())
