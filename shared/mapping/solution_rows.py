"""Read the solutions of a deal from the rows of its related list, with what the catalogue says of each."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from shared.domain.member_sets import key_of
from shared.domain.records import Row
from shared.mapping.paths import Json, normal_text, value_in_record

RELATED_LIST = "Cosell_Solutions__r"
ROWS = "Cosell_Deal_Solution__c"
_CATALOGUE = "Solution__r"
ID = f"{_CATALOGUE}.Solution_Id__c"
ABOUT: Mapping[str, str] = {
    "name": f"{_CATALOGUE}.Name",
    "publisher": f"{_CATALOGUE}.Publisher__c",
    "solution_type": f"{_CATALOGUE}.Solution_Type__c",
    "co_sell_ready": f"{_CATALOGUE}.Co_sell_Ready__c",
    "active": f"{_CATALOGUE}.Active__c",
}
"""What the catalogue says of a solution, by the keys of `Row.about`, with the columns as a row sees them."""
NEEDED = (f"{ROWS}.{ID}",)
COLUMNS = (*NEEDED, *(f"{ROWS}.{column}" for column in ABOUT.values()))
"""The columns of the rows, as the org is asked about them."""


def select_rows(hidden: Collection[str] = ()) -> str:
    """Return the subquery of the rows, without the columns that the integration user does not see."""
    seen = [column for column in (ID, *ABOUT.values()) if f"{ROWS}.{column}" not in hidden]
    return f"(SELECT Id, {', '.join(seen)} FROM {RELATED_LIST})"  # noqa: S608 - our own names only


def rows_in(record: Json) -> tuple[Row, ...]:
    """Return the rows of a deal, oldest first; one that names no id has an empty key."""
    listed = (value_in_record(record, RELATED_LIST) or {}).get("records") or ()
    rows = [row for row in listed if isinstance(row, Mapping)]
    return tuple(Row(str(row.get("Id")), key_of(id_in(row) or ""), dict(_about(row))) for row in rows)


def ids_in(record: Json) -> tuple[str, ...]:
    """Return the ids that the rows name, each once, in the spelling of the catalogue."""
    listed = (value_in_record(record, RELATED_LIST) or {}).get("records") or ()
    ids = dict[str, str]()
    for found in filter(None, map(id_in, listed)):
        ids.setdefault(key_of(found), found)
    return tuple(ids.values())


def id_in(row: Json) -> str | None:
    """Return the id of the solution that a row names; None without one."""
    return normal_text(value_in_record(row, ID))


def _about(row: Json) -> Iterator[tuple[str, Any]]:
    for name, column in ABOUT.items():
        value = value_in_record(row, column)
        if isinstance(value, bool) or (value := normal_text(value)):
            yield name, value
