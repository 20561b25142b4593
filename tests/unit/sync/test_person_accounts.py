"""A person account may be the customer of a deal, both ways (docs/protocol.md#the-customers-account)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulators.salesforce.org_switches import turn_on_person_accounts
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

PLACE = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "DK"}
ANNA = {"firstName": "Anna", "lastName": "Vogel", "email": "anna@vogel.example", "phoneNumber": "+4512345678"}
KIM = {"firstName": "Kim", "lastName": "Berg", "email": "kim@berg.example", "phoneNumber": "+4587654321"}


def turn_on(harness: Harness, *, people_first: bool = False) -> str:
    """Switch person accounts on; returns the record type of people."""
    types = turn_on_person_accounts(harness.salesforce.org, harness.salesforce.seller, is_default=people_first)
    harness.ask_org_again()
    return types["person"]


def insert_person(harness: Harness, record_type: str, **values: object) -> dict[str, Any]:
    """The account of Anna Vogel."""
    person = {"FirstName": "Anna", "LastName": "Vogel", "Phone": "+4512345678", "PersonEmail": "anna@vogel.example"}
    account = harness.salesforce.insert("Account", {**person, **PLACE, **values, "RecordTypeId": record_type})
    return dict(harness.salesforce.record("Account", account))


def arrive(harness: Harness, *team: object) -> dict[str, Any]:
    """The opportunity of a new deal of the customer Anna Vogel."""
    referral = microsoft_sends_deal(harness, customerProfile={"name": "Anna Vogel", "team": list(team)})
    harness.pull_event(referral)
    return opportunity_of(harness, referral)


def roles_of(harness: Harness, deal: str) -> list[tuple[str, bool]]:
    """The contacts of a deal, and whether each is the primary one."""
    roles = [role for role in harness.salesforce.records("OpportunityContactRole") if role["OpportunityId"] == deal]
    return [(role["ContactId"], role["IsPrimary"]) for role in roles]


# --- to Partner Center


@pytest.mark.parametrize("has_role", [False, True])
def test_a_person_is_customer_and_contact_of_their_deal(harness: Harness, has_role: bool) -> None:
    person = insert_person(harness, turn_on(harness))
    deal = harness.seller_creates(AccountId=person["Id"], Sync_with_Partner_Center__c=False)
    if has_role:
        values = {"OpportunityId": deal, "ContactId": person["PersonContactId"], "IsPrimary": True}
        harness.salesforce.insert("OpportunityContactRole", values)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push_until_quiet()
    customer = harness.referral_of(deal)["customerProfile"]
    assert (customer["name"], customer["address"]["country"]) == ("Anna Vogel", "DK")
    assert [{name: each[name] for name in ANNA} for each in customer["team"]] == [ANNA]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.run_rounds()
    assert_quiet(harness)


def test_the_contact_roles_of_a_persons_deal_are_its_contacts(harness: Harness) -> None:
    person = insert_person(harness, turn_on(harness))
    values = {"FirstName": "Kim", "LastName": "Berg", "Email": "kim@berg.example", "Phone": "+4587654321"}
    contact = harness.salesforce.insert("Contact", values)
    deal = harness.seller_creates(AccountId=person["Id"], Sync_with_Partner_Center__c=False)
    harness.salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push_until_quiet()
    assert [each["email"] for each in harness.referral_of(deal)["customerProfile"]["team"]] == ["kim@berg.example"]


def test_a_person_without_address_to_write_to_is_told_and_the_deal_goes(harness: Harness) -> None:
    person = insert_person(harness, turn_on(harness), PersonEmail=None)
    deal = harness.shared_deal(AccountId=person["Id"])
    assert harness.referral_of(deal)["customerProfile"]["team"] == []
    assert harness.count_in_audit(deal, "Contact Roles: Partner Center does not get") == 1


def test_a_company_without_contact_roles_has_no_contact(harness: Harness) -> None:
    turn_on(harness)
    assert harness.referral_of(harness.shared_deal())["customerProfile"]["team"] == []


# --- from Partner Center


def _same_address(person: dict[str, object]) -> dict[str, object]:
    return {**person, "firstName": "A.", "email": "ANNA@vogel.example"}


def _same_name(person: dict[str, object]) -> dict[str, object]:
    return {**person, "lastName": "VOGEL", "email": "office@vogel.example"}


@pytest.mark.parametrize("contact", [_same_address, _same_name])
def test_a_person_who_matches_is_used_and_has_the_role(
    harness: Harness, contact: Callable[[dict[str, object]], dict[str, object]]
) -> None:
    person = insert_person(harness, turn_on(harness))
    opportunity = arrive(harness, contact(dict(ANNA)))
    assert opportunity["AccountId"] == person["Id"]
    assert roles_of(harness, opportunity["Id"]) == [(person["PersonContactId"], True)]
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
    assert harness.count_in_audit(opportunity["Id"], "Left out") == 0
    harness.run_rounds()
    assert_quiet(harness)


def test_no_contact_is_created_below_a_person_and_those_left_out_are_told(harness: Harness) -> None:
    person = insert_person(harness, turn_on(harness))
    known = harness.salesforce.insert("Contact", {"LastName": "Lee", "Email": "lee@lee.example"})
    lee = {**KIM, "lastName": "Lee", "email": "lee@lee.example"}
    opportunity = arrive(harness, KIM, ANNA, lee)
    assert roles_of(harness, opportunity["Id"]) == [(person["PersonContactId"], True), (known, False)]
    told = "The account Anna Vogel is a person and has no other contacts. Left out: Kim Berg."
    assert harness.count_in_audit(opportunity["Id"], told) == 1
    assert harness.count_in_audit(opportunity["Id"], "Contact Roles holds 2 of 3 contacts") == 1
    assert harness.new_calls()["salesforce.graph"] == 1
    harness.run_rounds()
    assert_quiet(harness)


def test_a_contact_that_a_colleague_adds_to_the_deal_of_a_person_is_told_with_the_reason(harness: Harness) -> None:
    person = insert_person(harness, turn_on(harness))
    deal = harness.seller_creates(AccountId=person["Id"])
    harness.push_until_quiet()
    referral = harness.referral_of(deal)
    harness.colleague_edits(referral["id"], customerProfile_team=[*referral["customerProfile"]["team"], KIM])
    harness.pull_event(referral["id"])
    told = "Kim Berg cannot be a contact here, because the account is a person."
    assert harness.count_in_audit(deal, told) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


@pytest.mark.parametrize("people_first", [False, True])
def test_a_new_customer_is_a_company_whatever_the_default_record_type_is(harness: Harness, people_first: bool) -> None:
    turn_on(harness, people_first=people_first)
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    account = harness.salesforce.record("Account", opportunity_of(harness, referral)["AccountId"])
    assert (account["Name"], account["IsPersonAccount"]) == ("Fabrikam Robotics", False)
    assert [contact["AccountId"] for contact in harness.salesforce.records("Contact")] == [account["Id"]]


def test_an_edit_of_a_persons_deal_travels_each_way(harness: Harness) -> None:
    insert_person(harness, turn_on(harness))
    deal = arrive(harness, ANNA)["Id"]
    referral = harness.opportunity(deal)["Referral_Identifier__c"]
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    harness.push_until_quiet()
    harness.seller_edits(deal, Amount=4711)
    harness.push_until_quiet()
    harness.colleague_edits(referral, details_notes="Called.")
    harness.pull_event(referral)
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 4711
    assert harness.opportunity(deal)["Description"] == "Called."


@pytest.mark.parametrize("people_first", [False, True])
def test_a_record_type_of_people_in_the_mapping_file_holds_no_company_and_is_told(
    tmp_path: Path, people_first: bool
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "default"\n[new.Account]\nrecord_type = "PersonAccount"\n', "utf-8")
    with Harness(mapping=path) as own:
        turn_on(own, people_first=people_first)
        referral = microsoft_sends_deal(own)
        own.pull_event(referral)
        deal = opportunity_of(own, referral)
        account = own.salesforce.record("Account", deal["AccountId"])
        assert (account["Name"], account["IsPersonAccount"]) == ("Fabrikam Robotics", False)
        assert own.count_in_audit(str(deal["Id"]), "no active record type PersonAccount of companies.") == 1
        assert_quiet(own)
