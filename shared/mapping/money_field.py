"""Define the type `money` of the mapping file: an amount with its currency, as one value.

Which currencies an opportunity can have is the org's answer (docs/protocol.md#currencies), not a key of the file.
"""

from collections.abc import Mapping
from copy import replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self, override

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from shared.domain.currencies import CENT, Conversion, OrgCurrencies
from shared.domain.deal import Money, Side
from shared.domain.field_rules import Direction, Rule
from shared.domain.iso_codes import CURRENCIES
from shared.domain.sentences import cause
from shared.mapping.field_base import FieldBase, MappingTable, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, replace_operation, set_value, value_in_record

CURRENCY_COLUMN = "CurrencyIsoCode"
"""The column of every record's currency; only an org with several currencies has it."""
AMOUNT, COMPUTED = "Amount", "HasOpportunityLineItem"
"""The amount of an opportunity, and whether Salesforce computes it from line items: a written one is then ignored."""


class MoneyPaths(MappingTable):
    """The paths of the amount and of its currency."""

    amount: ReferralPath
    currency: ReferralPath


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError
    return code


CurrencyCode = Annotated[
    str,
    AfterValidator(_known_currency),
    Field(description="a currency code of ISO 4217, such as EUR", examples=sorted(CURRENCIES)),
]


class MoneyColumns(MappingTable):
    """The columns of the amount and of its currency.

    `CurrencyIsoCode` is read where the org has several currencies, and a column of the customer's own everywhere.
    `fixed_currency` names the only currency of an org that does not name it itself.
    """

    amount: SalesforcePath
    currency: SalesforcePath | None = None
    fixed_currency: CurrencyCode | None = None


class Converting(MappingTable):
    """How amounts in other currencies become amounts in the currency `to`."""

    to: CurrencyCode
    rates: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        min_length=1, description="a table of rates, such as { EUR = 1.08 }"
    )

    @model_validator(mode="after")
    def _has_known_currencies(self) -> Self:
        unknown = [code for code in self.rates if code not in CURRENCIES]
        if unknown:
            raise ValueError(f"expected rates for currency codes of ISO 4217, such as EUR; found {', '.join(unknown)}")
        return self

    def to_conversion(self) -> Conversion:
        """Return the rates as the domain uses them."""
        return Conversion(self.to, {code: Decimal(str(rate)) for code, rate in self.rates.items()})


class MoneyField(FieldBase):
    """An amount with its currency, as one value."""

    type: Literal["money"]
    referral: MoneyPaths
    salesforce: MoneyColumns
    convert: Converting | None = None
    _columns: tuple[str, ...] = PrivateAttr(default=())
    _only_currency: str | None = PrivateAttr(default=None)
    _held: frozenset[str] | None = PrivateAttr(default=None)

    @override
    def model_post_init(self, _context: object, /) -> None:
        # Every record is read with these, so they are decided once. Private attributes are no keys of the file.
        self._decide_columns(None)

    def _decide_columns(self, org: OrgCurrencies | None) -> None:
        """Note which columns are read, the currency of every amount if there is only one, and the currencies held."""
        columns, column = self.salesforce, self.salesforce.currency or CURRENCY_COLUMN
        is_custom = column.casefold() != CURRENCY_COLUMN.casefold()
        has_several = org.has_several if org else columns.currency is not None or columns.fixed_currency is None
        if is_custom or has_several:
            self._columns = (columns.amount, column)
        else:
            self._columns = (columns.amount,)
            self._only_currency = (org.only_one if org else None) or columns.fixed_currency
        if not is_custom and self.direction.owns(Side.PARTNER_CENTER):
            known = org.codes if org and (org.codes or not org.has_several) else None
            self._held = frozenset((self._only_currency,)) if self._only_currency else known

    def for_org(self, org: OrgCurrencies) -> Self:
        """Return a copy of this field for an org with these currencies."""
        field = self.model_copy()
        field._decide_columns(org)  # noqa: SLF001 - of its own class
        return field

    @override
    def to_rule(self, name: str) -> Rule:
        conversion = self.convert.to_conversion() if self.convert else None
        return replace(super().to_rule(name), currencies=self._held, conversion=conversion)

    def is_foreign(self, money: Money | None) -> bool:
        """Whether the org cannot hold an amount in this currency."""
        return money is not None and self._held is not None and money.currency not in self._held

    @override
    def select_items(self) -> tuple[str, ...]:
        return self._columns

    @override
    def read_record(self, record: Json) -> Money | None:
        amount, *currency = self._columns
        value = value_in_record(record, amount)
        if currency:
            return money_from(value, value_in_record(record, currency[0]))
        if value is not None and self._only_currency is None:
            raise UnreadableValue(cause("unknown_org_currency", "money"))
        return money_from(value, self._only_currency)

    @override
    def read_referral(self, referral: Json) -> Money | None:
        amount, currency = (in_referral(referral, path) for path in (self.referral.amount, self.referral.currency))
        if amount and not currency:
            raise UnreadableValue(cause("missing_money", "money"))  # no empty amount, which an edit may replace
        return money_from(amount, currency)

    @override
    def record_values(self, value: Money | None) -> dict[str, Any]:
        amount, *currency = self._columns
        if value is None:
            return {amount: None}
        # Only a record that has such a currency already receives an amount in it; writing the currency is refused.
        return {amount: value.amount, **dict.fromkeys(() if self.is_foreign(value) else currency, value.currency)}

    @override
    def patch_operations(self, value: Money | None, old: Money | None) -> list[Json]:
        if value is None:
            return [replace_operation(self.referral.amount, None)] if old else []
        amount = (
            [replace_operation(self.referral.amount, value.amount)] if not old or old.amount != value.amount else []
        )
        changed = not old or old.currency != value.currency
        return amount + ([replace_operation(self.referral.currency, value.currency)] if changed else [])

    @override
    def add_to_body(self, value: Money | None, body: dict[str, Any]) -> None:
        if value:
            set_value(body, self.referral.amount, value.amount)
            set_value(body, self.referral.currency, value.currency)


