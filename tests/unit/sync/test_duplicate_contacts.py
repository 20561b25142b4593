"""What becomes of a contact that a duplicate rule of the org finds (docs/protocol.md#contacts-of-an-arrival)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.duplicate_rules import DuplicateRules
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import CUSTOMER, assert_quiet
from tests.unit.sync.real_orgs import PERMISSIONS, assign_permissions
from tests.unit.sync.test_duplicate_accounts import account, arrive, audit_of


@pytest.fixture
def strict(harness: Harness) -> Harness:
    """An org with the standard duplicate rules."""
    harness.salesforce.org.put_switch(DuplicateRules())
    return harness


LIND = {"FirstName": "Ada", "LastName": "Lind", "Email": "ada.lind@fabrikam.example"}


def test_the_contact_of_the_account_that_a_rule_found_is_taken(strict: Harness) -> None:
    known = account(strict)
    elsewhere = strict.salesforce.insert("Contact", {**LIND, "Email": None, "Phone": "+4512345678"})
    contact = strict.salesforce.insert("Contact", {**LIND, "Email": None, "Phone": "+4512345678", "AccountId": known})
    opportunity = arrive(strict)
    (role,) = strict.salesforce.records("OpportunityContactRole")
    assert (role["OpportunityId"], role["ContactId"]) == (opportunity["Id"], contact)
    assert {each["Id"] for each in strict.salesforce.records("Contact")} == {elsewhere, contact}
    assert "A duplicate rule found Ada Lind in this account." in audit_of(strict, opportunity)


def test_a_contact_that_resembles_a_lead_is_saved_and_told(strict: Harness) -> None:
    lead = strict.salesforce.insert("Lead", {**LIND, "Company": "Fabrikam"})
    opportunity = arrive(strict)
    (contact,) = strict.salesforce.records("Contact")
    assert contact["AccountId"] == opportunity["AccountId"]
    told = f"The contact Ada Lind is new, although a duplicate rule found similar records: {lead} (lead)."
    assert told in audit_of(strict, opportunity)
    assert strict.new_calls()["salesforce.graph"] == 2
    strict.run_rounds()
    assert_quiet(strict)


def test_many_contacts_that_resemble_leads_need_few_calls(strict: Harness) -> None:
    people = [CUSTOMER["team"][0] | {"email": f"n{number}@f.example"} for number in range(9)]  # type: ignore[index]
    for person in people:
        strict.salesforce.insert("Lead", {**LIND, "Email": person["email"], "Company": "Fabrikam"})
    arrive(strict, team=people)
    assert len(strict.salesforce.records("OpportunityContactRole")) == 9
    assert strict.new_calls()["salesforce.graph"] == 4


def test_two_similar_people_of_one_referral_both_arrive(strict: Harness) -> None:
    twin = {"firstName": "Ada", "lastName": "Lind", "email": "lind@fabrikam.example", "phoneNumber": "+4512345678"}
    opportunity = arrive(strict, team=[*CUSTOMER["team"], twin])
    assert len(strict.salesforce.records("Contact")) == 2
    assert "The contact Ada Lind is new, although" in audit_of(strict, opportunity)


def test_a_rule_that_blocks_costs_the_deal_only_its_contact(harness: Harness) -> None:
    harness.salesforce.insert("Lead", {**LIND, "Company": "Fabrikam"})
    harness.salesforce.org.put_switch(DuplicateRules(frozenset({"Contact"})))
    opportunity = arrive(harness)
    assert harness.salesforce.records("Contact") == []
    assert "Salesforce refused the contact Ada Lind: Use one of these records?" in audit_of(harness, opportunity)


def hide_accounts_of_contacts(harness: Harness) -> None:
    """The integration user may not see to which account a contact belongs."""
    documents, key = harness.salesforce.deployments.documents.kept, ("PermissionSet", PERMISSIONS)
    shown = "<editable>true</editable>\n        <field>Contact.AccountId</field>\n        <readable>true"
    hidden = "<editable>false</editable>\n        <field>Contact.AccountId</field>\n        <readable>false"
    assert shown in documents[key].decode()
    documents[key] = documents[key].decode().replace(shown, hidden).encode()
    assign_permissions(harness.salesforce)


@pytest.mark.parametrize("rules", [DuplicateRules(), None])
def test_a_hidden_account_of_contacts_stops_no_deal(harness: Harness, rules: DuplicateRules | None) -> None:
    known = account(harness)
    for _ in range(2):
        harness.salesforce.insert("Contact", {**LIND, "AccountId": known})
    if rules:
        harness.salesforce.org.put_switch(rules)
    hide_accounts_of_contacts(harness)
    harness.ask_org_again()
    assert arrive(harness)["AccountId"] == known


def test_a_service_that_takes_no_header_in_a_graph_costs_the_deal_only_its_contact(strict: Harness) -> None:
    strict.salesforce.insert("Lead", {**LIND, "Company": "Fabrikam"})
    refusal = '[{"errorCode": "JSON_PARSER_ERROR", "message": "Unrecognized field"}]'
    strict.inject_fault(
        Side.SALESFORCE, Fault(FaultKind.ANSWER, sent="Sforce-Duplicate-Rule-Header", status=400, body=refusal, times=9)
    )
    opportunity = arrive(strict)
    assert strict.salesforce.records("Contact") == []
    assert "Salesforce refused the contact Ada Lind: Unrecognized field" in audit_of(strict, opportunity)


def test_of_several_contacts_with_the_address_that_of_the_account_is_used(harness: Harness) -> None:
    known = account(harness)
    harness.salesforce.insert("Contact", LIND)
    contact = harness.salesforce.insert("Contact", {**LIND, "AccountId": known})
    arrive(harness)
    assert [role["ContactId"] for role in harness.salesforce.records("OpportunityContactRole")] == [contact]
    assert len(harness.salesforce.records("Contact")) == 2
