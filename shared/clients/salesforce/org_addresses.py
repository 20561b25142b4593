"""Find out how the accounts of an org write countries and states.

Sources: docs/reference/salesforce.md#state-and-country-picklists and docs/mapping.md#countries-and-states.
"""

import base64
import binascii
from collections.abc import Callable, Mapping

from shared.clients.salesforce.org_columns import active_values
from shared.clients.salesforce.records import Answer, Json
from shared.clients.salesforce.soql_literals import text_literal
from shared.domain.org_addresses import AddressLists, CountrySpelling, OrgAddresses, spelling_in
from shared.domain.org_shape import OrgQuestion
from shared.foundation.errors import Rejected, Unavailable

SAMPLE = 200
"""Accounts that show how an org without picklists writes countries: the youngest that somebody else created."""

type Query = Callable[[str], Answer]


def addresses_in(
    account: Mapping[str, Json], question: OrgQuestion, query: Query, user: Callable[[], str]
) -> OrgAddresses:
    """Return how accounts with these fields (by lower-case name) write countries: one call where they are text.

    `user` returns the id of the integration user, whose own accounts say nothing. Raises the client's errors.
    """
    codes = account.get(question.country_code.casefold())
    if codes is not None:
        return OrgAddresses(_lists(codes, account.get(question.state_code.casefold())))
    country = account.get(question.country.casefold())
    if country is None:
        return OrgAddresses()
    if values := active_values(country):
        return OrgAddresses(spelling=spelling_in(values))
    return OrgAddresses(spelling=_sampled(str(country["name"]), query, user()))


def _sampled(column: str, query: Query, user: str) -> CountrySpelling | None:
    """Return the spelling of a sample; None if Salesforce does not answer the question."""
    soql = (
        f"SELECT {column} FROM Account WHERE {column} != null AND CreatedById != {text_literal(user)} "  # noqa: S608 - literals escape
        f"ORDER BY CreatedDate DESC LIMIT {SAMPLE}"
    )
    try:
        records = query(soql).pages[0].records
    except (Rejected, Unavailable):
        return None
    return spelling_in(str(record.get(column)) for record in records)


def _lists(countries: Json, states: Json | None) -> AddressLists:
    listed = [str(value.get("value")).upper() for value in countries.get("picklistValues") or ()]
    active = frozenset(map(str.upper, active_values(countries)))
    found: dict[str, dict[str, str]] = {}
    for value in (states or {}).get("picklistValues") or ():
        for place in _places(value.get("validFor")):
            if value.get("active") and place < len(listed) and listed[place] in active:
                code = str(value.get("value"))
                found.setdefault(listed[place], {})[code] = str(value.get("label") or code)
    return AddressLists(active, found)


def _places(bits: object) -> list[int]:
    """Return the places of the controlling picklist for which a value is valid: base64, the first bit on the left."""
    try:
        data = base64.b64decode(str(bits or ""), validate=True)
    except binascii.Error:
        return []
    return [place for place in range(len(data) * 8) if data[place // 8] & 0x80 >> place % 8]
