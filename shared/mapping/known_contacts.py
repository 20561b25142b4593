"""Choose the contact of a person among those that Salesforce has (docs/protocol.md#contacts-of-an-arrival)."""

from collections.abc import Sequence

from shared.clients.salesforce.records import Json
from shared.domain.deal import Person


def known_contact(known: Sequence[Json], person: Person, account_id: str | None) -> str | None:
    """Return the only contact with the person's address; of several, the oldest one of this account."""
    address = (person.email or "").casefold()
    same = [each for each in known if address and str(each["Email"]).casefold() == address]
    if len(same) > 1:
        same = [each for each in same if account_id and each.get("AccountId") == account_id]
    return str(min(same, key=age)["Id"]) if same else None


def age(record: Json) -> tuple[str, str]:
    """Sort key: the oldest record first."""
    return str(record.get("CreatedDate") or ""), str(record["Id"])
