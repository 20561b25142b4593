"""Create, change and delete single records by their external id, one call each.

Source: docs/reference/salesforce.md#upsert-by-external-id.
"""

import re
from urllib.parse import quote

from shared.clients.salesforce.records import Json
from shared.clients.salesforce.request import ApiConnection, Call

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

    def page_address(self, record_id: str) -> str:
        """Return the address of a record's page. The org's address comes with the token and costs no data call."""
        return f"{self._connection.current_token().instance_url}/{record_id}"


def _address(sobject: str, key: tuple[str, str]) -> str:
    field, value = key
    if not (_NAME.fullmatch(sobject) and _NAME.fullmatch(field) and value):
        raise ValueError("a record is named by an object, a field and a value")
    return f"sobjects/{sobject}/{field}/{quote(value, safe='')}"
