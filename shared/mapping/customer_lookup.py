"""The queries that find what Salesforce has for a referral: its opportunity, the customer's account and its contacts.

All go in one call (docs/protocol.md#creating-an-opportunity). The literals escape what comes from outside.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import batched

from msgspec import Struct

from shared.clients.salesforce.records import Json
from shared.clients.salesforce.soql_literals import in_list, text_literal

ADDRESSES_OF_A_QUERY = 20
"""ASCII addresses of 80 characters that fit into one query, even if each character is escaped.

So the 50 contacts of a deal need three queries, and the five of a call suffice.
"""


class Found(Struct, frozen=True):
    """Opportunities (deleted ones included), accounts and contacts that match a referral."""

    opportunities: Sequence[Json]
    accounts: Sequence[Json]
    contacts: Sequence[Json]

    @property
    def account_id(self) -> str | None:
        """The one account that matches; None for several or none, and then a new account is created."""
        return str(self.accounts[0]["Id"]) if len(self.accounts) == 1 else None

    @property
    def contact_ids(self) -> Mapping[str, str]:
        """The contact that has an e-mail address, by address in lower case; none if several have it."""
        ids: dict[str, list[str]] = {}
        for contact in self.contacts:
            ids.setdefault(str(contact["Email"]).casefold(), []).append(str(contact["Id"]))
        return {email: found[0] for email, found in ids.items() if len(found) == 1}


def opportunity_query(identifier: str, referral_id: str, named: str | None) -> str:
    """Find the opportunity with the referral's id, or with the id `named` that the referral names."""
    by_id = f" OR Id = {text_literal(named)}" if named else ""
    return f"SELECT Id, IsDeleted FROM Opportunity WHERE {identifier} = {text_literal(referral_id)}{by_id}"  # noqa: S608 - literals escape


def account_query(name: str, columns: Sequence[str]) -> str:
    """Find the accounts with this name, with the columns of their country, which orgs spell in many ways."""
    select = ", ".join(("Id", *columns))
    return f"SELECT {select} FROM Account WHERE Name = {text_literal(name)} AND IsDeleted = false LIMIT 2000"  # noqa: S608 - literals escape


def accounts_in(country: str, accounts: Sequence[Json], country_of: Callable[[Json], str | None]) -> Sequence[Json]:
    """Return the accounts in this country, however they spell it. Without a country the name alone decides."""
    return [account for account in accounts if not country or country_of(account) == country]


def contact_queries(emails: Sequence[str]) -> dict[str, str]:
    """Find the contacts with one of these addresses, by the name of the query."""
    return {
        f"contacts{number}": f"SELECT Id, Email FROM Contact WHERE Email IN {in_list(some)} "  # noqa: S608 - literals escape
        "AND IsDeleted = false LIMIT 2000"
        for number, some in enumerate(batched(emails, ADDRESSES_OF_A_QUERY, strict=False))
    }
