"""A seller's edits reach the referral in one PATCH that holds only the differing paths.

Sources: docs/protocol.md#rule-4-only-what-changed, docs/protocol.md#writing-to-partner-center,
docs/protocol.md#the-salesforce-poll.
"""

import json
from typing import Any

from emulators.base.server import Request, Response
from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, QUARTER, Harness


def watch_patches(harness: Harness) -> list[list[dict[str, Any]]]:
    """Returns a list. Each later PATCH that reaches Partner Center appends its operations."""
    patches: list[list[dict[str, Any]]] = []
    respond = harness.partner_center.respond

    def record_patch(request: Request) -> Response:
        if request.method == "PATCH":
            patches.append(json.loads(request.body))
        return respond(request)

    harness.partner_center.respond = record_patch  # type: ignore[method-assign]  # the test records requests
    return patches


def test_an_edited_amount_is_sent_alone_in_one_patch(harness: Harness) -> None:
    deal = harness.shared_deal()
    patches = watch_patches(harness)
    harness.seller_edits(deal, Amount=12345.67)
    harness.push()
    assert patches == [[{"op": "replace", "path": "/details/dealValue", "value": 12345.67}]]
    assert harness.referral_of(deal)["details"]["dealValue"] == 12345.67
    assert harness.new_calls()["partner_center.get"] == 0


def test_several_edits_are_sent_in_one_patch(harness: Harness) -> None:
    deal = harness.shared_deal()
    patches = watch_patches(harness)
    harness.seller_edits(deal, Amount=1, CurrencyIsoCode="EUR", CloseDate="2027-05-06", Description="New\nnotes")
    harness.push()
    assert [sorted(operation["path"] for operation in patch) for patch in patches] == [
        ["/details/closingDateTime", "/details/currency", "/details/dealValue", "/details/notes"]
    ]
    assert harness.differences(deal) == []


def test_the_audit_reports_an_edit_with_old_and_new_value(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=20000)
    harness.push()
    assert harness.audit_texts(deal)[0] == "To Partner Center: Amount 10000.00 USD → 20000.00 USD."
    assert len(harness.audit_texts(deal)) == 2


def test_a_stage_with_the_same_meaning_causes_no_write(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Proposal/Price Quote")
    harness.push()
    calls = harness.new_calls()
    assert (calls["partner_center.patch"], calls["salesforce.write_back"]) == (0, 0)
    assert harness.opportunity(deal)["StageName"] == "Proposal/Price Quote"


def test_an_edit_of_an_unmapped_field_causes_no_call_but_a_read(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, NextStep="Call them")
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}
    harness.push()
    harness.forget_calls()
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 1}


def test_a_value_that_is_sent_only_at_creation_is_not_sent_again(harness: Harness) -> None:
    deal = harness.shared_deal()
    fabrikam = harness.account_id("Fabrikam")
    harness.seller_edits(deal, AccountId=fabrikam)
    before = harness.referral_of(deal)["eTag"]
    harness.run_rounds()
    assert harness.referral_of(deal)["eTag"] == before
    assert harness.opportunity(deal)["AccountId"] == fabrikam


def test_emptied_notes_are_not_sent_and_this_is_reported_once(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description=None)
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["notes"] == "First call went well."
    assert harness.opportunity(deal)["Description"] is None
    assert (
        harness.count_in_audit(deal, 'was emptied, but Partner Center needs a value and keeps "First call went well."')
        == 1
    )


