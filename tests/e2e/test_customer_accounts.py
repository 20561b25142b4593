"""Which account a deal gets in a real org: with the standard duplicate rules, twins, and person accounts.

The integration user has no rights but those of our permission set.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from local.systems import complete_opportunity
from shared.app import app
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.e2e.world import World
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.inbound_deals import CUSTOMER

pytestmark = pytest.mark.slow

FAR = datetime.max.replace(tzinfo=UTC)
PLACE = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "DK"}


@pytest.fixture
def strict(world: World) -> World:
    """The world with an org as Salesforce makes it: with duplicate rules, and a user with few rights."""
    org = world.systems.salesforce
    control(org, "duplicate_rules")
    control(org, "permission_sets", username="integration@contoso.example", names=["Cosell_Integration"])
    world.systems.partner_center.register_events(f"{world.host.url}/api/events")
    return world


def microsoft_sends(world: World, **customer: object) -> str:
    """Microsoft sends a deal of Fabrikam Robotics, and its event is applied. Returns the referral's id."""
    referral = world.systems.partner_center.microsoft_sends(customerProfile={**CUSTOMER, **customer})
    world.wait_for_events()
    return referral


def arrive(world: World, **customer: object) -> dict[str, Any]:
    """The opportunity of a deal that Microsoft sends."""
    referral = microsoft_sends(world, **customer)
    return world.opportunities_by_referral()[referral]


def retry(world: World) -> None:
    """Let the hour until the next try pass, and run the minute timer."""
    for entry in app().store.retry_entries(Side.PARTNER_CENTER, FAR, 100):
        app().store.put_retry_entry(RetryEntry(entry.side, entry.key, datetime.now(UTC), entry.cause, entry.attempts))
    world.host.run_now("push_opportunities")


def records(world: World, sobject: str) -> list[dict[str, Any]]:
    return [dict(record) for record in world.systems.salesforce.records(sobject)]


def test_a_deal_takes_the_account_that_a_duplicate_rule_names_and_saves_the_contact_beside_a_lead(
    strict: World,
) -> None:
    org = strict.systems.salesforce
    known = org.insert("Account", {"Name": "Fabrikam Robotics Ltd.", **PLACE})
    person: Any = CUSTOMER["team"]
    lead = {"FirstName": "Ada", "LastName": "Lind", "Email": person[0]["email"], "Company": "Fabrikam"}
    org.insert("Lead", lead)
    deal = arrive(strict)
    assert deal["AccountId"] == known
    assert "The one that it found is used: Fabrikam Robotics Ltd." in deal["Audit__c"]
    assert "The contact Ada Lind is new, although a duplicate rule found similar records" in deal["Audit__c"]
    assert [contact["AccountId"] for contact in records(strict, "Contact")] == [known]


def test_a_deal_that_no_account_surely_fits_waits_in_the_inbox_and_arrives_once_mended(strict: World) -> None:
    org = strict.systems.salesforce
    twins = [org.insert("Account", {"Name": f"Fabrikam Robotics {form}", **PLACE}) for form in ("Ltd.", "A/S")]
    referral = microsoft_sends(strict)
    assert strict.opportunities_by_referral() == {}
    (shown,) = records(strict, "Cosell_Inbox__c")
    assert (shown["Code__c"], shown["Matches__c"]) == ("account_candidates", ", ".join(twins))
    assert "give the right one this name and country" in shown["Remedy__c"]
    org.edit("Account", twins[1], {"Name": "Fabrikam Robotics"})
    retry(strict)
    assert strict.opportunities_by_referral()[referral]["AccountId"] == twins[1]
    assert records(strict, "Cosell_Inbox__c") == []
    assert len(records(strict, "Account")) == 2


def test_three_deals_of_twins_make_no_further_account(strict: World) -> None:
    org = strict.systems.salesforce
    oldest = org.insert("Account", {"Name": "Fabrikam Robotics", **PLACE})
    org.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK", "Website": "https://other.example"})
    for _ in range(3):
        deal = arrive(strict)
        assert deal["AccountId"] == oldest
        assert "2 accounts match the customer. This one has the same address." in deal["Audit__c"]
    assert len(records(strict, "Account")) == 2
    assert len(records(strict, "Contact")) == 1


def test_a_person_account_is_the_customer_both_ways(strict: World) -> None:
    org, partner = strict.systems.salesforce, strict.systems.partner_center
    person = control(org, "person_accounts", default=True).json()["person"]
    values = {"FirstName": "Anna", "LastName": "Vogel", "Phone": "+4512345678", "PersonEmail": "anna@vogel.example"}
    account = org.insert("Account", {**values, **PLACE, "RecordTypeId": person})
    contact = {"firstName": "Anna", "lastName": "Vogel", "email": "anna@vogel.example", "phoneNumber": "+4512345678"}

    own = org.insert("Opportunity", complete_opportunity("Robots", account))
    for _ in range(2):
        strict.host.run_now("push_opportunities")
    sent = partner.referral(org.record("Opportunity", own)["Referral_Identifier__c"])["customerProfile"]
    assert (sent["name"], [each["email"] for each in sent["team"]]) == ("Anna Vogel", ["anna@vogel.example"])

    colleague = {**contact, "firstName": "Kim", "lastName": "Berg", "email": "kim@berg.example"}
    arrived = arrive(strict, name="Anna Vogel", team=[contact, colleague])
    assert arrived["AccountId"] == account
    assert "Left out: Kim Berg." in arrived["Audit__c"]
    (role,) = (each for each in records(strict, "OpportunityContactRole") if each["OpportunityId"] == arrived["Id"])
    assert role["ContactId"] == org.record("Account", account)["PersonContactId"]

    company = arrive(strict)
    assert org.record("Account", company["AccountId"])["IsPersonAccount"] is False
