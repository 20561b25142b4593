"""Ask which duplicate rules are active (docs/reference/salesforce.md#duplicate-rules)."""

from collections.abc import Mapping

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import Call, Reply, UnreadableAnswer
from shared.foundation.errors import NotFound, Rejected


class DuplicateRule(Struct, frozen=True):
    """An active rule; `blocks` means that nobody can save a new record that it finds to be a twin."""

    sobject: str
    name: str
    blocks: bool


def active_rules(salesforce: SalesforceClient, sobject: str) -> tuple[DuplicateRule, ...] | None:
    """Return the active rules of an object; None if the org does not tell this user."""
    call = Call("the duplicate rules", f"ui-api/duplicates/{sobject}")
    try:
        return salesforce.connection.read(call, lambda reply: _rules_in(sobject, reply))
    except (NotFound, Rejected):
        return None


def _rules_in(sobject: str, reply: Reply) -> tuple[DuplicateRule, ...]:
    listed = reply.value.get("duplicateRules") if isinstance(reply.value, Mapping) else None
    if not isinstance(listed, list):
        raise UnreadableAnswer("duplicate rules are a list")
    rules = [each for each in listed if isinstance(each, Mapping) and each.get("active")]
    return tuple(DuplicateRule(sobject, str(each.get("name")), each.get("actionOnInsert") == "Block") for each in rules)
