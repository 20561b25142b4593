"""What an org has, and how it writes countries and states (docs/protocol.md#what-the-org-has)."""

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.org_addresses import AddressLists, CountrySpelling, spelling_in
from shared.domain.org_shape import MARKS, Column, OrgQuestion, OrgShape, RecordType, code_column

SHAPE = OrgShape(
    OrgCurrencies(has_several=False), asked=frozenset({"amount", "account.name"}),
    columns={"amount": Column("Amount", updateable=False)}, hidden=frozenset({"Mark__c"}),
    read_only=frozenset({"Audit__c"}),
    record_types={"Account": (RecordType("Person", "012"), RecordType("Firm", "013"))},
)  # fmt: skip


def test_the_org_lacks_columns_marks_and_notification_types() -> None:
    assert SHAPE.missing == ("Audit__c", "Mark__c")
    types = {"b": None, "a": None, "c": "0ML"}
    fewer = OrgShape(OrgCurrencies(has_several=False), statuses=MARKS - {min(MARKS)}, notifications=types)
    assert fewer.missing == (min(MARKS), "a", "b")


def test_columns_are_known_in_any_letter_case() -> None:
    assert [SHAPE.hides(name) for name in ("MARK__C", "Audit__c")] == [True, False]
    assert [SHAPE.is_unusable(name) for name in ("MARK__C", "audit__C", "Other__c")] == [True, True, False]
    assert SHAPE.column("AMOUNT") == Column("Amount", updateable=False)
    assert SHAPE.column("Account.NAME") is None
    assert SHAPE.column("Never.Asked") == Column("Never.Asked")
    assert [SHAPE.has(*paths) for paths in ((), ("AMOUNT",), ("Amount", "Name"))] == [True, True, False]


def test_a_record_type_is_found_by_object_and_name() -> None:
    assert SHAPE.record_type("Account", "FIRM") == RecordType("Firm", "013")
    assert SHAPE.record_type("Account", "Other") is SHAPE.record_type("Opportunity", "Firm") is None


def test_an_org_is_asked_for_paths_codes_and_types_in_lower_case() -> None:
    asked = OrgQuestion({}, frozenset({"Amount"}), "BillingCountry", "BillingStateCode", "Notice", "Deal")
    assert asked.keys == {"amount", "account.billingcountrycode", "account.billingstatecode", "notice", "deal"}
    assert OrgQuestion({}).keys == frozenset()
    assert (code_column(""), code_column("BillingCountry"), code_column("BillingSTATECODE")) == (
        "", "BillingCountryCode", "BillingSTATECODE"
    )  # fmt: skip


LISTS = AddressLists(frozenset({"US"}), {"US": {"WA": "Washington", "ny": "New York"}})


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("US", "wa", "WA"), ("US", "us-wa", "WA"), ("US", "NY", "ny"), ("US", "WASHINGTON", "WA"),
        ("US", "new york", "ny"), ("US", "DE-WA", None), ("US", "Bonn", None), ("DE", "WA", None),
    ],
)  # fmt: skip
def test_a_state_is_found_by_its_code_or_name(country: str, text: str, code: str | None) -> None:
    assert LISTS.state_code(country, text) == code


def test_a_country_is_written_as_the_orgs_accounts_write_it() -> None:
    assert CountrySpelling().text("DE") == "DE"
    named = CountrySpelling(has_names=True, names={"DE": "Deutschland"})
    assert (named.text("DE"), named.text("FR")) == ("Deutschland", "France")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], CountrySpelling()),
        (["DE", "Germany"], CountrySpelling(names={"DE": "Germany"})),
        (["de", " France ", "Germany"], CountrySpelling(has_names=True, names={"DE": "Germany", "FR": "France"})),
        (["USA", "United States", "United States"], CountrySpelling(has_names=True, names={"US": "United States"})),
        (["", "  ", "Nowhere"], CountrySpelling()),
    ],
    ids=str,
)
def test_an_org_writes_countries_as_most_of_its_accounts_do(texts: list[str], expected: CountrySpelling) -> None:
    assert spelling_in(texts) == expected
