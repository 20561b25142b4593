"""Read opportunities that say the same as new ones (docs/protocol.md#clones).

SOQL has no semi-join of an object with itself, so the names are in the query. Signs of the mark may stand before them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched

from shared.clients.salesforce.queries import MAX_QUERIES, Queries
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.soql_literals import in_list
from shared.domain.clones import Twin
from shared.domain.name_mark import KNOWN_SIGNS

DEALS_OF_A_QUERY = 40
"""So many names with all their signs, each character escaped, fit into the 100,000 characters of a query."""
_COLUMNS = "Id, Name, AccountId, Amount, CreatedDate, LastModifiedDate"


class TwinQueries(Queries):
    """The call that finds originals of copies. `SalesforceClient` has it too."""

    def twins(self, names: Mapping[str, str], flag: str, identifier: str, *, with_marks: bool) -> Sequence[Twin]:
        """Return new opportunities, given as names by id, and open ones of these names that are ticked or linked.

        The oldest come first. One query for 40 new ones, five a call. Names may show a mark if `with_marks`.
        """
        queries = [
            _query(some, flag, identifier, with_marks=with_marks)
            for some in batched(names.items(), DEALS_OF_A_QUERY, strict=False)
        ]
        calls = batched(queries, MAX_QUERIES, strict=False)
        records = [record for call in calls for page in self.query(*call).pages for record in page.records]
        return [_twin(record, identifier) for record in records]


def _query(new: Sequence[tuple[str, str]], flag: str, identifier: str, *, with_marks: bool) -> str:
    signs = ("", *(f"{sign} " for sign in sorted(KNOWN_SIGNS))) if with_marks else ("",)
    shown = [f"{sign}{name}" for _, name in new for sign in signs]
    return (
        f"SELECT {_COLUMNS}, {identifier} FROM Opportunity WHERE Id IN {in_list(key for key, _ in new)} "  # noqa: S608 - names from the checked mapping file
        f"OR (IsClosed = false AND ({flag} = true OR {identifier} != null) AND Name IN {in_list(shown)}) "
        "ORDER BY CreatedDate, Id"
    )


def _twin(record: Json, identifier: str) -> Twin:
    return Twin(
        str(record["Id"]),
        str(record.get("Name") or ""),
        record.get("AccountId"),
        record.get("Amount"),
        datetime.fromisoformat(str(record["CreatedDate"])),
        datetime.fromisoformat(str(record["LastModifiedDate"])),
        bool(record.get(identifier)),
    )
