"""Texts over their limits are refused by every path, and numbers in quotes are taken.

The requirements: docs/reference/salesforce.md#error-codes and docs/reference/salesforce.md#values-on-the-wire.
"""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.write_paths import codes_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


@pytest.mark.parametrize(
    ("sobject", "values", "field", "limit"),
    [
        ("Opportunity", DEAL, "Name", 120),
        ("Opportunity", DEAL, "NextStep", 255),
        ("Opportunity", DEAL, "StageName", 255),
        ("Account", {"Name": "A"}, "BillingCity", 40),
        ("Account", {"Name": "A"}, "Description", 32_000),
        ("Contact", {"LastName": "L"}, "FirstName", 40),
        ("Contact", {"LastName": "L"}, "Title", 128),
    ],
)
def test_a_text_may_be_as_long_as_its_column_and_no_longer(
    api: ApiSession, sobject: str, values: dict[str, object], field: str, limit: int
) -> None:
    assert codes_by_path(api, sobject, {**values, field: "n" * limit}) == {()}
    assert codes_by_path(api, sobject, {**values, field: "n" * (limit + 1)}) == {("STRING_TOO_LONG",)}


@pytest.mark.parametrize(("text", "number"), [("2000", 2000.0), ("2000.505", 2000.51), ("-1e3", -1000.0), ("", None)])
def test_a_number_in_quotes_is_taken(api: ApiSession, text: str, number: float | None) -> None:
    deal = api.create_deal()
    assert codes_by_path(api, "Opportunity", {"Amount": text}, edited=deal) == {()}
    assert api.emulator.record("Opportunity", deal)["Amount"] == number


@pytest.mark.parametrize("text", ["2,000", "2 000", "€ 5", "NaN", "Infinity", "0x10", "1_000", " 5"])
def test_a_text_that_is_no_number_is_refused(api: ApiSession, text: str) -> None:
    assert codes_by_path(api, "Opportunity", {**DEAL, "Amount": text}) == {("JSON_PARSER_ERROR",)}
