"""What Salesforce will not hold, and what may not leave it yet."""

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.arrivals import arrived, assert_quiet, flow, saves
from tests.unit.sync.bench import HOUR, Bench


@pytest.fixture
def pair(bench: Bench) -> tuple[str, str]:
    """An opportunity and its referral, quiet."""
    deal = bench.shared()
    return deal, bench.referral_of(deal)["id"]


# --- ignored ----------------------------------------------------------------------------------------------------------


def test_an_amount_that_line_items_decide_is_refused_told_once_and_never_pushed_back(
    bench: Bench, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    org = bench.salesforce.org
    org.update("Opportunity", deal, {"HasOpportunityLineItem": True}, bench.salesforce.seller, system=True)
    bench.colleague_edits(referral, details_dealValue=12000, details_notes="Taken all the same")
    bench.event(referral)
    bench.rounds()
    assert bench.row(deal)["Amount"] == 10000
    assert bench.row(deal)["Description"] == "Taken all the same"
    assert bench.partner_center.referral(referral)["details"]["dealValue"] == 12000
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    assert bench.told(deal, "Deal value was written, but the other system kept 10000.00 USD") == 1
    assert not bench.told(deal, "→ 12000.00 USD")
    assert_quiet(bench)


def test_another_value_is_tried_again_and_heals_the_mark(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    flow(bench, Amount=10000.0)
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.event(referral)
    bench.rounds(1)
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    bench.mend()
    bench.colleague_edits(referral, details_notes="Unrelated")
    bench.event(referral)
    assert bench.row(deal)["Amount"] == 10000
    bench.colleague_edits(referral, details_dealValue=12500)
    bench.event(referral)
    bench.rounds(1)
    assert (bench.row(deal)["Amount"], bench.row(deal)["Sync_Status__c"]) == (12500, "Synced")
    assert_quiet(bench)


def test_what_automation_makes_of_a_value_is_an_edit_on_top_of_it(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    flow(bench, Description="tidied up")
    bench.colleague_edits(referral, details_notes="Untidy")
    bench.event(referral)
    bench.rounds()
    assert bench.row(deal)["Description"] == bench.partner_center.referral(referral)["details"]["notes"] == "tidied up"
    assert not bench.told(deal, "both sides")
    assert_quiet(bench)


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_row_that_a_validation_rule_refuses_is_parked_with_its_cause(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.validation_rule("CloseDate")
    bench.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    bench.event(referral)
    link = bench.link(deal)
    assert link.state is State.PARKED
    assert link.cause is not None
    assert (link.cause.code, link.cause.field) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "CloseDate")
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    assert bench.told(deal, "Not so.") == 1
    assert_quiet(bench)


def test_it_is_not_sent_again_until_a_value_changes(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.validation_rule("CloseDate")
    bench.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    bench.event(referral)
    bench.mend()
    seen = saves(bench)
    bench.rounds()
    bench.event(referral)
    assert not any("CloseDate" in fields for fields in seen)
    assert bench.due(Side.PARTNER_CENTER) == []
    bench.colleague_edits(referral, details_closingDateTime="2027-02-28T00:00:00Z")
    bench.event(referral)
    bench.rounds(1)
    assert (bench.row(deal)["CloseDate"], bench.row(deal)["Sync_Status__c"]) == ("2027-02-28", "Synced")
    assert bench.link(deal).state is State.LIVE
    assert_quiet(bench)


def test_a_parked_pair_still_sends_what_the_seller_edits(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.validation_rule("CloseDate")
    bench.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    bench.event(referral)
    bench.seller_edits(deal, Amount=15000)
    bench.rounds(1)
    details = bench.partner_center.referral(referral)["details"]
    assert details["dealValue"] == 15000
    assert details["closingDateTime"][:10] == "2027-01-31"
    assert bench.told(deal, "Not so.") == 1


def test_a_locked_row_is_due_not_parked(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.lock(deal, times=2)
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.event(referral)
    assert bench.link(deal).state is State.LIVE
    assert [(due.key, due.cause) for due in bench.due(Side.PARTNER_CENTER)] == [(referral, "locked")]
    bench.push(HOUR)
    bench.push(HOUR)
    assert bench.row(deal)["Amount"] == 12000
    assert_quiet(bench)


def test_one_refused_row_harms_no_other_of_its_composite(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.quiet()
    bench.validation_rule("CloseDate", deals[1])
    for deal in deals:
        bench.colleague_edits(bench.referral_of(deal)["id"], details_closingDateTime="2027-01-31T00:00:00Z")
    bench.sweep()
    assert [bench.row(deal)["CloseDate"] for deal in deals] == ["2027-01-31", "2026-12-31", "2027-01-31"]
    assert [bench.link(deal).state for deal in deals] == [State.LIVE, State.PARKED, State.LIVE]


# --- on hold ----------------------------------------------------------------------------------------------------------


def test_a_sellers_edits_before_the_accept_wait_and_are_told_once(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.seller_edits(deal, Amount=31000, Description="Our own words")
    bench.rounds()
    details = bench.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["notes"]) == (25000, "Wants a pilot before summer.")
    assert bench.told(deal, 'Deal value "31000.00 EUR" was not sent: the deal is not accepted yet') == 1
    assert bench.told(deal, 'Notes "Our own words" was not sent: the deal is not accepted yet') == 1
    assert_quiet(bench)


def test_they_go_when_a_colleague_accepts_in_the_portal(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.seller_edits(deal, Amount=31000, Description="Our own words")
    bench.rounds()
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.event(referral)
    details = bench.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["notes"]) == (31000, "Our own words")
    assert (bench.row(deal)["StageName"], bench.row(deal)["Sync_Status__c"]) == ("Qualification", "Synced")
    assert bench.link(deal).state is State.LIVE
    bench.rounds(1)
    assert bench.differences(deal) == []
    assert_quiet(bench)


def test_changes_of_the_other_side_arrive_before_the_accept(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.partner_center.raw_patch(referral, {"/details/dealValue": 26000, "/details/notes": "Second thoughts"})
    bench.event(referral)
    assert (bench.row(deal)["Amount"], bench.row(deal)["Description"]) == (26000, "Second thoughts")
    assert bench.row(deal)["StageName"] == "On Hold"
    assert_quiet(bench)


def test_a_deal_declined_in_the_portal_is_lost_and_keeps_what_the_seller_wrote(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.seller_edits(deal, Amount=31000)
    bench.rounds(1)
    bench.colleague_edits(referral, status="Closed", substatus="Declined")
    bench.event(referral)
    bench.rounds()
    assert (bench.row(deal)["StageName"], bench.row(deal)["Amount"]) == ("Closed Lost", 31000)
    assert bench.partner_center.referral(referral)["details"]["dealValue"] == 25000
    assert_quiet(bench)


def test_a_reopened_opportunity_of_a_closed_deal_is_told_once(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, status="Closed", substatus="Won")
    bench.event(referral)
    bench.seller_edits(deal, StageName="Negotiation/Review", Amount=1)
    bench.rounds()
    assert bench.partner_center.referral(referral)["substatus"] == "Won"
    assert bench.row(deal)["StageName"] == "Negotiation/Review"
    assert bench.told(deal, 'Status "Active/Accepted" was not sent: the deal is closed') == 1
    assert bench.told(deal, 'Deal value "1.00 USD" was not sent: the deal is closed') == 1
    assert_quiet(bench)
