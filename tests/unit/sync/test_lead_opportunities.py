"""Leads arrive as opportunities, which follow Partner Center and are never sent (docs/protocol.md#leads)."""

from copy import replace

from shared.domain.leads import Leads
from shared.domain.plan_lead import ACCEPTED_LEAD, OPEN_LEAD
from shared.sync.ports import RECONCILED
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, opportunities_of, opportunity_of
from tests.unit.sync.lead_deals import accept_lead, customer_asks, lead_opportunities, salesforce_leads
from tests.unit.sync.owned_deals import BERT, DEFAULT_OWNER, org_with_owners, user_id

__all__ = ["lead_opportunities"]
HELP = "General or Other"


def arrived(harness: Harness) -> tuple[str, str]:
    """A lead that has become an opportunity, with nothing left to do. Returns the ids of both."""
    referral = customer_asks(harness, details={"closingDateTime": "2027-03-15T00:00:00Z"})
    harness.pull_event(referral)
    harness.push_until_quiet()
    return referral, str(opportunity_of(harness, referral)["Id"])


def test_a_lead_arrives_as_an_opportunity_that_is_not_ticked(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    record = lead_opportunities.salesforce.record("Opportunity", deal)
    assert record["Sync_with_Partner_Center__c"] is False
    assert (record["Name"], record["Sync_Status__c"]) == ("Robots for the harbour", "Synced")
    assert record["Answer_By__c"] is None
    assert "AzureMarketplace. The customer asked for: Contact me. Solutions: Contoso Ledger" in record["Audit__c"]
    assert lead_opportunities.stored_link(deal).lead == OPEN_LEAD
    assert salesforce_leads(lead_opportunities) == []
    assert referral in record["Referral_Link__c"]


def test_a_known_lead_costs_no_call_in_a_sweep(lead_opportunities: Harness) -> None:
    arrived(lead_opportunities)
    lead_opportunities.sweep()
    lead_opportunities.forget_calls()
    lead_opportunities.sweep()
    assert lead_opportunities.new_calls() == {"partner_center.list": 1}


def test_a_change_in_partner_center_reaches_the_opportunity(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    lead_opportunities.colleague_edits(referral, details_notes="We need thirteen.")
    lead_opportunities.pull_event(referral)
    assert lead_opportunities.salesforce.record("Opportunity", deal)["Description"] == "We need thirteen."


def test_an_edit_of_a_seller_is_told_once_and_is_sent_once_the_lead_is_accepted(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    before = lead_opportunities.partner_center.referral(referral)
    lead_opportunities.seller_edits(deal, Amount=777)
    lead_opportunities.run_rounds()
    assert lead_opportunities.partner_center.referral(referral) == before
    record = lead_opportunities.salesforce.record("Opportunity", deal)
    assert record["Audit__c"].count("because this is a lead there") == 1
    assert record["Sync_Status__c"] == "Synced with differences"
    accept_lead(lead_opportunities, referral)
    lead_opportunities.pull_event(referral)
    lead_opportunities.run_rounds()
    assert lead_opportunities.partner_center.referral(referral)["details"]["dealValue"] == 777
    record = lead_opportunities.salesforce.record("Opportunity", deal)
    assert (record["Sync_with_Partner_Center__c"], record["Sync_Status__c"]) == (True, "Synced")
    assert "This lead was accepted in Partner Center." in record["Audit__c"]
    assert lead_opportunities.stored_link(deal).lead is None
    assert_quiet(lead_opportunities)


def test_a_stage_that_would_accept_a_deal_is_not_sent_of_a_lead(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    lead_opportunities.seller_edits(deal, StageName="Prospecting")
    lead_opportunities.run_rounds()
    assert lead_opportunities.partner_center.referral(referral)["status"] == "New"
    assert "because this is a lead there" in lead_opportunities.salesforce.record("Opportunity", deal)["Audit__c"]


def test_a_seller_who_ticks_a_lead_or_asks_for_help_is_told_once_and_nothing_is_sent(
    lead_opportunities: Harness,
) -> None:
    _, deal = arrived(lead_opportunities)
    before = lead_opportunities.partner_center.referrals()
    lead_opportunities.seller_edits(deal, Sync_with_Partner_Center__c=True, How_can_Microsoft_help__c=HELP)
    lead_opportunities.run_rounds(after=HOUR)
    assert lead_opportunities.partner_center.referrals() == before
    audit = lead_opportunities.salesforce.record("Opportunity", deal)["Audit__c"]
    assert audit.count("so nothing is sent, whether or not Sync with Partner Center is ticked") == 1


def test_a_lead_that_is_declined_in_partner_center_closes_its_opportunity(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    lead_opportunities.colleague_edits(referral, status="Closed", substatus="Declined", statusReason="Not a customer")
    lead_opportunities.pull_event(referral)
    lead_opportunities.run_rounds()
    assert lead_opportunities.salesforce.record("Opportunity", deal)["IsClosed"] is True
    assert_quiet(lead_opportunities)


def test_a_lead_that_is_accepted_before_it_is_seen_is_a_deal_at_once(lead_opportunities: Harness) -> None:
    referral = customer_asks(lead_opportunities)
    accept_lead(lead_opportunities, referral)
    assert lead_opportunities.pull_event(referral) == RECONCILED
    record = opportunity_of(lead_opportunities, referral)
    assert record["Sync_with_Partner_Center__c"] is True
    assert lead_opportunities.stored_link(record["Id"]).lead is None


def test_the_tick_of_an_accepted_lead_is_set_by_the_next_run_if_one_stops_before(lead_opportunities: Harness) -> None:
    referral, deal = arrived(lead_opportunities)
    entry = lead_opportunities.store.link(deal)
    assert entry is not None
    accept_lead(lead_opportunities, referral)
    lead_opportunities.refuse_writes_of("Sync_with_Partner_Center__c", times=1)
    lead_opportunities.pull_event(referral)
    assert lead_opportunities.stored_link(deal).lead == ACCEPTED_LEAD
    lead_opportunities.run_rounds(after=HOUR)
    assert lead_opportunities.salesforce.record("Opportunity", deal)["Sync_with_Partner_Center__c"] is True
    assert len(opportunities_of(lead_opportunities, referral)) == 1


def test_the_owner_of_a_lead_is_told_to_answer_it_in_partner_center() -> None:
    with org_with_owners(DEFAULT_OWNER) as harness:
        harness.scope = replace(harness.scope, leads=Leads.OPPORTUNITY)
        harness.first = harness.new_instance()
        referral = customer_asks(harness)
        harness.pull_event(referral)
        harness.run_rounds(1)
        (notice,) = harness.salesforce.org.notifications
        assert "It is a lead, and read-only here." in notice["body"]
        assert opportunity_of(harness, referral)["OwnerId"] == user_id(harness, BERT)
