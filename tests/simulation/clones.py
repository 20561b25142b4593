"""Copies of opportunities that an import or a flow makes, with the tick: people are asked before they are sent.

held      a copy that equals an open deal is not sent, and its audit asks; any other copy is sent

Source: docs/protocol.md#clones.
"""

from tests.simulation.held_back import is_asked_about
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People

CLONES = "copies of opportunities that keep the tick"
COPIED = ("Name", "AccountId", "Amount", "CurrencyIsoCode", "StageName", "CloseDate", "Description", TICK)


def _clones(people: People) -> bool:
    """Half of the copies get another amount at once, as a second order of a customer has."""
    record = people.choose(people.opportunities())
    if record is None or not people.may_add_a_deal():
        return False
    values = {column: record[column] for column in COPIED}
    if people.chance.random() < 0.5:
        values["Amount"] = people.amount()
    return people.add_opportunity(**values)


def _tells_apart(people: People) -> bool:
    """A seller gives a copy that is held another name, or clears the tick of it."""
    held = [record for record in people.opportunities() if is_asked_about(record)]
    record = people.choose(held)
    if record is None:
        return False
    named = {"Name": f"Second order {next(people.numbers)}"}
    return people.save_opportunity(record, people.chance.choice((named, {TICK: False})))


CLONE_MOVES = (
    Move("an import copies an opportunity", 12, _clones, "", CLONES),
    Move("seller tells a copy apart", 25, _tells_apart, "", CLONES),
)
