"""The queries that find what Salesforce has for a referral: its opportunity, the customer's account and its contacts.

All go in one call (docs/protocol.md#creating-an-opportunity). The literals escape what comes from outside.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from itertools import batched

from msgspec import Struct

from shared.clients.salesforce.records import Json
from shared.clients.salesforce.soql_literals import in_list, text_literal
from shared.domain.customer_match import Candidate, Customer, has_number
from shared.domain.deal import Company
from shared.domain.records import Referral
from shared.domain.sentences import cause
from shared.foundation.errors import Rejected
from shared.mapping.account_columns import AccountColumns

ADDRESSES_OF_A_QUERY = 20
"""ASCII addresses of 80 characters that fit into one query, even if each character is escaped.

So the 50 contacts of a deal need three queries, and the five of a call suffice.
"""
QUERIES_OF_A_CALL = 5
"""Queries that one Composite carries. With 50 contacts, the query for users needs a second call."""

_OLDEST_FIRST = "ORDER BY CreatedDate, Id LIMIT 2000"


class Found(Struct, frozen=True):
    """Opportunities (deleted ones included), accounts and contacts that match a referral, and users who may own it.

    `rows` are the records that the rows of its lists need, by field and name of the query.
    """

    opportunities: Sequence[Json]
    accounts: Sequence[Candidate]
    contacts: Sequence[Json]
    users: Sequence[Json] = ()
    rows: Mapping[str, Mapping[str, Sequence[Json]]] = {}


def company_of(referral: Referral) -> Company:
    """Return the customer of a referral. Raises Rejected where the referral names none."""
    company = referral.deal.get("account")
    if not isinstance(company, Company):
        raise Rejected(cause("no_customer", "account"))
    return company


def without_deleted(found: Found, opportunity_id: str) -> Found:
    """The same without this opportunity, if it is deleted."""
    kept = [each for each in found.opportunities if not (each.get("IsDeleted") and each["Id"] == opportunity_id)]
    return replace(found, opportunities=kept)


def opportunity_query(identifier: str, referral_id: str, named: str | None) -> str:
    """Find the opportunity with the referral's id, or with the id `named` that the referral names."""
    by_id = f" OR Id = {text_literal(named)}" if named else ""
    return f"SELECT Id, IsDeleted FROM Opportunity WHERE {identifier} = {text_literal(referral_id)}{by_id}"  # noqa: S608 - literals escape


def account_query(customer: Customer, columns: AccountColumns) -> str:
    """Find the accounts with the customer's name or D-U-N-S number. `accounts_of` looks at their country."""
    number = columns.by_part.get("duns") if customer.duns else None
    by_number = f" OR {number} = {text_literal(customer.duns or '')}" if number else ""
    named = f"(Name = {text_literal(customer.company.name)}{by_number})"
    return f"SELECT {', '.join(columns.selects)} FROM Account WHERE {named} AND IsDeleted = false {_OLDEST_FIRST}"  # noqa: S608 - literals escape


def accounts_of(customer: Customer, found: Iterable[Json], columns: AccountColumns) -> tuple[Candidate, ...]:
    """Return the accounts in the customer's country, or with its number; if there are none, those without a country.

    Without a country, or where the org hides it, the name alone decides. A country that the org's list lacks is empty.
    An account may have none because the org refused it: one more for each deal of the customer would be worse.
    """
    country = customer.company.country if columns.field.country_columns else ""
    held = country if columns.field.holds(country) else ""
    candidates = [columns.candidate(record) for record in found]
    here = [each for each in candidates if not country or each.country == held or has_number(customer, each)]
    return tuple(here or (each for each in candidates if not each.country))


def named_by(sobject: str, ids: Sequence[str], columns: AccountColumns) -> str | None:
    """Find the accounts or contacts with these ids, which a duplicate rule named; None without ids."""
    selects = ", ".join(columns.selects if sobject == "Account" else columns.contact_selects)
    return f"SELECT {selects} FROM {sobject} WHERE Id IN {in_list(ids)} AND IsDeleted = false" if ids else None  # noqa: S608 - literals escape


def contact_queries(emails: Sequence[str], columns: AccountColumns) -> dict[str, str]:
    """Find the contacts with one of these addresses, by the name of the query."""
    selects = ", ".join((*columns.contact_selects, "Email"))
    return {
        f"contacts{number}": f"SELECT {selects} FROM Contact WHERE Email IN {in_list(some)} "  # noqa: S608 - literals escape
        "AND IsDeleted = false LIMIT 2000"
        for number, some in enumerate(batched(emails, ADDRESSES_OF_A_QUERY, strict=False))
    }
