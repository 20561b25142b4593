"""Leads arrive in Salesforce in the form that the setting chooses, and become deals once they are accepted."""

import pytest

from emulators.salesforce.lead_conversion import convert_lead
from local.systems import USERNAME
from tests.e2e.world import LogEvents, World
from tests.unit.emulators.salesforce.control_calls import control

pytestmark = pytest.mark.slow

ADA = {"firstName": "Ada", "lastName": "Lind", "email": "ada.lind@fabrikam.example", "phoneNumber": "+4512345678"}
SETS = ("Cosell_Integration", "Cosell_Leads_Integration")


def give_integration_user(world: World, *names: str) -> None:
    """Let the integration user have the rights of these permission sets only."""
    control(world.systems.salesforce, "permission_sets", username=USERNAME, names=list(names))


def customer_asks(world: World) -> str:
    """A lead arrives, and its event is worked. Returns the referral's id."""
    customer = {"name": "Fabrikam Robotics", "team": [ADA]}
    referral = world.systems.partner_center.customer_asks(name="Robots for the harbour", customerProfile=customer)
    world.wait_for_events()
    world.host.run_now("sweep_referrals")
    return referral


def accept(world: World, referral: str) -> None:
    """A colleague accepts a lead in the portal; the event and what follows are worked."""
    patch = [
        {"op": "replace", "path": "/status", "value": "Active"},
        {"op": "replace", "path": "/substatus", "value": "Accepted"},
    ]
    world.let_records_rest()
    world.systems.partner_center.portal_edits(referral, patch)
    world.wait_for_events()
    world.host.run_now("sweep_referrals")
    world.host.run_now("push_opportunities")


def test_a_lead_arrives_as_a_lead_and_its_conversion_becomes_the_deal(
    world: World, monkeypatch: pytest.MonkeyPatch, log_events: LogEvents
) -> None:
    monkeypatch.setenv("LEADS", "lead")
    give_integration_user(world, *SETS)
    org, referral = world.systems.salesforce, customer_asks(world)
    (lead,) = org.records("Lead")
    assert (lead["LastName"], lead["LeadSource"]) == ("Lind", "AzureMarketplace")
    assert lead["Referral_Identifier__c"] == referral
    assert "Requested: Contact me" in lead["Description"]
    assert "This is a lead of Partner Center" in lead["Audit__c"]
    assert [event["outcome"] for event in log_events.events_named("lead_followed")] == ["created"]

    deal = convert_lead(org, lead["Id"], "Robots")["deal"]
    accept(world, referral)
    record = world.opportunities_by_referral()[referral]
    assert (record["Id"], record["Sync_with_Partner_Center__c"]) == (deal, True)
    assert len(org.records("Opportunity")) == 1


def test_a_lead_arrives_as_an_opportunity_and_is_sent_only_once_it_is_accepted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADS", "opportunity")
    org, referral = world.systems.salesforce, customer_asks(world)
    record = world.opportunities_by_referral()[referral]
    assert record["Sync_with_Partner_Center__c"] is False
    org.edit("Opportunity", record["Id"], {"Amount": 777})
    world.host.run_now("push_opportunities")
    assert world.systems.partner_center.referral(referral)["details"]["dealValue"] is None
    assert "because this is a lead there" in org.record("Opportunity", record["Id"])["Audit__c"]

    accept(world, referral)
    assert world.systems.partner_center.referral(referral)["details"]["dealValue"] == 777
    assert org.record("Opportunity", record["Id"])["Sync_with_Partner_Center__c"] is True


def test_without_the_permission_set_a_lead_waits_in_the_inbox(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADS", "lead")
    give_integration_user(world, "Cosell_Integration")
    referral = customer_asks(world)
    (item,) = world.systems.salesforce.records("Cosell_Inbox__c")
    assert item["Key__c"] == referral
    assert "no field Referral_Identifier__c on Lead" in item["Cause__c"]
    assert world.systems.salesforce.records("Lead") == []
