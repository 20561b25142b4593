"""Both sides edited: a PATCH under `If-Match`, the merge, and what the audit says (protocol.md sections 4, 5)."""

import json

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.bench import LEASE, Bench


def test_a_colleagues_edit_between_our_read_and_our_patch_survives_beside_ours(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, Amount=500)
    closing = "2027-02-03T00:00:00Z"
    bench.one.life.at("partner_center.patch", lambda: bench.colleague_edits(referral, details_closingDateTime=closing))
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 500
    assert bench.row(deal)["CloseDate"] == "2027-02-03"
    assert bench.differences(deal) == []
    calls = bench.calls()
    assert (calls["partner_center.patch"], calls["partner_center.get"]) == (2, 1)


def test_a_colleague_who_writes_the_same_value_first_is_agreed_with(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, Amount=500)
    bench.one.life.at("partner_center.patch", lambda: bench.colleague_edits(referral, details_dealValue=500))
    bench.push()
    assert bench.calls()["partner_center.patch"] == 1
    assert bench.link(deal).agreed
    assert bench.differences(deal) == []


def test_a_colleague_who_edits_every_time_is_met_again_later(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, Amount=500)
    for number in range(3):
        bench.one.life.at(
            "partner_center.patch",
            lambda number=number: bench.colleague_edits(referral, campaignId=f"C{number}"),  # type: ignore[misc]  # mypy cannot infer a default's type here
            skip=number,
        )
    bench.push()
    assert [due.cause for due in bench.due(Side.SALESFORCE)] == ["referral_kept_changing"]
    assert bench.link(deal).intent is None
    bench.rounds(1)
    assert bench.referral_of(deal)["details"]["dealValue"] == 500


def test_an_edit_that_came_after_the_reply_is_found_by_the_next_look(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, Amount=500)
    bench.one.life.at(
        "partner_center.patch", lambda: bench.colleague_edits(referral, details_notes="Call back"), after=True
    )
    bench.push()
    bench.sweep()
    assert bench.row(deal)["Description"] == "Call back"
    assert bench.referral_of(deal)["details"]["dealValue"] == 500


def test_a_conflict_is_won_by_the_fields_policy_and_the_losing_value_is_in_the_audit(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=700)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 500
    assert bench.row(deal)["Amount"] == 500
    assert bench.told(deal, "Deal value was changed on both sides. Kept: 500.00 USD. Discarded: 700.00 USD") == 1
    assert bench.differences(deal) == []


