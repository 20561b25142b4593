"""People whom Partner Center adds or removes become contact roles and members of the team, or are told.

Source: docs/protocol.md#writing-rows.
"""

from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.duplicate_rules import DuplicateRules
from emulators.salesforce.data.hooks import ValidationRule
from shared.domain.deal import Side
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

BO = {"firstName": "Bo", "lastName": "Berg", "email": "bo.berg@fabrikam.example", "phoneNumber": "+4599"}
ADDRESS, ADA = BO["email"], "ada.lind@northwind.example"


def colleague_adds(
    harness: Harness, referral: str, *people: dict[str, Any], path: str = "customerProfile_team"
) -> None:
    """A colleague adds people to a list of the referral."""
    held = harness.partner_center.referral(referral)
    for step in path.split("_"):
        held = held[step]
    harness.colleague_edits(referral, **{path: [*held, *people]})


def roles_of(harness: Harness, deal: str) -> dict[str, bool]:
    """Whether a role is the primary one, by the address of its contact. Fails if a contact has two roles."""
    roles = [role for role in harness.salesforce.records("OpportunityContactRole") if role["OpportunityId"] == deal]
    found = {harness.salesforce.record("Contact", role["ContactId"])["Email"]: role["IsPrimary"] for role in roles}
    assert len(found) == len(roles)
    return found


def contacts_with(harness: Harness, address: str) -> list[dict[str, Any]]:
    return [dict(each) for each in harness.salesforce.records("Contact") if each["Email"] == address]


def private_deal(harness: Harness, *, contact: bool = True) -> tuple[str, str]:
    """A deal of ours that Microsoft does not see, with a contact: its referral and its opportunity."""
    opportunity = harness.seller_creates()
    if contact:
        values = {"FirstName": "Ada", "LastName": "Lind", "Email": ADA, "Phone": "+45"}
        known = harness.salesforce.insert("Contact", {**values, "AccountId": harness.account_id()})
        role = {"OpportunityId": opportunity, "ContactId": known, "IsPrimary": True}
        harness.salesforce.insert("OpportunityContactRole", role)
    harness.push_until_quiet()
    return harness.referral_of(opportunity)["id"], opportunity


@pytest.fixture
def deal(harness: Harness) -> tuple[str, str]:
    """A deal of ours that Microsoft does not see, with a contact: its referral and its opportunity."""
    return private_deal(harness)


# --- contacts


def test_a_contact_that_a_colleague_adds_becomes_a_contact_of_the_account_with_a_role(
    harness: Harness, deal: tuple[str, str]
) -> None:
    referral, opportunity = deal
    colleague_adds(harness, referral, BO)
    harness.forget_calls()
    harness.pull_event(referral)
    calls = harness.new_calls()
    assert calls == {"partner_center.get": 1, "salesforce.query": 2, "salesforce.conditional": 1}
    assert roles_of(harness, opportunity) == {ADA: True, ADDRESS: False}
    [contact] = contacts_with(harness, ADDRESS)
    assert (contact["FirstName"], contact["LastName"], contact["Phone"]) == ("Bo", "Berg", "+4599")
    assert contact["AccountId"] == harness.opportunity(opportunity)["AccountId"]
    assert harness.opportunity(opportunity)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_the_contact_that_salesforce_has_is_used_as_it_is(harness: Harness, deal: tuple[str, str]) -> None:
    referral, opportunity = deal
    harness.salesforce.insert("Contact", {"LastName": "Other", "Email": ADDRESS, "Phone": "1"})
    colleague_adds(harness, referral, BO)
    harness.pull_event(referral)
    assert ADDRESS in roles_of(harness, opportunity)
    [contact] = contacts_with(harness, ADDRESS)
    assert (contact["LastName"], contact["Phone"]) == ("Other", "1")
    assert_quiet(harness)


