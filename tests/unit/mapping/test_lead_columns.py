"""What a lead of Partner Center says stands in columns of a Lead (docs/mapping.md#leads)."""

from pathlib import Path

import pytest

from shared.domain.deal import Company, Status
from shared.foundation.errors import ConfigurationError
from shared.mapping.lead_columns import LeadTable, facts_of_lead, lead_address, status_text
from shared.mapping.validation import load_mapping

ADA = {"firstName": "Ada", "lastName": "Lind", "email": "ada@fabrikam.example", "phoneNumber": "+45 1", "title": "CTO"}
REFERRAL = {
    "name": "Robots &amp; more",
    "referralSource": "AppSource",
    "callToAction": "Free trial",
    "customerProfile": {"team": [ADA, {"lastName": "Berg", "email": "berg@fabrikam.example"}]},
    "details": {
        "notes": "Soon.",
        "requirements": {"solutions": [{"id": "SOL-1", "name": "Ledger"}, {"id": "SOL-2"}, "odd"]},
    },
}
COMPANY = Company("Fabrikam", "DK")


def values_of(table: LeadTable, referral: dict[str, object] | None = None) -> dict[str, str | None]:
    facts = facts_of_lead(REFERRAL if referral is None else referral)
    return dict(table.values(facts, COMPANY if referral is None else None, {"City": "Aarhus"}, "New").values)


def test_what_has_no_column_of_its_own_stands_in_the_description() -> None:
    assert values_of(LeadTable()) == {
        "FirstName": "Ada", "LastName": "Lind", "Email": "ada@fabrikam.example", "Phone": "+45 1", "Title": "CTO",
        "Company": "Fabrikam", "City": "Aarhus", "LeadSource": "AppSource",
        "Description": "Lead: Robots & more\nRequested: Free trial\nSolutions: Ledger (SOL-1); SOL-2\n"
        "Contact: Berg, berg@fabrikam.example\nSoon.",
    }  # fmt: skip


def test_a_mapped_column_takes_its_line_out_of_the_description() -> None:
    table = LeadTable(requested_action="Action__c", solutions="Solutions__c", name="Deal__c", source="")
    values = values_of(table)
    own = (values["Action__c"], values["Solutions__c"], values["Deal__c"])
    assert own == ("Free trial", "Ledger (SOL-1); SOL-2", "Robots & more")
    assert values["Description"] == "Source: AppSource\nContact: Berg, berg@fabrikam.example\nSoon."


def test_a_lead_that_says_nothing_has_stand_ins_where_salesforce_demands_a_value() -> None:
    table = LeadTable(default_last_name="Unknown")
    wanted = table.values(facts_of_lead({}), None, {}, "")
    assert (wanted.values["LastName"], wanted.values["Company"]) == ("Unknown", "[not provided]")
    assert wanted.defaults == {"LastName", "Company"}
    assert wanted.values["Description"] is None


def test_the_address_is_that_of_an_account_without_its_prefix() -> None:
    account = {"Name": "Fabrikam", "BillingCity": "Aarhus", "BillingCountryCode": "DK", "Region__c": "EMEA"}
    assert lead_address(account) == {"City": "Aarhus", "CountryCode": "DK"}


def test_a_status_that_no_list_has_is_shown_as_it_is() -> None:
    assert status_text(Status("Active", "Qualification")) == "Active (Qualification)"
    assert (status_text(Status("New", "None")), status_text(None)) == ("New", "")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            'source = "Region__c"\nname = "region__c"',
            "lead.name: expected a column of the lead that nothing",
        ),
        ('name = "Audit__c"', "found Audit__c, which lead.audit fills"),
        ('solutions = "Title"', "found Title, which the first contact fills"),
        ('name = "City"', "found City, which the customer fills"),
        ('defaults = { LeadSource = "Web" }', "found LeadSource, which lead.source fills"),
        ('source = "A B"', "expected a column of the lead, such as LeadSource"),
        ("link = 5", "lead.link: expected"),
        ('owner = "x"', "lead.owner: this key is not known"),
    ],
)
def test_a_column_has_one_source(tmp_path: Path, lines: str, problem: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(f'extends = "default"\n\n[lead]\n{lines}\n', "utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_mapping(path)
    assert problem in str(error.value)


def test_the_table_of_leads_changes_no_base(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text('extends = "default"\n\n[lead]\nname = "Deal__c"\ndefaults = { Region__c = "EMEA" }\n', "utf-8")
    file, mapping = load_mapping(path)
    assert (file.lead.name, file.lead.defaults) == ("Deal__c", {"Region__c": "EMEA"})
    assert mapping == load_mapping()[1]


def test_the_columns_that_cannot_hold_a_whole_text_are_named() -> None:
    long = {**ADA, "lastName": "L" * 81, "email": f"{'a' * 80}@fabrikam.example"}
    referral = {"customerProfile": {"name": "F" * 256, "team": [long, long]}, "details": {"notes": "n" * 32_001}}
    wanted = LeadTable().values(facts_of_lead(referral), Company("F" * 255, "DK"), {}, "New")
    assert wanted.cut == {"LastName", "Email", "Company", "Description"}
    assert LeadTable().values(facts_of_lead(REFERRAL), COMPANY, {}, "New").cut == frozenset()
    assert wanted.without("Email").cut == {"LastName", "Company", "Description"}
