"""Leads and their conversion by people: docs/reference/salesforce.md#lead-conversion."""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.write_paths import codes_by_path

LEAD = {
    "LastName": "Young", "FirstName": "Kim", "Company": "Fabrikam", "Email": "kim@fabrikam.example",
    "LeadSource": "Web", "Website": "https://fabrikam.example", "Description": "Test drive", "Country": "Denmark",
}  # fmt: skip


@pytest.fixture
def lead(api: ApiSession) -> str:
    return api.emulator.insert("Lead", LEAD)


def _converted(api: ApiSession) -> tuple[object, ...]:
    names = ("IsConverted", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId")
    [lead] = api.query_records("SELECT Id FROM Lead")
    found = api("GET", f"/sobjects/Lead/{lead['Id']}").json()
    return tuple(found[name] for name in names)


def test_only_a_conversion_sets_what_a_lead_became(api: ApiSession, lead: str) -> None:
    assert _converted(api) == (False, None, None, None, None)
    for name, value in {"ConvertedDate": "2026-11-20", "ConvertedOpportunityId": None, "IsConverted": True}.items():
        assert codes_by_path(api, "Lead", {name: value}, edited=lead) == {("INVALID_FIELD_FOR_INSERT_UPDATE",)}


def test_a_conversion_makes_account_contact_and_deal(api: ApiSession, lead: str) -> None:
    made = control(api.emulator, "convert_lead", id=lead).json()
    assert _converted(api) == (True, "2026-11-20", made["account"], made["contact"], made["deal"])
    deal = api.emulator.record("Opportunity", made["deal"])
    assert (deal["Name"], deal["AccountId"], deal["LeadSource"]) == ("Fabrikam-", made["account"], "Web")
    assert api.emulator.record("Account", made["account"])["BillingCountry"] == "Denmark"
    [role] = api.emulator.records("OpportunityContactRole")
    assert (role["ContactId"], role["IsPrimary"]) == (made["contact"], True)


def test_a_conversion_can_make_no_deal_and_use_an_account(api: ApiSession, lead: str) -> None:
    account = api.emulator.insert("Account", {"Name": "Fabrikam A/S"})
    made = control(api.emulator, "convert_lead", id=lead, deal=None, account=account).json()
    assert (made["account"], made["deal"]) == (account, None)
    assert _converted(api)[4] is None


def test_a_converted_lead_stays_as_it_is(api: ApiSession, lead: str) -> None:
    control(api.emulator, "convert_lead", id=lead)
    assert codes_by_path(api, "Lead", {"Description": "x"}, edited=lead) == {("CANNOT_UPDATE_CONVERTED_LEAD",)}
