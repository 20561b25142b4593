"""Salesforce ignores, changes or refuses a value of a pull, or an inbound deal is not answered yet.

Sources: docs/protocol.md#confirmed-means-seen, docs/protocol.md#rejected-writes, docs/protocol.md#states-of-a-link.
"""

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import add_flow, arrived_deal, assert_quiet, watch_saves


@pytest.fixture
def pair(harness: Harness) -> tuple[str, str]:
    """The ids of an opportunity and its referral, with nothing left to do."""
    deal = harness.shared_deal()
    return deal, harness.referral_of(deal)["id"]


# --- values that Salesforce ignores or changes ------------------------------------------------------------------------


def test_an_amount_that_line_items_decide_is_refused_and_reported_once_and_not_pushed_back(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    org = harness.salesforce.org
    org.update("Opportunity", deal, {"HasOpportunityLineItem": True}, harness.salesforce.seller, system=True)
    harness.colleague_edits(referral, details_dealValue=12000, details_notes="Written nevertheless")
    harness.pull_event(referral)
    harness.run_rounds()
    assert harness.opportunity(deal)["Amount"] == 10000
    assert harness.opportunity(deal)["Description"] == "Written nevertheless"
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 12000
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, 'Amount "12000.00 USD" was written, but Salesforce kept "10000.00 USD"') == 1
    assert not harness.count_in_audit(deal, "→ 12000.00 USD")
    assert_quiet(harness)


def test_only_another_value_is_written_after_an_ignored_one_and_restores_the_mark(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    add_flow(harness, Amount=10000.0)
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral)
    harness.run_rounds(1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    harness.clear_faults()
    harness.colleague_edits(referral, details_notes="Unrelated")
    harness.pull_event(referral)
    assert harness.opportunity(deal)["Amount"] == 10000
    harness.colleague_edits(referral, details_dealValue=12500)
    harness.pull_event(referral)
    harness.run_rounds(1)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Sync_Status__c"]) == (
        12500,
        "Synced",
    )
    assert_quiet(harness)


def test_a_value_that_automation_changes_on_save_goes_back_to_partner_center(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    add_flow(harness, Description="tidied up")
    harness.colleague_edits(referral, details_notes="Untidy")
    harness.pull_event(referral)
    harness.run_rounds()
    assert (
        harness.opportunity(deal)["Description"]
        == harness.partner_center.referral(referral)["details"]["notes"]
        == "tidied up"
    )
    assert not harness.count_in_audit(deal, "both sides")
    assert_quiet(harness)


# --- values that Salesforce refuses -----------------------------------------------------------------------------------


def test_an_opportunity_that_a_validation_rule_refuses_is_parked_with_code_and_field(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate")
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    harness.pull_event(referral)
    link = harness.stored_link(deal)
    assert link.state is State.PARKED
    assert link.cause is not None
    assert (link.cause.code, link.cause.field) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "CloseDate")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, "Not so.") == 1
    assert_quiet(harness)


