"""Judges what one bad record does: its deal is parked with code, field, reason and remedy, and harms no other.

Source: docs/protocol.md#rule-7-one-bad-record-harms-no-other, docs/protocol.md#rejected-writes,
docs/protocol.md#rows-of-other-builds. That all others agree is judged by the oracle.

unparked    a value that is refused for good, and the deal does not say so
unexplained the audit does not say what was refused, why, and what to do
harmed      a pair whose row cannot be read was written
untold      a row that cannot be read, of which the log says nothing or no entry brings it up again
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Refused:
    """A value that Salesforce refuses for good: the label and the column of its field, and the reason of the rule."""

    label: str
    column: str
    reason: str


@dataclass(frozen=True)
class Parked:
    """What the store has of the deal: code and field of the cause, and its reason and remedy."""

    code: str | None = None
    field: str | None = None
    reason: str | None = None
    remedy: str | None = None


def judge_refused(deal: Record, refused: Refused, parked: Parked) -> Iterator[str]:
    """What is wrong with a deal of which a value still differs, because Salesforce refuses it."""
    where, audit = f"{refused.column} of {deal['Id']}", str(deal["Audit__c"] or "")
    if deal["Sync_Status__c"] != "Failed":
        yield f"unparked: {where} is refused, and the mark is {deal['Sync_Status__c']}"
    if not (parked.code and parked.field and parked.remedy) or parked.reason != refused.reason:
        yield f"unparked: {where} is refused, and the store has {parked}"
    told = [line for line in audit.splitlines() if refused.label in line and refused.reason in line]
    if not any(parked.remedy and parked.remedy in line for line in told):
        yield f"unexplained: the audit says neither why {where} is refused nor what to do"


def judge_unreadable(
    pair: Collection[str], written: Sequence[str], told: Collection[str], *, is_waiting: bool
) -> Iterator[str]:
    """What is wrong with a pair whose row cannot be read.

    `pair` has the ids of its records, `written` the addresses of all writes, and `told` the keys that the log names.
    """
    for address in written:
        yield from (f"harmed: {address} is written, and its row cannot be read" for one in pair if one in address)
    if not set(pair) & set(told):
        yield f"untold: the log does not say that the row of {sorted(pair)} cannot be read"
    if not is_waiting:
        yield f"untold: nothing brings up {sorted(pair)} again"
