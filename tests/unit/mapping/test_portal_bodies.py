"""Referrals as the portal's users leave them are read as these people mean them.

Source: docs/reference/partner-center.md#wire-format, docs/reference/partner-center.md#closing-day.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.domain.deal import Company, Deal, Money, Person
from shared.domain.html_entities import decode_entities
from shared.mapping.field_base import UnreadableValue
from shared.mapping.field_types import DateField
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.translation import Translation
from tests.portal_bodies.bodies import NAMES, portal_body
from tests.unit.mapping.test_unusual_referrals import FIELDS, TRANSLATION, deal_in, referral_with

READ_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

MEANT: Mapping[str, Mapping[str, Any]] = {
    "argentina": {
        "name": "Migración a la nube",
        "account": Company("Wide World Importers SA", "AR", None, "Buenos Aires"),
        "closing": date(2027, 4, 15),
        "contacts": None,
    },
    "britain_in_summer": {
        "name": "Thames & Severn renewal",
        "account": Company("Adatum & Sons Ltd", "GB", "12 King's Road", "Bristol", None, "BS1 4DJ"),
        "closing": date(2027, 6, 30),
        "notes": 'Wants "pay as you go".',
    },
    "closing_before_creation": {"closing": date(2026, 8, 31), "money": Money(Decimal("0.01"), "USD")},
    "encoded_twice": {
        "name": "R&D workspace",
        "account": Company("Trey & Baldwin", "US", "1 Main Street", "Seattle", "WA", "98101"),
        "contacts": (Person("O'Neil", "Ann&Bo", "ann@trey.example", "+12065550111", "Head of R&D"),),
        "notes": "Ask for <Ann> & Bo.\nBudget > 100k",
        "team": (Person("D'Arcy", "Seller", "seller.one@contoso.example", "+4550000001"),),
    },
    "extra_properties": {"closing": date(2027, 10, 2), "contacts": None},
    "india": {
        "account": Company("Relecloud India", "IN", "4 Station Road", "Pune", "MH", "411001"),
        "closing": date(2027, 3, 31),
        "money": Money(Decimal("4500000.50"), "INR"),
    },
    "new_zealand_in_summer": {"name": "Wool & Wine analytics", "closing": date(2027, 1, 14)},
    "region_and_duns": {
        "account": Company("Northwind Traders Ltd", "US", "1 Main Street", "Seattle", "WA", "98101"),
        "size": "251to1000employees",
    },
    "several_contacts": {
        "account": Company("Lucerne Publishing", "DE", "1 Main Street", "Berlin", "Berlin", "10115"),
        "contacts": (
            Person("Lind", "Ada", "ada@lucerne.example", "+4930111"),
            Person("Bo", email="bo@lucerne.example"),
            Person("desk@lucerne.example", email="desk@lucerne.example"),
        ),
    },
    "solution_type_none": {
        "solutions": ("7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10", "MachineLearning", "Claims, fast", "SOL-12345-ABC"),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_body_from_the_portal_is_read_as_it_is_meant(name: str) -> None:
    referral = TRANSLATION.referral(portal_body(name))
    assert referral.problems == {}
    assert set(referral.deal) - {"size"} == FIELDS
    assert {field: referral.deal[field] for field in MEANT[name]} == MEANT[name]


def test_a_region_does_not_replace_a_state() -> None:
    address = {"country": "US", "state": "WA", "region": "OR"}
    assert company_of(address).state == "WA"
    assert company_of({**address, "state": " "}).state == "OR"
    assert company_of({"country": "US"}).state is None


def company_of(address: Mapping[str, object]) -> Company:
    company = deal_in(referral_with("/customerProfile/address", address))["account"]
    assert isinstance(company, Company)
    return company


# --- entities ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("R&amp;D", "R&D"),
        ("R&amp;amp;amp;D", "R&D"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("&#38;#39;&#x27;&eacute;", "''é"),
        ("&am&#112;;", "&"),
        ("&semi;", ";"),
        ("R&D", "R&D"),
        ("a=1&copy=2&region=us; b", "a=1&copy=2&region=us; b"),
        ("&nothing; &; &#; &#x;", "&nothing; &; &#; &#x;"),
        ("&#xD800;", "\ufffd"),
    ],
)
def test_entities_are_decoded_however_often_they_were_encoded(text: str, decoded: str) -> None:
    assert decode_entities(text) == decoded


def test_a_text_with_an_entity_at_its_cut_stays_whole() -> None:
    field = TRANSLATION.fields["name"]
    with pytest.raises(UnreadableValue) as caught:
        field.read_referral({"name": "x" * 119 + "&amp; more"})
    assert caught.value.rest == "x" * 119 + "&"
    assert field.read_referral({"name": "x" * 119 + "&amp;"}) == "x" * 119 + "&"


# --- days -------------------------------------------------------------------------------------------------------------


def day_of(moment: str, zone: str) -> object:
    field = DateField.model_validate(
        {"type": "date", "label": "Day", "referral": "/day", "salesforce": "Day", "zone": zone}
    )
    return field.read_referral({"day": moment})


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2027-06-29T23:00:00Z", "UTC+12", 30),  # Britain in summer
        ("2027-06-29T18:30:00Z", "UTC+12", 30),  # India
        ("2027-06-30T00:00:00Z", "UTC+12", 30),
        ("2027-06-30T03:00:00Z", "UTC+12", 30),  # Argentina
        ("2027-06-30T10:00:00Z", "UTC+12", 30),  # Hawaii
        ("2027-06-30T11:59:59.9999999Z", "UTC+12", 30),
        ("2027-06-29T12:00:00Z", "UTC+12", 30),  # New Zealand in winter
        ("2027-06-29T11:00:00Z", "UTC+12", 29),  # a zone too far east for the default
        ("2027-06-29T11:00:00Z", "UTC+13", 30),  # Tonga
        ("2027-06-29T12:00:00Z", "UTC+13", 30),
        ("2027-06-30T10:00:00Z", "UTC+13", 30),
        ("2027-06-29T10:00:00Z", "UTC+14", 30),  # the Line Islands
        ("2027-06-30T00:00:00Z", "UTC+14", 30),
        ("2027-06-30T01:00:00+01:00", "UTC+12", 30),
        ("2027-06-30", "UTC+14", 30),
    ],
)
def test_a_moment_means_the_day_that_a_person_chose(moment: str, zone: str, day: int) -> None:
    assert day_of(moment, zone) == date(2027, 6, day)


def test_two_spellings_of_a_day_need_no_patch_operation() -> None:
    chosen = deal_in(referral_with("/details/closingDateTime", "2027-06-29T23:00:00Z"))["closing"]
    written = deal_in(referral_with("/details/closingDateTime", "2027-06-30T00:00:00Z"))["closing"]
    assert chosen == written
    assert TRANSLATION.fields["closing"].patch_operations(written, chosen) == []


def test_the_mapping_file_names_the_zone(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text('extends = "default"\n[fields.closing]\nzone = "UTC+13"\n', "utf-8")
    translation = Translation(ReferralConstants("1234567"), file)
    assert translation.referral(portal_body("new_zealand_in_summer")).deal["closing"] == date(2027, 1, 15)
    assert translation.hash != TRANSLATION.hash


# --- solution ids -----------------------------------------------------------------------------------------------------

GUID = "7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10"


def ids_in(text: str | None) -> object:
    return TRANSLATION.fields["solutions"].read_record({"Products__c": text})


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("SOL-12345-ABC;SOL-20011-ABC", ("SOL-12345-ABC", "SOL-20011-ABC")),
        ("SOL-12345-ABC, SOL-20011-ABC,", ("SOL-12345-ABC", "SOL-20011-ABC")),
        ("SOL-12345-ABC\r\nSOL-20011-ABC\tSOL-1", ("SOL-12345-ABC", "SOL-20011-ABC", "SOL-1")),
        (" ;, \n", None),
        (None, None),
        ("sol-12345-abc; SOL-12345-ABC", ("SOL-12345-ABC",)),
        (f"{GUID.upper()} machinelearning", (GUID, "MachineLearning")),
    ],
)
def test_ids_may_be_separated_as_people_do(text: str | None, ids: object) -> None:
    assert ids_in(text) == ids


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("my product, other,", "my, product, other"),
        ("SOL-12345-ABC; 123456789", "123456789"),
        ("SOL-ABC", "SOL-ABC"),
        ("XSOL-12345-ABC", "XSOL-12345-ABC"),
        ("SOL-12345-ABC-", "SOL-12345-ABC-"),
        ("x" * 90, "x" * 79 + "…"),
    ],
)
def test_what_is_no_id_is_named_with_an_example(text: str, words: str) -> None:
    record = {"Id": "006", "LastModifiedDate": "2026-11-22T10:00:00Z", "Products__c": text}
    (problem,) = (
        cause for field, cause in TRANSLATION.opportunity(record, READ_AT).problems.items() if field == "solutions"
    )
    assert problem.code == "bad_solutions"
    assert f": {words}." in problem.reason
    assert "SOL-15974-MQF" in problem.remedy


def test_more_ids_than_a_deal_may_have_are_read_so_that_the_others_travel() -> None:
    """The default column cannot hold so many documented ids, but the column of another mapping file can."""
    ids = [f"SOL-{number:05}-ABC" for number in range(51)]
    assert ids_in(" ".join(ids)) == tuple(ids)


def test_an_id_with_a_separator_is_not_written_into_the_column() -> None:
    deal = deal_in(portal_body("solution_type_none"))
    values = TRANSLATION.new_opportunity(deal)
    assert values["Products__c"] == f"{GUID};MachineLearning;SOL-12345-ABC"
    assert TRANSLATION.cut_solutions(deal) == (3, 4)
    assert ids_in(values["Products__c"]) == (GUID, "MachineLearning", "SOL-12345-ABC")


def test_a_predefined_name_is_sent_with_its_type() -> None:
    body = TRANSLATION.new_referral(Deal(solutions=("SOL-12345-ABC", "MachineLearning")), "x")
    assert body["details"]["requirements"]["solutions"] == [
        {"id": "SOL-12345-ABC", "type": "Name", "name": "SOL-12345-ABC", "solutionType": "3P"},
        {"id": "MachineLearning", "type": "Category", "name": "MachineLearning"},
    ]
