"""Columns that the integration user does not see: what is told of them, and what is done without them."""

from datetime import UTC, datetime

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.field_rules import Direction, Rules
from shared.domain.hidden_columns import hidden_column_lines
from shared.domain.org_addresses import AddressLists, OrgAddresses
from shared.domain.org_shape import OrgShape
from shared.domain.sentences import LineDirection, cause
from shared.mapping.company_field import CompanyField
from shared.mapping.field_base import UnreadableValue
from shared.mapping.seen_columns import rules_of, seen_fields
from shared.mapping.validation import load_mapping

FILE, HASH = load_mapping()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HIDES_NOTES = OrgShape(OrgCurrencies(has_several=True), asked=frozenset({"description"}))
ACCOUNT = {"Name": "Fabrikam", "BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "Denmark"}


@pytest.mark.parametrize("direction", list(Direction))
def test_a_hidden_column_is_told_unless_its_field_is_off(direction: Direction) -> None:
    notes = FILE.fields["notes"].model_copy(update={"direction": direction})
    seen = seen_fields({**FILE.fields, "notes": notes}, HIDES_NOTES)
    told = [] if direction is Direction.OFF else ["notes"]
    assert [name for name, _ in seen.hidden] == list(seen.left_out) == told
    rules = rules_of(seen, FILE, FILE, HASH)
    assert list(rules.unseen) == told
    assert [line.field for line in hidden_column_lines(rules, NOW).values()] == told
    assert not seen.fields["notes"].is_writable("Description")


def test_a_field_that_still_travels_with_a_hidden_column_counts_as_seen() -> None:
    notes = FILE.fields["notes"].to_rule("notes")
    assert (
        Rules({"notes": notes}, hidden_columns=(("notes", cause("hidden_column", label="x", columns="y")),)).unseen
        == ()
    )


def test_the_lines_of_hidden_columns_have_the_direction_of_their_occasion() -> None:
    rules = rules_of(seen_fields(FILE.fields, HIDES_NOTES), FILE, FILE, HASH)
    direction = LineDirection.FROM_PARTNER_CENTER
    assert [line.direction for line in hidden_column_lines(rules, NOW, direction).values()] == [direction]
    assert [line.direction for line in hidden_column_lines(rules, NOW).values()] == [LineDirection.NOTE]


@pytest.mark.parametrize(
    ("hidden", "asked"), [("Sync_Status__c", "sync_STATUS__c"), ("sync_status__C", "Sync_Status__c")]
)
def test_our_columns_are_hidden_in_any_letter_case(hidden: str, asked: str) -> None:
    org = OrgShape(OrgCurrencies(has_several=True), hidden=frozenset({hidden}))
    assert org.hides(asked)
    assert org.is_unusable(asked)
    assert not org.hides("Audit__c")


def company(*hidden: str) -> CompanyField:
    """The customer in an org with picklists that hides these columns."""
    field = next(field for field in FILE.fields.values() if isinstance(field, CompanyField))
    return field.for_org(OrgAddresses(AddressLists(frozenset({"DK"})))).limited_to(frozenset(hidden), frozenset())


def test_a_country_code_makes_up_for_a_hidden_country() -> None:
    found = company("Account.BillingCountry").read_record({"Account": {**ACCOUNT, "BillingCountryCode": "DK"}})
    assert found is not None
    assert found.country == "DK"


@pytest.mark.parametrize(("hidden", "code"), [("BillingCountry", None), ("BillingStreet", "DK"), ("BillingCity", "DK")])
def test_a_hidden_part_that_a_referral_needs_is_told(hidden: str, code: str | None) -> None:
    with pytest.raises(UnreadableValue) as caught:
        company(f"Account.{hidden}").read_record({"Account": {**ACCOUNT, "BillingCountryCode": code}})
    assert (caught.value.cause.code, caught.value.cause.field) == ("hidden_column", f"Account.{hidden}")


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        (("123456789",), "123456789"),
        (("123456789", "12-345-6789"), "123456789"),
        (("123456789", "987654321"), None),
        (("123456789", "unknown"), "123456789"),
        ((), None),
    ],
)
def test_several_numbers_in_one_referral_say_nothing(numbers: tuple[str, ...], found: str | None) -> None:
    ids = [{"profileType": "Duns", "id": number} for number in numbers]
    assert (
        company().duns_in({"customerProfile": {"ids": [*ids, {"profileType": "External", "id": "111111111"}]}}) == found
    )
