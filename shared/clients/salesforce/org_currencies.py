"""Ask the org which currencies it holds, at most once an hour, and keep the answer in the store for all instances.

The kind of an org decides whether a query may name `CurrencyIsoCode`, and what an amount means
(docs/reference/salesforce.md#currencies). Nobody must be told of a currency that is added or deactivated: an hour later
the sync knows. Source: docs/protocol.md#currencies.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.salesforce.records import Answer, Json
from shared.domain.currencies import OrgCurrencies
from shared.foundation.errors import CosellError, Rejected

ASK_AGAIN = timedelta(hours=1)
CURRENCY_COLUMN = "currencyisocode"


class Org(Protocol):
    """The calls of the client that the questions need."""

    def describe(self, sobject: str) -> Json:
        """The description of an object as the integration user sees it."""

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of up to five queries."""


class Memory(Protocol):
    """Where the answer is kept."""

    def org_currencies(self) -> tuple[OrgCurrencies, datetime] | None:
        """The last answer and its time; None before the first, and for one that this build cannot read."""

    def keep_org_currencies(self, currencies: OrgCurrencies, at: datetime) -> None:
        """Keep an answer for all instances."""


def known_currencies(
    org: Org, memory: Memory, amount_fields: Sequence[str], now: Callable[[], datetime]
) -> tuple[OrgCurrencies, datetime]:
    """Return the org's currencies, and when to ask again; `amount_fields` are the columns for amounts in others.

    If the org cannot be asked again, the former answer holds for another hour. Raises the client's errors if there is
    no former answer.
    """
    known, at = memory.org_currencies(), now()
    if known is not None and known[1] <= at < known[1] + ASK_AGAIN:
        return known[0], known[1] + ASK_AGAIN
    try:
        currencies = ask_currencies(org, amount_fields)
    except CosellError:
        if known is None:
            raise
        return known[0], at + ASK_AGAIN
    memory.keep_org_currencies(currencies, at)
    return currencies, at + ASK_AGAIN


def ask_currencies(org: Org, amount_fields: Sequence[str]) -> OrgCurrencies:
    """Return the org's answer: one call in an org with several currencies, else three. Raises the client's errors."""
    fields = {str(field.get("name")).casefold(): field for field in org.describe("Opportunity").get("fields") or ()}
    has_amount_fields = all((fields.get(name.casefold()) or {}).get("updateable") for name in amount_fields)
    column = fields.get(CURRENCY_COLUMN)
    if column is not None and (codes := _active_codes(column)):
        return OrgCurrencies(has_several=True, codes=codes, has_amount_fields=has_amount_fields)
    if (several := _values_of(org, "SELECT IsoCode FROM CurrencyType WHERE IsActive = true")) is not None:
        # The column is hidden from the user. The queries that name it will say so.
        return OrgCurrencies(has_several=True, codes=several, has_amount_fields=has_amount_fields)
    if column is not None:
        return OrgCurrencies(has_several=True, has_amount_fields=has_amount_fields)
    only = _values_of(org, "SELECT DefaultCurrencyIsoCode FROM Organization")
    return OrgCurrencies(has_several=False, codes=only or frozenset(), has_amount_fields=has_amount_fields)


def _active_codes(column: Json) -> frozenset[str]:
    return frozenset(str(value["value"]) for value in column.get("picklistValues") or () if value.get("active"))


def _values_of(org: Org, soql: str) -> frozenset[str] | None:
    """Return the values of the one selected column; None if the org does not have the column or the object."""
    try:
        records = org.query(soql).pages[0].records
    except Rejected:
        return None
    found = (value for record in records for name, value in record.items() if name != "attributes")
    return frozenset(str(value) for value in found if value)
