"""An amount is converted at the rate of the mapping file, to whole cents (docs/protocol.md#currencies)."""

from decimal import Decimal

import pytest

from shared.domain.currencies import Conversion
from shared.domain.deal import Money

TO_DOLLARS = Conversion("USD", {"EUR": Decimal("1.25")})


@pytest.mark.parametrize(("euros", "dollars"), [("100.00", "125.00"), ("0.10", "0.13"), ("0.30", "0.38")])
def test_half_a_cent_is_rounded_up(euros: str, dollars: str) -> None:
    assert TO_DOLLARS.convert(Money(Decimal(euros), "EUR")) == Money(Decimal(dollars), "USD")


def test_an_amount_without_a_rate_or_with_too_many_digits_is_not_converted() -> None:
    assert TO_DOLLARS.convert(Money(Decimal(1), "GBP")) is None
    assert TO_DOLLARS.convert(Money(Decimal("9" * 27), "EUR")) is None
