"""What becomes of an opportunity into which people converted a Lead (docs/protocol.md#leads)."""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, opportunity_of
from tests.unit.sync.lead_deals import TICKED, accept_lead, arrived_lead, convert, leads

__all__ = ["leads"]


def test_a_lead_whose_opportunity_was_deleted_gets_another_once_it_is_accepted(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    converted = convert(leads, record, "My deal")
    leads.salesforce.delete("Opportunity", converted)
    accept_lead(leads, referral)
    leads.pull_event(referral)
    leads.run_rounds()
    deal = opportunity_of(leads, referral)
    assert deal["Id"] != converted
    assert leads.count_in_audit(deal["Id"], "This deal was a lead before") == 1
    assert_quiet(leads)


def test_a_declined_lead_lets_the_ticked_opportunity_be_a_deal_of_its_own(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    deal = convert(leads, record, "My deal")
    leads.seller_edits(deal, **TICKED)
    leads.run_rounds()
    assert [each["id"] for each in leads.our_referrals()] == [referral]
    leads.colleague_edits(referral, status="Closed", substatus="Declined", statusReason="Other")
    leads.pull_event(referral)
    leads.run_rounds()
    assert leads.referral_of(deal)["id"] != referral
    assert leads.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(leads)
