"""Both sides edited: a PATCH under `If-Match`, the merge, and what the audit says (protocol.md sections 4, 5)."""

import json

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import LEASE, Harness


def test_a_colleagues_edit_between_our_read_and_our_patch_survives_beside_ours(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    closing = "2027-02-03T00:00:00Z"
    harness.one.life.at(
        "partner_center.patch", lambda: harness.colleague_edits(referral, details_closingDateTime=closing)
    )
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.opportunity(deal)["CloseDate"] == "2027-02-03"
    assert harness.differences(deal) == []
    calls = harness.calls()
    assert (calls["partner_center.patch"], calls["partner_center.get"]) == (2, 1)


def test_a_colleague_who_writes_the_same_value_first_is_agreed_with(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    harness.one.life.at("partner_center.patch", lambda: harness.colleague_edits(referral, details_dealValue=500))
    harness.push()
    assert harness.calls()["partner_center.patch"] == 1
    assert harness.link(deal).agreed
    assert harness.differences(deal) == []


def test_a_colleague_who_edits_every_time_is_met_again_later(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    for number in range(3):
        harness.one.life.at(
            "partner_center.patch",
            lambda number=number: harness.colleague_edits(referral, campaignId=f"C{number}"),  # type: ignore[misc]  # mypy cannot infer a default's type here
            skip=number,
        )
    harness.push()
    assert [due.cause for due in harness.retry_entries(Side.SALESFORCE)] == ["referral_kept_changing"]
    assert harness.link(deal).intent is None
    harness.run_rounds(1)
    assert harness.referral_of(deal)["details"]["dealValue"] == 500


def test_an_edit_that_came_after_the_reply_is_found_by_the_next_look(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=500)
    harness.one.life.at(
        "partner_center.patch", lambda: harness.colleague_edits(referral, details_notes="Call back"), after=True
    )
    harness.push()
    harness.sweep()
    assert harness.opportunity(deal)["Description"] == "Call back"
    assert harness.referral_of(deal)["details"]["dealValue"] == 500


def test_a_conflict_is_won_by_the_fields_policy_and_the_losing_value_is_in_the_audit(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=700)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.opportunity(deal)["Amount"] == 500
    assert (
        harness.count_in_audit(deal, "Deal value was changed on both sides. Kept: 500.00 USD. Discarded: 700.00 USD")
        == 1
    )
    assert harness.differences(deal) == []


def test_a_deal_closed_on_the_other_side_stays_closed_whatever_the_seller_chose(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.run_rounds()
    assert harness.referral_of(deal)["substatus"] == "Lost"
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.count_in_audit(deal, "Status was changed on both sides") == 1


def test_a_win_beats_an_open_change_on_the_other_side(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Still talking")
    harness.run_rounds()
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert harness.opportunity(deal)["Description"] == "Still talking"


def test_notes_edited_on_both_sides_keep_both_texts_on_both_sides(harness: Harness) -> None:
    deal = harness.shared()
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


def test_different_fields_edited_on_both_sides_both_travel(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-02-03T00:00:00Z")
    harness.push()
    assert harness.opportunity(deal)["CloseDate"] == "2027-02-03"
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.count_in_audit(deal, "was changed on both sides") == 0


def test_of_several_paths_only_the_refused_one_is_parked(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=-5, CloseDate="2027-05-06", Description="New notes")
    harness.push()
    details = harness.referral_of(deal)["details"]
    assert details["dealValue"] == 10000
    assert (details["closingDateTime"], details["notes"]) == ("2027-05-06T00:00:00Z", "New notes")
    assert harness.link(deal).state is State.PARKED
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.calls()["partner_center.patch"] == 4
    assert harness.count_in_audit(deal, "must be a number that is not negative") == 1


def test_a_refused_value_is_sent_again_only_when_it_changes(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=-5)
    harness.run_rounds()
    assert harness.calls()["partner_center.patch"] == 1
    assert harness.opportunity(deal)["Amount"] == -5  # never pushed back
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
    assert harness.link(deal).state is State.LIVE


def test_a_refused_value_that_the_colleague_replaces_is_replaced(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=-5)
    harness.run_rounds(1)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=321)
    harness.run_rounds()
    # Both sides changed since they last agreed: Salesforce's value wins and is refused; the colleague's is on record.
    assert harness.referral_of(deal)["details"]["dealValue"] == 321
    assert harness.count_in_audit(deal, "must be a number") == 1
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_value_that_partner_center_silently_ignores_is_refused_and_told_once(harness: Harness) -> None:
    deal = harness.shared()
    before = harness.referral_of(deal)
    harness.seller_edits(deal, Amount=500)
    harness.one.life.at(
        "partner_center.patch",
        lambda: harness.partner_center.faults.append(
            Fault(FaultKind.ANSWER, method="PATCH", status=200, body=json.dumps(before))
        ),
    )
    harness.push()
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Deal value was written, but the other system kept 10000.00 USD") == 1
    assert harness.opportunity(deal)["Amount"] == 500
    assert harness.calls()["partner_center.patch"] == 0  # the journal names no operation where a script answered
    assert len(harness.one.log.of("referral_patched")) == 1


def test_a_lost_reply_of_a_patch_is_recognised_by_its_values(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.link(deal).intent is not None
    harness.push(after=LEASE)
    harness.push()
    assert harness.calls()["partner_center.patch"] == 1
    assert harness.link(deal).intent is None
    assert harness.link(deal).agreed
    assert harness.count_in_audit(deal, "Deal value 10000.00 USD → 500.00 USD") == 1


def test_a_patch_that_was_lost_on_its_way_is_sent_again_after_the_lease(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="PATCH"))
    for _ in range(4):
        harness.push()
        assert harness.referral_of(deal)["details"]["dealValue"] == 10000
    for _ in range(3):
        harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    assert harness.count_in_audit(deal, "Deal value 10000.00 USD → 500.00 USD") == 1


def test_edits_on_both_sides_after_a_lost_reply_both_survive(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    harness.seller_edits(deal, Description="Seller's news")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    harness.push(after=LEASE)
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.referral_of(deal)["details"]["notes"] == "Seller's news"
    # Neither the old nor the intended value: a conflict, with both in the audit.
    assert harness.count_in_audit(deal, "Kept: 500.00 USD. Discarded: 600.00 USD") == 1


def test_a_second_edit_after_a_lost_reply_is_no_conflict_with_ourselves(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    harness.seller_edits(deal, Amount=501)
    harness.push(after=LEASE)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 501
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
