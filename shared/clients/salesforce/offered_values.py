"""Ask which values of a picklist a record type offers (docs/reference/salesforce.md#opportunitystage)."""

from collections.abc import Mapping
from typing import Protocol

from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer
from shared.foundation.errors import NotFound, Rejected


class Connected(Protocol):
    """A client of the org."""

    @property
    def connection(self) -> ApiConnection:
        """The connection that sends the calls."""


def offered_values(salesforce: Connected, sobject: str, record_type: str, column: str) -> frozenset[str] | None:
    """Return the values of a column for a record type, by its id; None if the org does not tell this user."""
    path = f"ui-api/object-info/{sobject}/picklist-values/{record_type}/{column}"
    try:
        return salesforce.connection.read(Call("picklist values", path), _values_in)
    except (NotFound, Rejected):
        return None


def _values_in(reply: Reply) -> frozenset[str]:
    values = reply.value.get("values") if isinstance(reply.value, Mapping) else None
    if not isinstance(values, list):
        raise UnreadableAnswer("picklist values are a list")
    return frozenset(str(each["value"]) for each in values if isinstance(each, Mapping) and "value" in each)
