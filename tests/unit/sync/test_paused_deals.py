"""An un-ticked deal is paused: no value travels, and it goes on from the kept base.

Source: docs/protocol.md#states-of-a-link.
"""

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal, microsoft_sends_deal, opportunity_of

TICK = "Sync_with_Partner_Center__c"
PAUSED = "Sync with Partner Center is not ticked any more"


def paused_deal(harness: Harness) -> str:
    """A deal whose seller has removed the tick, as the sync has seen."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{TICK: False})
    harness.push()
    harness.push(after=MINUTE)
    harness.forget_calls()
    return deal


def test_an_unticked_deal_is_paused_and_says_so_once_without_a_mark(harness: Harness) -> None:
    deal = paused_deal(harness)
    assert harness.stored_link(deal).state is State.PAUSED
    assert harness.opportunity(deal)["Sync_Status__c"] is None
    assert harness.count_in_audit(deal, PAUSED) == 1


def test_neither_side_of_a_paused_deal_is_written_and_nothing_is_tried_again(harness: Harness) -> None:
    deal = paused_deal(harness)
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=777)
    harness.colleague_edits(referral, details_closingDateTime="2027-03-03T00:00:00Z")
    before = harness.all_versions()
    harness.pull_event(referral)
    harness.sweep()
    assert harness.new_calls() == {"partner_center.list": 1}
    harness.run_rounds()
    assert harness.all_versions() == before
    assert [harness.retry_entries(side) for side in Side] == [[], []]


def test_edits_of_both_sides_are_merged_from_the_kept_base_once_it_is_ticked_again(harness: Harness) -> None:
    deal = paused_deal(harness)
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=777)
    harness.colleague_edits(referral, details_closingDateTime="2027-03-03T00:00:00Z")
    harness.sweep()
    harness.push()
    harness.seller_edits(deal, **{TICK: True})
    harness.push()
    assert (harness.referral_of(deal)["details"]["dealValue"], harness.opportunity(deal)["CloseDate"]) == (
        777,
        "2027-03-03",
    )
    assert (harness.stored_link(deal).state, harness.opportunity(deal)["Sync_Status__c"]) == (State.LIVE, "Synced")


def test_a_parked_deal_returns_to_its_state_and_is_told_nothing_twice(harness: Harness) -> None:
    deal = harness.shared_deal()
    refusal = Fault(FaultKind.ANSWER, method="PATCH", status=400, times=9, body='{"error":{"code":"invalid"}}')
    harness.inject_fault(Side.PARTNER_CENTER, refusal)
    harness.seller_edits(deal, Amount=777)
    harness.push()
    harness.clear_faults()
    told = harness.audit_texts(deal)
    assert harness.stored_link(deal).state is State.PARKED
    for tick in (False, True):
        harness.seller_edits(deal, **{TICK: tick})
        harness.push()
    assert (harness.stored_link(deal).state, harness.opportunity(deal)["Sync_Status__c"]) == (State.PARKED, "Failed")
    assert [text for text in harness.audit_texts(deal) if PAUSED not in text] == told


def test_an_unanswered_deal_that_is_unticked_warns_of_nothing_until_it_is_ticked_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = str(opportunity_of(harness, referral)["Id"])
    harness.seller_edits(deal, **{TICK: False})
    harness.push()
    harness.push(after=12 * 24 * HOUR)
    assert harness.stored_link(deal).state is State.PAUSED
    assert harness.first.log.fields_of("answer_due") == []
    harness.seller_edits(deal, **{TICK: True})
    harness.push()
    assert harness.stored_link(deal).state is State.ON_HOLD
    assert len(harness.first.log.fields_of("answer_due")) == 1


def test_a_paused_opportunity_that_takes_no_write_is_left_alone(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("Audit__c", deal)
    harness.refuse_writes_of("Sync_Status__c", deal)
    harness.seller_edits(deal, **{TICK: False})
    harness.push()
    assert harness.stored_link(deal).state is State.PAUSED
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_an_end_that_was_not_written_before_the_pause_is_shown_once_it_is_ticked_again(harness: Harness) -> None:
    """Only the stage that automation set was known then: it is no end that both sides have agreed on."""
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Lost"}, user=harness.salesforce.automated)
    harness.run_rounds()
    harness.colleague_edits(referral, status="Closed", substatus="Won")
    harness.seller_edits(deal, Amount=777)
    harness.push(after=0.0)  # too early to write what the seller has just saved
    harness.seller_edits(deal, **{TICK: False})
    harness.run_rounds()
    harness.seller_edits(deal, **{TICK: True})
    harness.run_rounds()
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
