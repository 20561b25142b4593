"""The rules for `[lead]` that the schema cannot express: each column has one source."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.mapping.lead_columns import ADDRESS_COLUMNS, PERSON_COLUMNS, LeadTable
from shared.mapping.violations import Place, Violation, expectation

_KEYS = ("identifier", "link", "audit", "source", "requested_action", "solutions", "name", "description")
_FIXED = {
    **dict.fromkeys(map(str.casefold, PERSON_COLUMNS), "the first contact"),
    **dict.fromkeys(map(str.casefold, ADDRESS_COLUMNS), "the customer"),
}


def lead_violations(document: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield each column of a lead that is named twice, or that the contact or the customer fills already."""
    table = document.get("lead")
    if not isinstance(table, Mapping):
        return
    fills, defaults = dict(_FIXED), table.get("defaults")
    for key in sorted(_KEYS, key=lambda key: key in table):
        column = table.get(key, LeadTable.model_fields[key].default)
        if isinstance(column, str) and column:
            yield from _taken(("lead", key), column, fills)
            fills[column.casefold()] = f"lead.{key}"
    for column in defaults if isinstance(defaults, Mapping) else ():
        yield from _taken(("lead", "defaults", column), str(column), fills)


def _taken(place: Place, column: str, fills: Mapping[str, str]) -> Iterator[Violation]:
    if source := fills.get(column.casefold()):
        expected = "a column of the lead that nothing else fills"
        yield Violation(place, expectation(expected, f"{column}, which {source} fills"))
