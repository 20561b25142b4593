"""Names the changes that the mass-change stop counts: what a mistake makes many of, and nobody can take back. Pure.

kind         counted
creation     a new referral, a new opportunity, a request to Microsoft for help
closure      a deal is won, lost, declined or closed
visibility   a deal becomes visible to Microsoft's sellers
emptied      a field becomes empty
value        one field takes one value, on many deals

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from shared.domain.deal import (
    SHOWN_AMOUNT,
    SHOWN_SOLUTIONS,
    STATUS,
    VISIBILITY,
    VISIBLE,
    Change,
    Side,
    Status,
    fingerprint,
)
from shared.domain.help_request import HELP

MASS_CHANGE = "mass_change"
"""The code of a change that waits for an operator's approval, and the cause of a retry entry of such a pair."""
MARKS_OF_EMPTY = frozenset(fingerprint(value) for value in (None, "", ()))
"""The marks of emptied values."""


class Kind(StrEnum):
    """The kinds of changes that are counted, each for each side."""

    CREATION = "creation"
    CLOSURE = "closure"
    VISIBILITY = "visibility"
    EMPTIED = "emptied"
    VALUE = "value"


class Counted(Struct, frozen=True):
    """A change that is counted.

    mark    the fingerprint of the new value
    key     its key among the waiting values of a link, which is that of a refusal
    count   the name of the count that it belongs to: each value of a field has its own
    """

    side: Side
    kind: Kind
    field: str
    mark: str
    key: str
    count: str


def counted(side: Side, kind: Kind, field: str = "*", mark: str = "") -> Counted:
    """A change that is counted, with its names."""
    of_value = f"|{field}|{mark}" if kind is Kind.VALUE else ""
    return Counted(side, kind, field, mark, f"{side}.{field}", f"{kind}|{side}{of_value}")


NEW_REFERRAL = counted(Side.PARTNER_CENTER, Kind.CREATION)
NEW_OPPORTUNITY = counted(Side.SALESFORCE, Kind.CREATION)
NEW_REQUEST = counted(Side.PARTNER_CENTER, Kind.CREATION, HELP)


def counts_of(key: str, mark: str) -> tuple[str, ...]:
    """The names of the counts that a stopped change may belong to, by its key and its mark: of its value, of its kind.

    A link does not say which of the two stopped it: an answer and a close are both a status.
    """
    side, _, field = key.partition(".")
    of_value = f"{Kind.VALUE}|{side}|{field}|{mark}"
    if key in (NEW_REFERRAL.key, NEW_REQUEST.key):
        return of_value, f"{Kind.CREATION}|{side}"
    if field == VISIBILITY:
        return of_value, f"{Kind.VISIBILITY}|{side}"
    if mark in MARKS_OF_EMPTY:
        return of_value, f"{Kind.EMPTIED}|{side}"
    return (of_value, f"{Kind.CLOSURE}|{side}") if field == STATUS else (of_value,)


def counted_changes(
    to_partner_center: Sequence[Change], to_salesforce: Sequence[Change], *, asks: bool
) -> tuple[Counted, ...]:
    """The counted changes of a plan. `asks` says that Microsoft is asked for help."""
    writes = ((Side.PARTNER_CENTER, to_partner_center), (Side.SALESFORCE, to_salesforce))
    found = [one for side, changes in writes for change in changes if (one := _counted(side, change))]
    return (*found, NEW_REQUEST) if asks else tuple(found)


def _counted(side: Side, change: Change) -> Counted | None:
    """The change as it is counted; None if it only shows what the other side has, or makes a value shorter."""
    new, mark = change.new, fingerprint(change.new)
    if change.field in (SHOWN_AMOUNT, SHOWN_SOLUTIONS):
        return None
    if isinstance(new, Status) and new.is_final:
        return counted(side, Kind.CLOSURE, change.field, mark)
    if change.field == VISIBILITY:
        return counted(side, Kind.VISIBILITY, change.field, mark) if new == VISIBLE else None
    return counted(side, Kind.VALUE if new else Kind.EMPTIED, change.field, mark)
