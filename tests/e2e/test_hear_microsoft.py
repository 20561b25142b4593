"""A related event reaches the opportunity through the webhook, the queue and the function."""

from tests.e2e.world import LogEvents, World

CONTACT = {"FirstName": "Ada", "LastName": "Lind", "Email": "ada@northwind.example", "Phone": "+12065550100"}


def asked_deal(world: World) -> tuple[str, str, str]:
    """A deal for which a colleague asked Microsoft: the ids of opportunity, engagement and Microsoft's record."""
    partner_center, salesforce = world.systems.partner_center, world.systems.salesforce
    deal = world.seller_creates()
    account = salesforce.record("Opportunity", deal)["AccountId"]
    contact = salesforce.insert("Contact", {**CONTACT, "AccountId": account})
    salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
    world.host.run_now("push_opportunities")
    referral = salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    theirs = partner_center.portal_asks_for_help(referral)
    return deal, theirs["engagementId"], theirs["id"]


def test_an_acceptance_by_microsoft_is_on_the_page_once_its_event_is_handled(
    world: World, log_events: LogEvents
) -> None:
    partner_center = world.systems.partner_center
    deal, engagement, theirs = asked_deal(world)
    world.post_event(*partner_center.signed_event(theirs, "related-referral-created"))
    world.wait_for_events()
    assert world.systems.salesforce.record("Opportunity", deal)["Microsoft_Status__c"] == "Asked"

    partner_center.microsoft_accepts(engagement, msx_id="7-1")
    world.post_event(*partner_center.signed_event(theirs, "related-referral-updated"))
    world.wait_for_events()
    record = world.systems.salesforce.record("Opportunity", deal)
    assert (record["Microsoft_Status__c"], record["Microsoft_CRM_Identifier__c"]) == ("Accepted", "7-1")
    assert record["Microsoft_Seller__c"] == "Microsoft Seller"
    assert "Microsoft has accepted this deal" in record["Audit__c"]
    assert [event["referral_id"] for event in log_events.events_named("related_referral_heard")] == [theirs] * 2


def test_a_related_event_of_nobodys_deal_is_logged_and_makes_no_opportunity(
    world: World, log_events: LogEvents
) -> None:
    unknown = "11111111-0000-4000-8000-000000000000"
    world.post_event(*world.systems.partner_center.signed_event(unknown, "related-referral-updated"))
    world.wait_for_events()
    assert [event["reason"] for event in log_events.events_named("related_referral_ignored")] == ["not_readable"]
    assert world.systems.salesforce.records("Opportunity") == []
