"""Create, change and delete single records by their external id, one call each.

Source: docs/reference/salesforce.md#upsert-by-external-id.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from urllib.parse import quote

from shared.clients.salesforce import composite
from shared.clients.salesforce.error_codes import exception_for
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.request import ApiConnection, Call, Reply
from shared.clients.salesforce.soql_literals import is_id
from shared.foundation.errors import Conflict

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class SingleRecords:
    """The calls for single records. `SalesforceClient` has them too."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def upsert(self, sobject: str, key: tuple[str, str], values: Json) -> None:
        """Create the record with an external id (field, value), or change it.

        Raises NotFound if the org lacks the object or the field, or the user may not see it.
        """
        call = Call("an upsert", _address(sobject, key), "PATCH", values, keys=(key[1],))
        self._connection.write(call, lambda _: None)

    def delete(self, sobject: str, key: tuple[str, str]) -> None:
        """Delete the record with an external id. Raises NotFound if there is none, or as `upsert`."""
        self._connection.write(Call("a deletion", _address(sobject, key), "DELETE", keys=(key[1],)), lambda _: None)

    def update_one(self, sobject: str, record_id: str, values: Json, unmodified_since: datetime) -> None:
        """Change a record unless it changed since. Raises Conflict if it did, and the errors of a write.

        It is saved although it resembles others: a duplicate rule that only alerts stops no edit.
        """
        if not (_NAME.fullmatch(sobject) and is_id(record_id)):
            raise ValueError("a record is named by an object and an id")
        request = composite.conditional_subrequest(sobject, record_id, values, unmodified_since)
        body = composite.composite_body([request], self._connection.version)
        call = Call("a conditional update", "composite", "POST", body, keys=(record_id,))
        self._connection.write(call, partial(_check_result, [request]))

    def page_address(self, record_id: str) -> str:
        """Return the address of a record's page. The org's address comes with the token and costs no data call."""
        return f"{self._connection.current_token().instance_url}/{record_id}"


def _check_result(requests: Sequence[composite.Subrequest], reply: Reply) -> None:
    """Raise the error of the one subrequest. Raises UnreadableAnswer too."""
    (result,) = composite.subrequest_results(reply.value, requests)
    if result.is_failure and result.status == composite.PRECONDITION_FAILED:
        raise Conflict("the record changed after it was read")
    if result.is_failure:
        raise exception_for(result.status, result.body, "a conditional update", write=True)


def _address(sobject: str, key: tuple[str, str]) -> str:
    field, value = key
    if not (_NAME.fullmatch(sobject) and _NAME.fullmatch(field) and value):
        raise ValueError("a record is named by an object, a field and a value")
    return f"sobjects/{sobject}/{field}/{quote(value, safe='')}"
