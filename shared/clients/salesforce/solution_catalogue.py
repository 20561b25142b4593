"""Read the catalogue of solutions of an org, and write many of its records in one call.

Source: docs/reference/salesforce.md#sobject-collections.
"""

from collections.abc import Iterator, Sequence
from itertools import batched

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.error_codes import cause_of, first_api_error
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.request import Call, Reply, UnreadableAnswer
from shared.domain.cause import Cause
from shared.domain.solution_catalogue import COLUMNS, ID, CatalogueChange

OBJECT = "Cosell_Solution__c"
MAX_RECORDS = 200
_BAD_REQUEST = 400


def read_catalogue(salesforce: SalesforceClient) -> list[Json]:
    """Return all records of the catalogue. Raises Rejected if the org lacks it, or the user may not see it."""
    page = salesforce.query(f"SELECT {', '.join(COLUMNS)} FROM {OBJECT} ORDER BY {ID}").pages[0]  # noqa: S608 - fixed names
    records = list(page.records)
    while page.next is not None:
        page = salesforce.more(page.next).pages[0]
        records += page.records
    return records


def write_catalogue(
    salesforce: SalesforceClient, changes: Sequence[CatalogueChange]
) -> Iterator[tuple[CatalogueChange, Cause | None]]:
    """Write the records by their ids, 200 in one call; yield each with the refusal, if it was refused.

    A call that is sent again does no harm, because the ids are unique. Raises the client's errors.
    """
    for batch in batched(changes, MAX_RECORDS, strict=False):
        records = [{"attributes": {"type": OBJECT}, ID: one.id, **one.values} for one in batch]
        keys, body = tuple(one.id for one in batch), {"allOrNone": False, "records": records}
        call = Call("an upsert of solutions", f"composite/sobjects/{OBJECT}/{ID}", "PATCH", body, keys=keys)
        yield from zip(batch, salesforce.connection.write(call, _refusals_in), strict=True)


def _refusals_in(reply: Reply) -> list[Cause | None]:
    """Return why each record was refused. Raises UnreadableAnswer."""
    if not isinstance(reply.value, list):
        raise UnreadableAnswer("a collection answers with a list")
    return [
        None if result.get("success") else cause_of(first_api_error(_BAD_REQUEST, result)) for result in reply.value
    ]
