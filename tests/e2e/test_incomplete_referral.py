"""A referral with three contacts, no closing date and no address becomes an opportunity that a seller works on."""

import pytest

from tests.e2e.world import LogEvents, World
from tests.portal_bodies.bodies import raw_values

pytestmark = pytest.mark.slow


def test_an_incomplete_referral_arrives_and_its_default_day_never_returns(world: World, log_events: LogEvents) -> None:
    partner, salesforce = world.systems.partner_center, world.systems.salesforce
    referral = partner.microsoft_sends()
    partner.register_events(f"{world.host.url}/api/events")
    address = {"addressLine1": None, "city": "", "state": None, "country": "Great Britain", "region": None}
    lacking = {"/details/closingDateTime": None, "/customerProfile/address": address}
    partner.raw_patch(referral, {**raw_values("several_contacts"), **lacking})
    world.wait_for_events()
    deal = world.opportunities_by_referral()[referral]

    roles = [role for role in salesforce.records("OpportunityContactRole") if role["OpportunityId"] == deal["Id"]]
    names = [(salesforce.record("Contact", role["ContactId"])["LastName"], role["IsPrimary"]) for role in roles]
    assert names == [("Lind", True), ("Bo", False), ("desk@lucerne.example", False)]
    assert "has no closing date" in deal["Audit__c"]
    assert "country Great Britain was read as GB" in deal["Audit__c"]
    codes = [event["code"] for event in log_events.events_named("referral_incomplete")]
    assert codes == ["country_name", "no_address", "no_closing"]

    world.let_records_rest()
    partner.portal_edits(referral, [{"op": "replace", "path": "/status", "value": "Active"},
                                    {"op": "replace", "path": "/substatus", "value": "Accepted"}])  # fmt: skip
    world.wait_for_events()
    salesforce.edit("Opportunity", deal["Id"], {"NextStep": "Call", "Amount": 4711})
    world.host.run_now("push_opportunities")
    world.wait_for_events()
    details = partner.referral(referral)["details"]
    assert (details["dealValue"], details["closingDateTime"]) == (4711, None)
    assert salesforce.record("Opportunity", deal["Id"])["Sync_Status__c"] == "Synced with differences"
