"""Once both sides agree that a deal is closed, no value travels any more (docs/protocol.md#states-of-a-link)."""

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal

NOT_SENT = "was not sent: the deal is closed in Partner Center"
CLONE = "clone the opportunity"


def closed_deal(harness: Harness, stage: str = "Closed Won") -> str:
    """A deal that its seller closed, and that both sides have as closed."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName=stage)
    harness.push()
    harness.push(3 * MINUTE)
    harness.push(HOUR)
    harness.forget_calls()
    return deal


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_a_deal_that_both_sides_closed_is_closed_and_its_polls_read_nothing(harness: Harness, stage: str) -> None:
    deal = closed_deal(harness, stage)
    assert (harness.stored_link(deal).state, harness.opportunity(deal)["Sync_Status__c"]) == (State.CLOSED, "Synced")
    harness.push()
    harness.sweep()
    assert harness.new_calls() == {"salesforce.query": 1, "partner_center.list": 1}


def test_an_edit_after_the_close_is_told_once_with_the_remedy_and_without_a_call_to_partner_center(
    harness: Harness,
) -> None:
    deal = closed_deal(harness)
    harness.seller_edits(deal, Amount=777)
    harness.run_rounds()
    assert harness.count_in_audit(deal, f'Amount "777.00 USD" {NOT_SENT}') == 1
    assert harness.count_in_audit(deal, CLONE) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert not {"partner_center.get", "partner_center.patch"} & harness.new_calls().keys()
    harness.seller_edits(deal, Amount=10000)
    harness.push()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_reopened_opportunity_stays_open_and_is_told_once(harness: Harness) -> None:
    deal = closed_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    assert (harness.count_in_audit(deal, NOT_SENT), harness.count_in_audit(deal, CLONE)) == (1, 1)
    assert (harness.stored_link(deal).state, harness.referral_of(deal)["status"]) == (State.CLOSED, "Closed")


def test_a_referral_that_microsoft_reopens_and_edits_is_told_once_and_not_carried_over(harness: Harness) -> None:
    deal = closed_deal(harness)
    referral, before = harness.referral_of(deal)["id"], harness.opportunity(deal)
    reopened = {"/status": "Active", "/substatus": "Accepted", "/details/dealValue": 5.0}
    harness.partner_center.raw_patch(referral, reopened)
    harness.pull_event(referral)
    harness.run_rounds()
    after = harness.opportunity(deal)
    assert (after["StageName"], after["Amount"]) == (before["StageName"], before["Amount"])
    assert harness.count_in_audit(deal, 'Amount was changed to "5.00 USD" in Partner Center after') == 1
    assert harness.count_in_audit(deal, 'Stage was changed to "Active/Accepted" in Partner Center after') == 1
    assert harness.referral_of(deal)["status"] == "Active"
    assert after["Sync_Status__c"] == "Synced with differences"


def test_a_colleagues_close_meets_an_edit_that_waits_and_the_rest_is_on_record(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=777, StageName="Closed Lost")
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Won")
    harness.push()
    harness.push(HOUR)
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
    assert (harness.stored_link(deal).state, harness.referral_of(deal)["details"]["dealValue"]) == (State.CLOSED, 10000)
    assert harness.count_in_audit(deal, f'Amount "777.00 USD" {NOT_SENT}') == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"


def test_a_deal_whose_stage_salesforce_refuses_is_not_closed_before_it_is_taken(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("StageName", deal)
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.sweep()
    assert harness.stored_link(deal).state is State.PARKED
    harness.clear_faults()
    harness.push(HOUR + MINUTE)
    assert (harness.opportunity(deal)["StageName"], harness.stored_link(deal).state) == ("Closed Lost", State.CLOSED)


def test_a_closed_deal_that_is_unticked_is_closed_again_once_it_is_ticked(harness: Harness) -> None:
    deal = closed_deal(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push()
    assert (harness.stored_link(deal).state, harness.opportunity(deal)["Sync_Status__c"]) == (State.PAUSED, None)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=777)
    harness.push()
    assert harness.stored_link(deal).state is State.CLOSED
    assert harness.count_in_audit(deal, f'Amount "777.00 USD" {NOT_SENT}') == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_an_edit_that_a_declined_deal_kept_is_forgotten_once_it_is_taken_back(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    agreed = harness.opportunity(deal)["CloseDate"]
    harness.seller_edits(deal, CloseDate="2027-04-01")
    harness.run_rounds(1)
    harness.seller_edits(deal, StageName="Closed Lost", Closing_Reason__c="Others")
    harness.run_rounds(3)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.seller_edits(deal, CloseDate=agreed)
    harness.run_rounds(1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
