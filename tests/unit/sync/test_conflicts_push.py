"""Edits on both sides during a push: the conditional PATCH, the merge, and the lines of the audit.

Sources: docs/protocol.md#the-five-cases, docs/protocol.md#writing-to-partner-center.
"""

import json

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import AFTER_LEASE, Harness
from tests.unit.sync.inbound_deals import assert_quiet


def test_a_colleagues_edit_between_the_read_and_the_patch_is_kept_beside_the_sellers(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    closing = "2027-02-03T00:00:00Z"
    harness.first.process.interrupt_at(
        "partner_center.patch", lambda: harness.colleague_edits(referral, details_closingDateTime=closing)
    )
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.opportunity(deal)["CloseDate"] == "2027-02-03"
    assert harness.differences(deal) == []
    calls = harness.new_calls()
    assert (calls["partner_center.patch"], calls["partner_center.get"]) == (2, 1)


def test_a_colleague_who_writes_the_same_value_first_causes_no_second_patch(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    harness.first.process.interrupt_at(
        "partner_center.patch", lambda: harness.colleague_edits(referral, details_dealValue=500)
    )
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 1
    assert harness.stored_link(deal).agreed
    assert harness.differences(deal) == []


def test_a_referral_that_keeps_changing_goes_to_the_retry_queue(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    for number in range(3):
        harness.first.process.interrupt_at(
            "partner_center.patch",
            lambda number=number: harness.colleague_edits(referral, campaignId=f"C{number}"),  # type: ignore[misc]  # mypy cannot infer a default's type here
            skip=number,
        )
    harness.push()
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["referral_kept_changing"]
    assert harness.stored_link(deal).intent is None
    harness.run_rounds(1)
    assert harness.referral_of(deal)["details"]["dealValue"] == 500


def test_an_edit_made_right_after_the_patch_is_found_by_the_sweep(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    harness.first.process.interrupt_at(
        "partner_center.patch", lambda: harness.colleague_edits(referral, details_notes="Call back"), after=True
    )
    harness.push()
    harness.sweep()
    assert harness.opportunity(deal)["Description"] == "Call back"
    assert harness.referral_of(deal)["details"]["dealValue"] == 500


def test_the_fields_winner_decides_a_conflict_and_the_audit_has_the_discarded_value(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=700)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.opportunity(deal)["Amount"] == 500
    assert (
        harness.count_in_audit(deal, "Amount was changed on both sides. Kept: 500.00 USD. Discarded: 700.00 USD") == 1
    )
    assert harness.differences(deal) == []


@pytest.mark.parametrize(
    ("column", "first", "later"),
    [
        ("Marketing_Campaign_Id__c", {"campaignId": "C1"}, {"campaignId": "C2"}),
        ("Amount", {}, {"details_dealValue": 7}),
    ],
    ids=["campaign", "amount"],
)
def test_an_emptiness_that_cannot_be_sent_does_not_keep_a_later_value_out(
    harness: Harness, column: str, first: dict[str, object], later: dict[str, object]
) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    if first:
        harness.colleague_edits(referral, **first)
        harness.run_rounds()
    harness.seller_edits(deal, **{column: None})
    harness.run_rounds()
    assert harness.count_in_audit(deal, "was emptied, but Partner Center needs a value") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.colleague_edits(referral, **later)
    harness.run_rounds()
    assert harness.opportunity(deal)[column] == next(iter(later.values()))
    assert harness.count_in_audit(deal, "was emptied in Salesforce, and changed on the other side.") == 1
    assert harness.count_in_audit(deal, "Discarded: empty") == 0
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_deal_closed_in_partner_center_stays_closed_whatever_the_seller_chose(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.run_rounds()
    assert harness.referral_of(deal)["substatus"] == "Lost"
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.count_in_audit(deal, "Stage was changed on both sides") == 1


def test_a_win_and_a_colleagues_edit_of_an_open_deal_both_reach_the_other_side(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Still talking")
    harness.run_rounds()
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert harness.opportunity(deal)["Description"] == "Still talking"


def test_notes_edited_on_both_sides_keep_both_texts_on_both_sides(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description="Seller's words")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.run_rounds()
    notes = harness.opportunity(deal)["Description"]
    assert notes == harness.referral_of(deal)["details"]["notes"]
    assert notes.count("Seller's words") == notes.count("Colleague's words") == 1
    assert "--- 2026-11-22" in notes
    assert harness.count_in_audit(deal, "Both texts were kept") == 1
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_edits_of_different_fields_on_both_sides_reach_the_other_side(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-02-03T00:00:00Z")
    harness.push()
    assert harness.opportunity(deal)["CloseDate"] == "2027-02-03"
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.count_in_audit(deal, "was changed on both sides") == 0


def test_only_the_refused_one_of_several_values_is_parked(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=-5, CloseDate="2027-05-06", Description="New notes")
    harness.push()
    details = harness.referral_of(deal)["details"]
    assert details["dealValue"] == 10000
    assert (details["closingDateTime"], details["notes"]) == ("2027-05-06T00:00:00Z", "New notes")
    assert harness.stored_link(deal).state is State.PARKED
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.new_calls()["partner_center.patch"] == 4
    assert harness.count_in_audit(deal, "must be a number above 0") == 1


def test_a_refused_value_is_sent_again_only_when_it_changes(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=-5)
    harness.run_rounds()
    assert harness.new_calls()["partner_center.patch"] == 1
    assert harness.opportunity(deal)["Amount"] == -5  # Salesforce keeps the refused value
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before
    harness.seller_edits(deal, Description="Another matter")
    harness.run_rounds(2)
    assert harness.referral_of(deal)["details"]["notes"] == "Another matter"
    assert harness.count_in_audit(deal, "must be a number") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds(2)
    assert harness.referral_of(deal)["details"]["dealValue"] == 5
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.stored_link(deal).state is State.LIVE


def test_a_colleagues_value_stays_when_the_sellers_value_was_refused(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=-5)
    harness.run_rounds(1)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=321)
    harness.run_rounds()
    # Both sides changed since they last agreed. Salesforce's value wins, but it is refused, so the colleague's stays.
    assert harness.referral_of(deal)["details"]["dealValue"] == 321
    assert harness.count_in_audit(deal, "must be a number") == 1
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_value_that_partner_center_silently_ignores_is_refused_and_reported_once(harness: Harness) -> None:
    deal = harness.shared_deal()
    before = harness.referral_of(deal)
    harness.seller_edits(deal, Amount=500)
    harness.first.process.interrupt_at(
        "partner_center.patch",
        lambda: harness.partner_center.faults.append(
            Fault(FaultKind.ANSWER, method="PATCH", status=200, body=json.dumps(before))
        ),
    )
    harness.push()
    harness.run_rounds()
    assert harness.count_in_audit(deal, 'Amount "500.00 USD" was written, but Partner Center kept "10000.00 USD"') == 1
    assert harness.opportunity(deal)["Amount"] == 500
    assert harness.new_calls()["partner_center.patch"] == 0  # the journal names no operation if a fault answered
    assert len(harness.first.log.fields_of("referral_patched")) == 1


def test_a_patch_with_a_lost_reply_is_recognised_by_its_values(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.stored_link(deal).intent is not None
    harness.push(after=AFTER_LEASE)
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 1
    assert harness.stored_link(deal).intent is None
    assert harness.stored_link(deal).agreed
    assert harness.count_in_audit(deal, "Amount 10000.00 USD → 500.00 USD") == 1


def test_a_patch_that_never_arrived_is_sent_again_after_the_lease(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="PATCH"))
    for _ in range(4):
        harness.push()
        assert harness.referral_of(deal)["details"]["dealValue"] == 10000
    for _ in range(3):
        harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.count_in_audit(deal, "Amount 10000.00 USD → 500.00 USD") == 1


def test_edits_made_on_both_sides_after_a_lost_reply_are_both_kept(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    harness.seller_edits(deal, Description="Seller's news")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    harness.push(after=AFTER_LEASE)
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.referral_of(deal)["details"]["notes"] == "Seller's news"
    # The value is neither the old nor the intended one: this is a conflict, and the audit has both values.
    assert harness.count_in_audit(deal, "Kept: 500.00 USD. Discarded: 600.00 USD") == 1


def test_a_second_edit_after_a_lost_reply_is_not_a_conflict(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    harness.seller_edits(deal, Amount=501)
    harness.push(after=AFTER_LEASE)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 501
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
