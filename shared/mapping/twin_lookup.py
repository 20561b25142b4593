"""The queries that find opportunities which say the same as new ones (docs/protocol.md#clones).

SOQL has no semi-join of an object with itself, so the names are in the query. Signs of the mark may stand before them.
"""

from collections.abc import Iterable, Mapping
from itertools import batched

from shared.clients.salesforce.records import Json
from shared.clients.salesforce.soql_literals import in_list
from shared.domain.clones import Twin
from shared.domain.name_mark import KNOWN_SIGNS
from shared.mapping.paths import parse_time
from shared.mapping.polls import Marks

DEALS_OF_A_QUERY = 40
"""So many names with all their signs, each character escaped, fit into the 100,000 characters of a query."""
_COLUMNS = "Id, Name, AccountId, Amount, CreatedDate, LastModifiedDate"


def twin_queries(ours: Marks, names: Mapping[str, str], *, with_marks: bool) -> list[str]:
    """Queries for new opportunities, given as names by id, and for open ones of these names that are ticked or linked.

    The oldest come first. With `with_marks`, names may show a mark.
    """
    signs = ("", *(f"{sign} " for sign in sorted(KNOWN_SIGNS))) if with_marks else ("",)
    concerns = f"({ours.flag} = true OR {ours.identifier} != null)"
    return [
        f"SELECT {_COLUMNS}, {ours.identifier} FROM Opportunity "  # noqa: S608 - names from the checked mapping file
        f"WHERE Id IN ('{"','".join(key for key, _ in some)}') OR (IsClosed = false AND {concerns} "
        f"AND Name IN {in_list([f'{sign}{name}' for _, name in some for sign in signs])}) ORDER BY CreatedDate, Id"
        for some in batched(names.items(), DEALS_OF_A_QUERY, strict=False)
    ]


def twins_in(records: Iterable[Json], identifier: str) -> list[Twin]:
    """Return what is compared of the records."""
    return [
        Twin(
            str(record["Id"]),
            str(record.get("Name") or ""),
            record.get("AccountId"),
            record.get("Amount"),
            parse_time(record.get("CreatedDate")),
            parse_time(record.get("LastModifiedDate")),
            bool(record.get(identifier)),
        )
        for record in records
    ]
