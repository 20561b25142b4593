"""Sellers who change the reason of a close, also to one that does not fit, or to none.

asked     a close that lacks a reason is not sent, and the audit asks; with one it is

Source: docs/protocol.md#closing-reasons.
"""

from tests.simulation.held_back import REASON, REASONS_OF_A_LOSS, REASONS_OF_A_MISTAKE
from tests.simulation.held_values import Record
from tests.simulation.moves import Move, of_seller
from tests.simulation.people import People

REASONS = "sellers who choose closing reasons"


def _other_reason(people: People, record: Record) -> dict[str, object]:
    known = (*REASONS_OF_A_LOSS, *REASONS_OF_A_MISTAKE, None)
    return {REASON: people.chance.choice([one for one in known if one != record[REASON]])}


REASON_MOVES: tuple[Move, ...] = (
    of_seller("changes the closing reason", 12, "", _other_reason, REASONS),
    of_seller("enters the reason in their own words", 5, "", lambda people, _: {
        "Closing_Reason_Details__c": f"Reason {next(people.numbers)}"}, REASONS),
)  # fmt: skip
