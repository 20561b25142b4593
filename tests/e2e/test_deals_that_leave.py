"""What people see of a deal that is un-ticked or deleted, and comes back (docs/protocol.md#states-of-a-link)."""

import pytest

from tests.e2e.world import World

TICK = "Sync_with_Partner_Center__c"


def push(world: World) -> None:
    """Each rare query of the poll has its turn."""
    world.let_records_rest()
    for _ in range(2):
        world.host.run_now("push_opportunities")


@pytest.mark.slow
def test_a_seller_sees_that_an_unticked_deal_is_not_synced_and_the_inbox_that_a_deleted_one_is_open(
    world: World,
) -> None:
    salesforce = world.systems.salesforce
    deal = world.seller_creates()
    push(world)
    referral = salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    salesforce.edit("Opportunity", deal, {TICK: False})
    push(world)
    record = salesforce.record("Opportunity", deal)
    assert record["Sync_Status__c"] is None
    assert "is not ticked any more, so nothing is synced" in record["Audit__c"]
    salesforce.edit("Opportunity", deal, {TICK: True, "Amount": 4321})
    push(world)
    assert salesforce.record("Opportunity", deal)["Sync_Status__c"] == "Synced"
    assert world.systems.partner_center.referral(referral)["details"]["dealValue"] == 4321
    salesforce.delete("Opportunity", deal)
    push(world)
    (shown,) = salesforce.records("Cosell_Inbox__c")
    assert (shown["Code__c"], referral in shown["Link__c"]) == ("opportunity_deleted", True)
    assert world.systems.partner_center.referral(referral)["status"] == "Active"
    salesforce.undelete("Opportunity", deal)
    push(world)
    assert salesforce.records("Cosell_Inbox__c") == []
    assert "This opportunity was deleted" in salesforce.record("Opportunity", deal)["Audit__c"]
