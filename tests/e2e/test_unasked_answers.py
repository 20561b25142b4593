"""A stage that a flow of the org sets is not sent to Microsoft as an answer."""

import pytest

from emulators.salesforce.data.hooks import Flow
from tests.e2e.world import World

pytestmark = pytest.mark.slow


def test_a_flow_at_the_insert_answers_no_deal_and_the_seller_still_can(world: World) -> None:
    partner_center, salesforce = world.systems.partner_center, world.systems.salesforce
    salesforce.org.hooks.flows.append(Flow("Opportunity", {"StageName": "Qualification"}, on="insert"))
    referral = partner_center.microsoft_sends()
    world.post_event(*partner_center.signed_event(referral, "referral-created"))
    world.wait_for_events()
    world.let_records_rest()
    for _ in range(2):
        world.host.run_now("push_opportunities")
    opportunity = world.opportunities_by_referral()[referral]
    assert partner_center.referral(referral)["status"] == "New"
    assert (opportunity["StageName"], opportunity["Sync_Status__c"]) == ("On Hold", "Waiting")

    salesforce.edit("Opportunity", opportunity["Id"], {"StageName": "Qualification"})
    world.host.run_now("push_opportunities")
    assert partner_center.referral(referral)["status"] == "Active"


def test_a_stage_of_a_scheduled_flow_is_a_question_on_the_page(world: World) -> None:
    partner_center, salesforce = world.systems.partner_center, world.systems.salesforce
    referral = partner_center.microsoft_sends()
    world.post_event(*partner_center.signed_event(referral, "referral-created"))
    world.wait_for_events()
    opportunity = world.opportunities_by_referral()[referral]["Id"]
    salesforce.edit("Opportunity", opportunity, {"StageName": "Closed Won"}, user=salesforce.automated)
    for _ in range(2):
        world.host.run_now("push_opportunities")
    record = salesforce.record("Opportunity", opportunity)
    assert partner_center.referral(referral)["status"] == "New"
    assert (record["StageName"], record["Sync_Status__c"]) == ("Closed Won", "Failed")
    assert "Stage Closed Won may be set by automation." in record["Audit__c"]
