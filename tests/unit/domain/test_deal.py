"""The deal and its value types."""

from datetime import date
from decimal import Decimal

import pytest

from shared.domain.deal import Company, Deal, Money, Person, Side, Status, display_text, fingerprint


@pytest.mark.parametrize(
    ("given", "kept"),
    [("1", "1.00"), ("1.005", "1.01"), ("-1.005", "-1.01"), ("1E+3", "1000.00"), ("-0.001", "0.00"), ("0", "0.00")],
)
def test_money_has_two_decimal_places(given: str, kept: str) -> None:
    assert str(Money(Decimal(given), "EUR").amount) == kept


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+30"])
def test_what_is_no_amount_is_no_money(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        Money(Decimal(amount), "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XBT", "€"])
def test_only_iso_4217_is_a_currency(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("country", ["", "us", "USA", "Germany", "UK", "XX"])
def test_only_iso_3166_is_a_country(country: str) -> None:
    with pytest.raises(ValueError, match="ISO 3166"):
        Company("Northwind", country)


def test_the_reason_of_a_status_is_kept_and_not_compared() -> None:
    won, lost = Status("Closed", "Lost", "Budget"), Status("Closed", "Lost")
    assert won == lost
    assert fingerprint(won) == fingerprint(lost)
    assert won.reason == "Budget"


def test_a_deal_cannot_be_changed_through_what_it_was_made_of() -> None:
    values = {"name": "Robots"}
    deal = Deal(values)
    values["name"] = "changed"
    assert deal["name"] == "Robots"
    assert deal.with_values({"name": "other"})["name"] == "other"
    assert deal["name"] == "Robots"
    assert deal.without("name") == Deal()
    assert hash(Deal(a="1", b=None)) == hash(Deal(b=None, a="1"))


def test_an_absent_field_is_not_an_empty_one() -> None:
    assert Deal(notes=None) != Deal()


def test_a_deal_shows_fields_and_no_values() -> None:
    assert repr(Deal(name="secret", account=None)) == "Deal(account, name)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "empty"),
        ((), "empty"),
        (("SOL-1", "SOL-2"), "SOL-1, SOL-2"),
        ((Person("One", "Ann"), Person("Two")), "Ann One, Two"),
        (date(2026, 12, 31), "2026-12-31"),
        (Money(Decimal(5), "USD"), "5.00 USD"),
        (Status("Closed", "Won"), "Closed/Won"),
        (Company("Northwind", "US", "1 Main Street"), "Northwind (US)"),
        ("two\nlines", "two lines"),
        ("x" * 80, "x" * 80),
        ("x" * 81, f"{'x' * 80}… (81 characters)"),
    ],
)
def test_a_value_is_shown_in_one_short_line(value: object, text: str) -> None:
    assert display_text(value) == text  # type: ignore[arg-type]  # pytest knows no union


def test_a_value_that_stands_nowhere_else_is_shown_whole() -> None:
    assert display_text("x" * 500 + "\nend", whole=True) == "x" * 500 + "\nend"


def test_each_side_has_another() -> None:
    assert Side.SALESFORCE.other is Side.PARTNER_CENTER
    assert Side.PARTNER_CENTER.other is Side.SALESFORCE