def test_a_refused_value_arrives_within_an_hour_of_the_mend(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate")
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    harness.pull_event(referral)
    harness.push()
    harness.clear_faults()
    saves = watch_saves(harness)
    harness.push(after=10 * MINUTE)
    assert saves == [], "nothing has changed, and the hour is not over"
    harness.push(after=HOUR)
    assert (harness.opportunity(deal)["CloseDate"], harness.opportunity(deal)["Sync_Status__c"]) == (
        "2027-01-31",
        "Synced",
    )
    assert harness.stored_link(deal).state is State.LIVE
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_refused_value_is_written_again_at_each_change_of_either_side(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate", times=2)
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    harness.pull_event(referral)
    harness.advance_time(1.0)
    harness.partner_center.raw_patch(referral, {"/favorite": True})
    harness.pull_event(referral)
    assert harness.opportunity(deal)["CloseDate"] == "2026-12-31"
    harness.advance_time(1.0)
    harness.seller_edits(deal, NextStep="The reason is filled in now")
    harness.push()
    assert (harness.opportunity(deal)["CloseDate"], harness.opportunity(deal)["Sync_Status__c"]) == (
        "2027-01-31",
        "Synced",
    )


def test_a_won_deal_that_a_rule_refused_arrives_once_the_rule_is_met(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("StageName")
    harness.colleague_edits(referral, status="Closed", substatus="Won")
    harness.sweep()
    harness.run_rounds()
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    harness.clear_faults()
    harness.run_rounds(4)
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.partner_center.referral(referral)["substatus"] == "Won"


def test_a_refusal_that_lasts_is_told_once_with_both_values(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate")
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    harness.pull_event(referral)
    harness.run_rounds(20)
    sentence = 'Close Date "2027-01-31" was not carried over: Salesforce refused it and keeps "2026-12-31". Not so.'
    assert harness.count_in_audit(deal, f"Not synced: {sentence}") == harness.count_in_audit(deal, "Not so.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_quiet(harness)


def test_several_refusals_that_last_are_told_once_each(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate")
    harness.refuse_writes_of("Description")
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z", details_notes="Signed.")
    harness.pull_event(referral)
    harness.run_rounds(20)
    assert harness.count_in_audit(deal, "Not so.") == 2
    assert_quiet(harness)


def test_a_column_that_cannot_be_written_does_not_stop_the_others(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("Amount")
    harness.colleague_edits(
        referral,
        details_dealValue=12000,
        details_closingDateTime="2027-01-31T00:00:00Z",
        details_notes="Please call",
        status="Closed",
        substatus="Won",
    )
    harness.pull_event(referral)
    opportunity = harness.opportunity(deal)
    assert [opportunity[name] for name in ("Amount", "CloseDate", "Description", "StageName")] == [
        10000,
        "2027-01-31",
        "Please call",
        "Closed Won",
    ]
    assert harness.count_in_audit(deal, 'Amount "12000.00 USD" was not carried over') == 1
    assert harness.count_in_audit(deal, "From Partner Center: Close Date 2026-12-31 → 2027-01-31") == 1
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_quiet(harness)


def test_a_hidden_field_of_ours_does_not_stop_a_value(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("Audit__c")
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral)
    assert harness.opportunity(deal)["Amount"] == 12000
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.count_in_audit(deal, "From Partner Center: Amount 10000.00 USD → 12000.00 USD") == 1
    assert_quiet(harness)


def test_an_edit_before_a_value_is_written_alone_is_read_and_the_value_follows_at_the_next_push(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.refuse_writes_of("Audit__c")
    harness.colleague_edits(referral, details_dealValue=12000)
    worker = harness.new_instance()

    def edit() -> None:
        harness.advance_time(2)
        harness.seller_edits(deal, NextStep="Call again")

    worker.process.interrupt_at("salesforce.update_unmodified", edit, skip=1)
    worker.pull_event(referral)
    worker.push()
    opportunity = harness.opportunity(deal)
    assert (opportunity["Amount"], opportunity["NextStep"]) == (12000, "Call again")


def test_a_parked_pair_still_sends_the_sellers_edits(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.refuse_writes_of("CloseDate")
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    harness.pull_event(referral)
    harness.seller_edits(deal, Amount=15000)
    harness.run_rounds(1)
    details = harness.partner_center.referral(referral)["details"]
    assert details["dealValue"] == 15000
    assert details["closingDateTime"][:10] == "2027-01-31"
    assert harness.count_in_audit(deal, "Not so.") == 1


def test_a_locked_opportunity_goes_to_the_retry_queue_and_is_not_parked(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.lock_record(deal, times=2)
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral)
    assert harness.stored_link(deal).state is State.LIVE
    assert [(entry.key, entry.cause) for entry in harness.retry_entries(Side.PARTNER_CENTER)] == [(referral, "locked")]
    harness.push(HOUR)
    harness.push(HOUR)
    assert harness.opportunity(deal)["Amount"] == 12000
    assert_quiet(harness)


def test_one_refused_opportunity_does_not_affect_the_others_of_its_composite(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.push_until_quiet()
    harness.refuse_writes_of("CloseDate", deals[1])
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-31T00:00:00Z")
    harness.sweep()
    assert [harness.opportunity(deal)["CloseDate"] for deal in deals] == [
        "2027-01-31",
        "2026-12-31",
        "2027-01-31",
    ]
    assert [harness.stored_link(deal).state for deal in deals] == [State.LIVE, State.PARKED, State.LIVE]


# --- inbound deals without an answer, and closed deals ----------------------------------------------------------------


def test_a_sellers_edits_before_the_accept_wait_and_are_reported_once(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Amount=31000, Description="Our own words")
    harness.run_rounds()
    details = harness.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["notes"]) == (25000, "Wants a pilot before summer.")
    assert harness.count_in_audit(deal, 'Amount "31000.00 EUR" was not sent: the deal is not accepted yet') == 1
    assert harness.count_in_audit(deal, 'Description "Our own words" was not sent: the deal is not accepted yet') == 1
    assert_quiet(harness)


def test_a_sellers_waiting_edits_are_sent_once_a_colleague_accepts_in_the_portal(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Amount=31000, Description="Our own words")
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    details = harness.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["notes"]) == (31000, "Our own words")
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Sync_Status__c"]) == (
        "Qualification",
        "Synced",
    )
    assert harness.stored_link(deal).state is State.LIVE
    harness.run_rounds(1)
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_changes_from_microsoft_arrive_before_the_accept(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/dealValue": 26000, "/details/notes": "Second thoughts"})
    harness.pull_event(referral)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        26000,
        "Second thoughts",
    )
    assert harness.opportunity(deal)["StageName"] == "On Hold"
    assert_quiet(harness)


def test_a_deal_declined_in_the_portal_is_closed_lost_and_keeps_the_sellers_values(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Amount=31000)
    harness.run_rounds(1)
    harness.colleague_edits(referral, status="Closed", substatus="Declined")
    harness.pull_event(referral)
    harness.run_rounds()
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Amount"]) == (
        "Closed Lost",
        31000,
    )
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 25000
    assert_quiet(harness)


def test_a_reopened_opportunity_of_a_closed_deal_is_reported_once(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, status="Closed", substatus="Won")
    harness.pull_event(referral)
    harness.seller_edits(deal, StageName="Negotiation/Review", Amount=1)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["substatus"] == "Won"
    assert harness.opportunity(deal)["StageName"] == "Negotiation/Review"
    assert harness.count_in_audit(deal, 'Stage "Active/Accepted" was not sent: the deal is closed') == 1
    assert harness.count_in_audit(deal, 'Amount "1.00 USD" was not sent: the deal is closed') == 1
    assert_quiet(harness)
