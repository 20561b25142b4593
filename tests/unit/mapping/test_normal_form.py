"""What a side holds is checked and brought into normal form where it is read (docs/protocol.md#normal-form)."""

from decimal import Decimal
from typing import Any

import pytest

from shared.domain.deal import Company, Deal, Money
from shared.domain.link import Link
from shared.mapping.field_base import UnreadableValue
from shared.mapping.money_field import round_to_cents
from shared.store.link_json import link_from_json, link_to_json
from tests.unit.sync.emulated_systems import translation_of

MONEY, COMPANY = (translation_of().fields[name] for name in ("money", "account"))


def money_in_record(amount: Any, currency: str = "EUR") -> Any:  # noqa: ANN401 - a JSON value, and what the field reads
    return MONEY.read_record({"Amount": amount, "CurrencyIsoCode": currency})


@pytest.mark.parametrize(
    ("amount", "normal_amount"),
    [("1", "1.00"), ("1.005", "1.01"), ("-1.005", "-1.01"), ("1E+3", "1000.00"), ("-0.001", "0.00"), ("0", "0.00")],
)
def test_money_has_two_decimal_places(amount: str, normal_amount: str) -> None:
    assert str(money_in_record(amount).amount) == normal_amount


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+30"])
def test_a_value_that_is_not_an_amount_is_unreadable(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        round_to_cents(Decimal(amount))
    with pytest.raises(UnreadableValue) as raised:
        money_in_record(amount)
    assert raised.value.cause.code == "bad_amount"


@pytest.mark.parametrize("currency", ["EURO", "XBT", "€"])
def test_only_currencies_of_iso_4217_are_read(currency: str) -> None:
    with pytest.raises(UnreadableValue) as raised:
        money_in_record(1, currency)
    assert raised.value.cause.code == "bad_currency"


def test_a_currency_is_read_in_either_case() -> None:
    assert money_in_record(1, " eur ") == Money(Decimal("1.00"), "EUR")


@pytest.mark.parametrize("country", ["Atlantis", "Korea", "XX", "XK", "-"])
def test_only_countries_of_iso_3166_are_read(country: str) -> None:
    with pytest.raises(UnreadableValue) as raised:
        COMPANY.read_record(
            {"Account": {"Name": "Northwind", "BillingCountry": country, "BillingStreet": "1", "BillingCity": "A"}}
        )
    assert raised.value.cause.code == "bad_country"


def test_a_stored_value_is_read_whatever_the_lists_hold_today() -> None:
    """A row stays readable when a currency or a country ends: only what a side holds is checked."""
    link = Link("006A", base=Deal(money=Money(Decimal("1.00"), "ZZZ"), account=Company("Northwind", "ZZ")))
    assert link_from_json(link_to_json(link)) == link
