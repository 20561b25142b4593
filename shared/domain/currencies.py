"""Which money Salesforce can hold. An amount in another currency stays out of Amount (docs/protocol.md#currencies)."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from msgspec import Struct

from shared.domain.deal import Money

CENT = Decimal("0.01")


class OrgCurrencies(Struct, frozen=True):
    """What a Salesforce org answers about its currencies.

    has_several        whether every record has a currency of its own (multi-currency)
    codes              the currencies that a record can have: the active ones, or the only one; empty if the org does
                       not name them: then it can hold any of several, and none as its only one
    has_amount_fields  whether the fields exist that show an amount in another currency
    """

    has_several: bool
    codes: frozenset[str] = frozenset()
    has_amount_fields: bool = False

    @property
    def only_one(self) -> str | None:
        """The currency of every amount; None if the org has several, or does not name its only one."""
        return None if self.has_several else next(iter(self.codes), None)


class Conversion(Struct, frozen=True):
    """Converts to the currency `to`. A rate says how much of `to` one unit of a currency is worth."""

    to: str
    rates: Mapping[str, Decimal]

    def convert(self, money: Money) -> Money | None:
        """The amount in the currency `to`; None without a rate for its currency, or for more than 26 digits."""
        rate = self.rates.get(money.currency)
        if rate is None:
            return None
        try:
            return Money((money.amount * rate).quantize(CENT, ROUND_HALF_UP), self.to)
        except InvalidOperation:
            return None