def test_a_push_writes_only_the_connectors_own_fields(harness: Harness) -> None:
    deal = harness.seller_creates(NextStep="Call them", Probability=35)
    before = harness.opportunity(deal)
    harness.run_rounds()
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    own_fields = {"Referral_Identifier__c", "Referral_Link__c", "Sync_Status__c", "Sync_Mark__c", "Audit__c"}
    edited_fields = {"Amount", "ExpectedRevenue", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    after = harness.opportunity(deal)
    assert {name for name in after if after[name] != before[name]} == own_fields | edited_fields


def test_a_pair_without_new_edits_is_not_written(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_win_is_sent_after_two_minutes_if_it_still_stands(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert harness.referral_of(deal)["status"] == "Active"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.push(after=MINUTE)
    assert harness.referral_of(deal)["status"] == "Active"
    harness.push(after=MINUTE)
    assert (harness.referral_of(deal)["status"], harness.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert next(line for line in harness.audit_texts(deal) if "Stage" in line).startswith("To Partner Center: Stage")
    assert harness.count_in_audit(deal, "will change from Active/Accepted to Closed/Won") == 1


def test_a_loss_is_sent_with_its_reason(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Lost")
    for _ in range(4):
        harness.push()
    referral = harness.referral_of(deal)
    assert (referral["status"], referral["substatus"], referral["statusReason"]) == ("Closed", "Lost", "Others")


def test_a_win_that_is_taken_back_in_time_is_never_sent(harness: Harness) -> None:
    deal = harness.shared_deal()
    before = harness.referral_of(deal)["eTag"]
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, StageName="Negotiation/Review")
    for _ in range(5):
        harness.push()
    assert harness.referral_of(deal)["eTag"] == before
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_win_changed_to_a_loss_waits_anew_and_sends_the_loss(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.push(after=90.0)
    harness.push(after=60.0)
    assert harness.referral_of(deal)["status"] == "Active"
    harness.push(after=60.0)
    assert harness.referral_of(deal)["substatus"] == "Lost"


def test_other_edits_do_not_wait_for_a_close(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won", Amount=999)
    harness.push()
    referral = harness.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (999, "Active")
    for _ in range(3):
        harness.push()
    assert harness.referral_of(deal)["status"] == "Closed"


def test_an_amount_edited_while_a_close_waits_is_sent_before_the_close(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.seller_edits(deal, Amount=31)
    harness.push(after=150.0)
    harness.run_rounds(1)
    referral = harness.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (31, "Closed")
    assert harness.differences(deal) == []


def test_an_edit_of_a_closed_deal_is_not_sent_and_is_reported_once(harness: Harness) -> None:
    deal = harness.shared_deal(StageName="Closed Won")
    harness.run_rounds(1)
    closed = harness.referral_of(deal)
    assert closed["status"] == "Closed"
    harness.seller_edits(deal, Amount=1)
    harness.run_rounds()
    assert harness.referral_of(deal)["eTag"] == closed["eTag"]
    assert harness.opportunity(deal)["Amount"] == 1
    assert harness.count_in_audit(deal, 'is closed in Partner Center, which keeps "10000.00 USD"') == 1
    before = harness.all_versions()
    harness.run_rounds(2)
    assert harness.all_versions() == before


def test_a_close_date_in_the_past_is_sent_and_reported_once(harness: Harness) -> None:
    deal = harness.shared_deal(CloseDate="2026-01-31")
    assert harness.referral_of(deal)["details"]["closingDateTime"] == "2026-01-31T00:00:00Z"
    harness.run_rounds()
    harness.seller_edits(deal, Amount=7)
    harness.run_rounds()
    assert harness.count_in_audit(deal, "2026-01-31 has passed") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.seller_edits(deal, CloseDate="2026-02-28")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "has passed") == 2


def test_a_past_close_date_of_a_won_deal_is_not_reported_again(harness: Harness) -> None:
    deal = harness.shared_deal(StageName="Closed Won", CloseDate="2026-01-31")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "has passed") <= 1


def test_the_sweep_drops_the_echo_of_our_own_patch(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=3)
    harness.push_until_quiet()
    harness.sweep()
    assert harness.new_calls() == {"partner_center.list": 1}
    assert harness.stored_link(deal).agreed


def test_an_edit_after_a_day_without_changes_is_found(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.advance_time(24 * 4 * QUARTER)
    harness.push()
    harness.seller_edits(deal, Amount=4)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 4