def money_from(amount: object, currency: object) -> Money | None:
    """Return the money in normal form; None if a part is missing. Raises UnreadableValue."""
    if amount is None or not currency:
        return None
    code = str(currency).strip().upper()
    if code not in CURRENCIES:
        raise UnreadableValue(cause("bad_currency", "money", value=currency))
    try:
        return Money(round_to_cents(Decimal(str(amount))), code)
    except (ValueError, InvalidOperation) as error:
        raise UnreadableValue(cause("bad_amount", "money")) from error


def round_to_cents(amount: Decimal) -> Decimal:
    """Return the amount with two decimal places, as Salesforce stores it (docs/protocol.md#normal-form).

    Minus zero becomes zero, because -0.00 would have another fingerprint. Raises ValueError for an amount that is not
    finite or has more than 26 digits before the point.
    """
    if not amount.is_finite():
        raise ValueError("an amount must be finite")
    try:
        return amount.quantize(CENT, ROUND_HALF_UP) + 0
    except InvalidOperation:
        raise ValueError("an amount may have at most 26 digits before the point") from None


class ForeignMoneyField(FieldBase):
    """Partner Center's amount where the org cannot hold its currency, in two columns of the connector's own.

    It is no field of the mapping file: `foreign_money_field` makes it for an org that has the columns.
    """

    money: MoneyField
    amount: str
    currency: str

    @override
    def to_rule(self, name: str) -> Rule:
        both, source = frozenset(Side), f"{self.amount} {self.currency}"
        return Rule(name, self.label, self.direction, winner=Side.PARTNER_CENTER, clearable=both, source=source)

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.amount, self.currency)

    @override
    def read_record(self, record: Json) -> Money | None:
        return money_from(value_in_record(record, self.amount), value_in_record(record, self.currency))

    @override
    def read_referral(self, referral: Json) -> Money | None:
        try:
            money = self.money.read_referral(referral)
        except UnreadableValue:
            return None  # the field of the amount itself reports it
        return money if self.money.is_foreign(money) else None

    @override
    def record_values(self, value: Money | None) -> dict[str, Any]:
        return {self.amount: value.amount if value else None, self.currency: value.currency if value else None}


def foreign_money_field(money: MoneyField, amount: str, currency: str) -> ForeignMoneyField:
    """Return the field with the columns `amount` and `currency` beside the field of the amount itself."""
    return ForeignMoneyField.model_construct(
        label="Partner Center Amount",
        direction=Direction.TO_SALESFORCE,
        when=("create", "update"),
        money=money,
        amount=amount,
        currency=currency,
    )


def computed_in(record: Json, fields: Mapping[str, FieldBase]) -> tuple[str, ...]:
    """Return the names of the fields whose amount Salesforce computes from the line items of a record."""
    if not record.get(COMPUTED):
        return ()
    return tuple(name for name, field in fields.items() if AMOUNT in field.select_items())
