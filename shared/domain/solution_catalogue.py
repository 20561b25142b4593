"""Decides what a list of solutions changes in the catalogue of an org. Pure.

The list adds and changes solutions. One that it lacks stays, or becomes inactive if a person asks for that: deals may
name it. An empty cell changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from typing import Any

from msgspec import Struct

ID, NAME, PUBLISHER, TYPE = "Solution_Id__c", "Name", "Publisher__c", "Solution_Type__c"
READY, ACTIVE = "Co_sell_Ready__c", "Active__c"
COLUMNS = (ID, NAME, PUBLISHER, TYPE, READY, ACTIVE)
"""The columns of a record of the catalogue."""
CREATED, CHANGED, DEACTIVATED = "created", "changed", "deactivated"
"""The kinds of changes."""

type Record = Mapping[str, Any]


class Solution(Struct, frozen=True):
    """A solution as a line of the list has it; None is an empty cell."""

    id: str
    line: int
    name: str | None = None
    publisher: str | None = None
    type: str | None = None
    co_sell_ready: bool | None = None
    active: bool | None = None

    def says_the_same(self, other: "Solution") -> bool:
        """Whether another line says the same of this solution."""
        return replace(self, line=other.line) == other

    @property
    def values(self) -> dict[str, Any]:
        """The values of its record, without empty cells."""
        listed = {
            NAME: self.name, PUBLISHER: self.publisher, TYPE: self.type, READY: self.co_sell_ready, ACTIVE: self.active,
        }  # fmt: skip
        return {column: value for column, value in listed.items() if value is not None}


class CatalogueChange(Struct, frozen=True):
    """One record to write: `values` by column, without the id. `line` is None for a solution that the list lacks."""

    id: str
    kind: str
    values: Record
    line: int | None = None


def changes_of(
    listed: Iterable[Solution], held: Iterable[Record], *, deactivate_missing: bool
) -> Iterator[CatalogueChange]:
    """The records to write. Records without an id are nobody's business.

    A new solution of which nobody says whether it is co-sell ready counts as ready, as one that no catalogue knows.
    With `deactivate_missing` the list decides what is active, so a solution that is back in it is active again.
    """
    records = {str(record[ID]).strip().casefold(): record for record in held if record.get(ID)}
    for solution in listed:
        record, values = records.pop(solution.id.casefold(), None), solution.values
        if record is None:
            new = {NAME: solution.id, READY: True, ACTIVE: True, **values}
            yield CatalogueChange(solution.id, CREATED, new, solution.line)
            continue
        if deactivate_missing:
            values.setdefault(ACTIVE, True)
        if differing := {column: value for column, value in values.items() if record.get(column) != value}:
            yield CatalogueChange(str(record[ID]), CHANGED, differing, solution.line)
    for record in records.values() if deactivate_missing else ():
        if record.get(ACTIVE):
            yield CatalogueChange(str(record[ID]), DEACTIVATED, {ACTIVE: False})