def test_a_deal_closed_on_the_other_side_stays_closed_whatever_the_seller_chose(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.colleague_edits(bench.referral_of(deal)["id"], status="Closed", substatus="Lost")
    bench.rounds()
    assert bench.referral_of(deal)["substatus"] == "Lost"
    assert bench.row(deal)["StageName"] == "Closed Lost"
    assert bench.told(deal, "Status was changed on both sides") == 1


def test_a_win_beats_an_open_change_on_the_other_side(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.colleague_edits(bench.referral_of(deal)["id"], details_notes="Still talking")
    bench.rounds()
    assert bench.referral_of(deal)["substatus"] == "Won"
    assert bench.row(deal)["Description"] == "Still talking"


def test_notes_edited_on_both_sides_keep_both_texts_on_both_sides(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Description="Seller's words")
    bench.colleague_edits(bench.referral_of(deal)["id"], details_notes="Colleague's words")
    bench.rounds()
    notes = bench.row(deal)["Description"]
    assert notes == bench.referral_of(deal)["details"]["notes"]
    assert notes.count("Seller's words") == notes.count("Colleague's words") == 1
    assert "--- 2026-11-22" in notes
    assert bench.told(deal, "Both texts were kept") == 1
    before = bench.stamps()
    bench.rounds(2)
    assert bench.stamps() == before


def test_different_fields_edited_on_both_sides_both_travel(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.colleague_edits(bench.referral_of(deal)["id"], details_closingDateTime="2027-02-03T00:00:00Z")
    bench.push()
    assert bench.row(deal)["CloseDate"] == "2027-02-03"
    assert bench.referral_of(deal)["details"]["dealValue"] == 500
    assert bench.told(deal, "was changed on both sides") == 0


def test_of_several_paths_only_the_refused_one_is_parked(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=-5, CloseDate="2027-05-06", Description="New notes")
    bench.push()
    details = bench.referral_of(deal)["details"]
    assert details["dealValue"] == 10000
    assert (details["closingDateTime"], details["notes"]) == ("2027-05-06T00:00:00Z", "New notes")
    assert bench.link(deal).state is State.PARKED
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    assert bench.calls()["partner_center.patch"] == 4
    assert bench.told(deal, "must be a number that is not negative") == 1


def test_a_refused_value_is_sent_again_only_when_it_changes(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=-5)
    bench.rounds()
    assert bench.calls()["partner_center.patch"] == 1
    assert bench.row(deal)["Amount"] == -5  # never pushed back
    before = bench.stamps()
    bench.rounds(2)
    assert bench.stamps() == before
    bench.seller_edits(deal, Description="Another matter")
    bench.rounds(2)
    assert bench.referral_of(deal)["details"]["notes"] == "Another matter"
    assert bench.told(deal, "must be a number") == 1
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    bench.seller_edits(deal, Amount=5)
    bench.rounds(2)
    assert bench.referral_of(deal)["details"]["dealValue"] == 5
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    assert bench.link(deal).state is State.LIVE


def test_a_refused_value_that_the_colleague_replaces_is_replaced(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=-5)
    bench.rounds(1)
    bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=321)
    bench.rounds()
    # Both sides changed since they last agreed: Salesforce's value wins and is refused; the colleague's is on record.
    assert bench.referral_of(deal)["details"]["dealValue"] == 321
    assert bench.told(deal, "must be a number") == 1
    before = bench.stamps()
    bench.rounds(2)
    assert bench.stamps() == before


def test_a_value_that_partner_center_silently_ignores_is_refused_and_told_once(bench: Bench) -> None:
    deal = bench.shared()
    before = bench.referral_of(deal)
    bench.seller_edits(deal, Amount=500)
    bench.one.life.at(
        "partner_center.patch",
        lambda: bench.partner_center.faults.append(
            Fault(FaultKind.ANSWER, method="PATCH", status=200, body=json.dumps(before))
        ),
    )
    bench.push()
    bench.rounds()
    assert bench.told(deal, "Deal value was written, but the other system kept 10000.00 USD") == 1
    assert bench.row(deal)["Amount"] == 500
    assert bench.calls()["partner_center.patch"] == 0  # the journal names no operation where a script answered
    assert len(bench.one.log.of("referral_patched")) == 1


def test_a_lost_reply_of_a_patch_is_recognised_by_its_values(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 500
    assert bench.link(deal).intent is not None
    bench.push(after=LEASE)
    bench.push()
    assert bench.calls()["partner_center.patch"] == 1
    assert bench.link(deal).intent is None
    assert bench.link(deal).agreed
    assert bench.told(deal, "Deal value 10000.00 USD → 500.00 USD") == 1


def test_a_patch_that_was_lost_on_its_way_is_sent_again_after_the_lease(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="PATCH"))
    for _ in range(4):
        bench.push()
        assert bench.referral_of(deal)["details"]["dealValue"] == 10000
    for _ in range(3):
        bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 500
    assert bench.told(deal, "Deal value 10000.00 USD → 500.00 USD") == 1


def test_edits_on_both_sides_after_a_lost_reply_both_survive(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    bench.push()
    bench.seller_edits(deal, Description="Seller's news")
    bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=600)
    bench.push(after=LEASE)
    bench.rounds()
    assert bench.differences(deal) == []
    assert bench.referral_of(deal)["details"]["notes"] == "Seller's news"
    # Neither the old nor the intended value: a conflict, with both in the audit.
    assert bench.told(deal, "Kept: 500.00 USD. Discarded: 600.00 USD") == 1


def test_a_second_edit_after_a_lost_reply_is_no_conflict_with_ourselves(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=500)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    bench.push()
    bench.seller_edits(deal, Amount=501)
    bench.push(after=LEASE)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 501
    assert bench.told(deal, "was changed on both sides") == 0