def test_a_contact_that_a_colleague_removes_loses_its_role_only(harness: Harness, deal: tuple[str, str]) -> None:
    referral, opportunity = deal
    colleague_adds(harness, referral, BO)
    harness.pull_event(referral)
    harness.colleague_edits(referral, customerProfile_team=[BO])
    harness.pull_event(referral)
    assert set(roles_of(harness, opportunity)) == {ADDRESS}
    assert len(contacts_with(harness, ADA)) == 1
    assert_quiet(harness)


def test_the_first_contact_of_a_deal_without_any_becomes_the_primary(harness: Harness) -> None:
    referral, opportunity = private_deal(harness, contact=False)
    colleague_adds(harness, referral, BO)
    harness.pull_event(referral)
    assert roles_of(harness, opportunity) == {ADDRESS: True}
    assert_quiet(harness)


def test_a_contact_that_salesforce_refuses_is_told_once_and_tried_again(
    harness: Harness, deal: tuple[str, str]
) -> None:
    referral, opportunity = deal
    harness.salesforce.org.hooks.rules.append(ValidationRule("Contact", "Phone", "No phone"))
    colleague_adds(harness, referral, BO)
    harness.colleague_edits(referral, details_notes="Called again.")
    harness.pull_event(referral)
    harness.push_until_quiet()
    assert set(roles_of(harness, opportunity)) == {ADA}
    assert harness.opportunity(opportunity)["Description"] == "Called again."
    assert harness.opportunity(opportunity)["Sync_Status__c"] == "Synced with differences"
    assert harness.count_in_audit(opportunity, "Salesforce does not take Bo Berg: No phone.") == 1
    harness.push(HOUR)
    assert harness.count_in_audit(opportunity, "Salesforce does not take Bo Berg: No phone.") == 1
    harness.clear_faults()
    harness.push(HOUR)
    harness.push(HOUR)
    assert ADDRESS in roles_of(harness, opportunity)
    assert harness.opportunity(opportunity)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_contact_that_resembles_another_with_another_address_is_saved_all_the_same(
    harness: Harness, deal: tuple[str, str]
) -> None:
    referral, opportunity = deal
    account = harness.opportunity(opportunity)["AccountId"]
    namesake = {"FirstName": "Bo", "LastName": "Berg", "Phone": "+4599", "AccountId": account}
    harness.salesforce.insert("Contact", {**namesake, "Email": "bo@private.example"})
    harness.salesforce.org.put_switch(DuplicateRules())
    colleague_adds(harness, referral, BO)
    harness.pull_event(referral)
    assert harness.count_in_audit(opportunity, "The contact Bo Berg is new, although a duplicate rule found") == 1
    assert ADDRESS in roles_of(harness, opportunity)
    assert_quiet(harness)


@pytest.mark.parametrize("skip", [1, 2], ids=["look-up", "write"])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER])
def test_a_lost_reply_makes_no_second_contact_and_no_second_role(
    harness: Harness, deal: tuple[str, str], kind: FaultKind, skip: int
) -> None:
    referral, opportunity = deal
    colleague_adds(harness, referral, BO)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, path="composite$", method="POST", skip=skip))
    harness.pull_event(referral)
    recover_after_lease(harness)
    assert set(roles_of(harness, opportunity)) == {ADA, ADDRESS}
    assert len(contacts_with(harness, ADDRESS)) == 1
    assert_quiet(harness)


def _arrange(harness: Harness) -> str:
    referral, _ = private_deal(harness)
    colleague_adds(harness, referral, BO)
    return referral


def _pull(instance: Instance) -> object:
    return instance.pull_event(instance.harness.our_referrals()[0]["id"])


@pytest.mark.slow
def test_a_crash_at_any_call_makes_no_second_contact_and_no_second_role() -> None:
    for point in crash_points(_arrange, _pull)[0]:
        with Harness() as harness:
            _arrange(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, point)
            assert crashing.crashes_during(_pull)
            recover_after_lease(harness)
            [opportunity] = [record["Id"] for record in harness.salesforce.records("Opportunity")]
            assert set(roles_of(harness, opportunity)) == {ADA, ADDRESS}
            assert len(contacts_with(harness, ADDRESS)) == 1
            assert_quiet(harness)
