"""Edits of a seller reach the referral: only the differing paths, one PATCH (protocol.md sections 4, 5, 8)."""

import json
from typing import Any

from emulators.base.server import Request, Response
from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, QUARTER, Harness


def patches(harness: Harness) -> list[list[dict[str, Any]]]:
    """From now on: the operations of each PATCH that reaches Partner Center."""
    seen: list[list[dict[str, Any]]] = []
    respond = harness.partner_center.respond

    def listening(request: Request) -> Response:
        if request.method == "PATCH":
            seen.append(json.loads(request.body))
        return respond(request)

    harness.partner_center.respond = listening  # type: ignore[method-assign]  # the test listens in
    return seen


def test_an_amount_travels_alone_in_one_patch(harness: Harness) -> None:
    deal = harness.shared()
    seen = patches(harness)
    harness.seller_edits(deal, Amount=12345.67)
    harness.push()
    assert seen == [[{"op": "replace", "path": "/details/dealValue", "value": 12345.67}]]
    assert harness.referral_of(deal)["details"]["dealValue"] == 12345.67
    assert harness.calls()["partner_center.get"] == 0


def test_several_edits_travel_in_one_patch(harness: Harness) -> None:
    deal = harness.shared()
    seen = patches(harness)
    harness.seller_edits(deal, Amount=1, CurrencyIsoCode="EUR", CloseDate="2027-05-06", Description="New\nnotes")
    harness.push()
    assert [sorted(operation["path"] for operation in one) for one in seen] == [
        ["/details/closingDateTime", "/details/currency", "/details/dealValue", "/details/notes"]
    ]
    assert harness.differences(deal) == []


def test_an_edit_is_told_in_the_audit_with_old_and_new_value(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=20000)
    harness.push()
    assert harness.audit_texts(deal)[0] == "To Partner Center: Deal value 10000.00 USD → 20000.00 USD."
    assert len(harness.audit_texts(deal)) == 2


def test_a_stage_of_the_same_meaning_is_no_change(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Proposal/Price Quote")
    harness.push()
    calls = harness.calls()
    assert (calls["partner_center.patch"], calls["salesforce.write_back"]) == (0, 0)
    assert harness.opportunity(deal)["StageName"] == "Proposal/Price Quote"


def test_what_the_mapping_does_not_know_makes_no_call_beyond_a_read(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, NextStep="Call them")
    harness.push()
    assert harness.calls() == {"salesforce.query": 2}
    harness.push()
    harness.calls()
    harness.push()
    assert harness.calls() == {"salesforce.query": 1}


def test_what_is_written_once_is_not_written_again(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Name="Another name", Products__c="SOL-2")
    before = harness.referral_of(deal)["eTag"]
    harness.run_rounds()
    assert harness.referral_of(deal)["eTag"] == before
    assert (harness.opportunity(deal)["Name"], harness.opportunity(deal)["Products__c"]) == (
        "Another name",
        "SOL-2",
    )


def test_emptied_notes_are_not_sent_and_told_once(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Description=None)
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["notes"] == "First call went well."
    assert harness.opportunity(deal)["Description"] is None
    assert harness.count_in_audit(deal, "was emptied, but the other system needs a value") == 1


def test_a_push_writes_nothing_of_a_sellers_own_fields(harness: Harness) -> None:
    deal = harness.seller_creates(NextStep="Call them", Probability=35)
    before = harness.opportunity(deal)
    harness.run_rounds()
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    ours = {"Referral_Identifier__c", "Referral_Link__c", "Sync_Status__c", "Sync_Mark__c", "Audit__c"}
    theirs = {"Amount", "ExpectedRevenue", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    after = harness.opportunity(deal)
    assert {name for name in after if after[name] != before[name]} == ours | theirs


def test_a_quiet_pair_is_never_written(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_win_is_sent_after_two_minutes_if_it_still_stands(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert harness.referral_of(deal)["status"] == "Active"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.push(after=MINUTE)
    assert harness.referral_of(deal)["status"] == "Active"
    harness.push(after=MINUTE)
    assert (harness.referral_of(deal)["status"], harness.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert next(line for line in harness.audit_texts(deal) if "Status" in line).startswith("To Partner Center: Status")
    assert harness.count_in_audit(deal, "will become Closed/Won") == 1


def test_a_loss_is_sent_with_its_reason(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Lost")
    for _ in range(4):
        harness.push()
    referral = harness.referral_of(deal)
    assert (referral["status"], referral["substatus"], referral["statusReason"]) == ("Closed", "Lost", "Others")


def test_a_win_that_is_taken_back_in_time_is_never_sent(harness: Harness) -> None:
    deal = harness.shared()
    before = harness.referral_of(deal)["eTag"]
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, StageName="Negotiation/Review")
    for _ in range(5):
        harness.push()
    assert harness.referral_of(deal)["eTag"] == before
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_won_then_lost_within_the_wait_waits_anew_and_sends_the_last_word(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.push(after=90.0)
    harness.push(after=60.0)
    assert harness.referral_of(deal)["status"] == "Active"
    harness.push(after=60.0)
    assert harness.referral_of(deal)["substatus"] == "Lost"


def test_other_edits_do_not_wait_for_a_close(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won", Amount=999)
    harness.push()
    referral = harness.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (999, "Active")
    for _ in range(3):
        harness.push()
    assert harness.referral_of(deal)["status"] == "Closed"


def test_an_amount_that_is_edited_while_the_close_waits_travels_before_it(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, Amount=31)
    harness.push(after=150.0)
    harness.run_rounds(1)
    referral = harness.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (31, "Closed")
    assert harness.differences(deal) == []


def test_a_closed_deal_takes_nothing_more_and_the_seller_is_told_once(harness: Harness) -> None:
    deal = harness.shared(StageName="Closed Won")
    harness.run_rounds(1)
    closed = harness.referral_of(deal)
    assert closed["status"] == "Closed"
    harness.seller_edits(deal, Amount=1)
    harness.run_rounds()
    assert harness.referral_of(deal)["eTag"] == closed["eTag"]
    assert harness.opportunity(deal)["Amount"] == 1
    assert harness.count_in_audit(deal, "is closed in Partner Center and cannot change") == 1
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_passed_closing_date_is_sent_and_warned_of_once(harness: Harness) -> None:
    deal = harness.shared(CloseDate="2026-01-31")
    assert harness.referral_of(deal)["details"]["closingDateTime"] == "2026-01-31T00:00:00Z"
    harness.run_rounds()
    harness.seller_edits(deal, Amount=7)
    harness.run_rounds()
    assert harness.count_in_audit(deal, "2026-01-31 has passed") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.seller_edits(deal, CloseDate="2026-02-28")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "has passed") == 2


def test_a_closing_date_that_passes_on_a_won_deal_is_nobodys_worry(harness: Harness) -> None:
    deal = harness.shared(StageName="Closed Won", CloseDate="2026-01-31")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "has passed") <= 1


def test_an_echo_of_our_own_patch_is_dropped_by_the_sweep(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=3)
    harness.quiet()
    harness.sweep()
    assert harness.calls() == {"partner_center.list": 1}
    assert harness.link(deal).agreed


def test_a_later_edit_after_an_idle_day_is_found(harness: Harness) -> None:
    deal = harness.shared()
    harness.later(24 * 4 * QUARTER)
    harness.push()
    harness.seller_edits(deal, Amount=4)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 4
