"""A reply of a write is lost during a pull. Recovery looks at the record to find out whether the write took effect.

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.foundation.errors import StoreUnavailable
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunities_of,
    opportunity_of,
)

LOST_REPLIES = [FaultKind.DROP_AFTER, FaultKind.TRUNCATE]


@pytest.mark.parametrize("kind", LOST_REPLIES)
def test_a_lost_reply_of_a_graph_causes_no_second_opportunity(harness: Harness, kind: FaultKind) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, path="graph"))
    harness.pull_event(referral)
    assert [entry.cause for entry in harness.retry_entries(Side.PARTNER_CENTER)] == ["ambiguous"]
    harness.advance_time(AFTER_LEASE)
    harness.push()
    opportunity = opportunity_of(harness, referral)
    assert harness.stored_link(opportunity["Id"]).referral_id == referral
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
    assert harness.audit_texts(opportunity["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    harness.run_rounds(1)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_graph_request_that_never_arrived_is_sent_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, path="graph"))
    harness.pull_event(referral)
    harness.advance_time(AFTER_LEASE)
    harness.push()
    assert opportunity_of(harness, referral)
    assert harness.new_calls()["salesforce.graph"] == 1
    assert_quiet(harness)


def test_a_sellers_edits_before_the_recovery_of_a_created_opportunity_are_kept(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.advance_time(MINUTE)
    harness.seller_edits(deal, StageName="Closed Won", CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=26000)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    after = harness.partner_center.referral(referral)
    assert after["details"]["closingDateTime"][:10] == "2027-02-02"
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Amount"]) == (
        "Closed Won",
        26000,
    )
    assert not harness.count_in_audit(deal, "both sides")
    assert after["substatus"] == "Accepted", "a flow may have set the stage at the insert"
    assert harness.count_in_audit(deal, "Stage Closed Won may be set by automation") == 1


@pytest.mark.parametrize("kind", LOST_REPLIES)
def test_a_conditional_write_with_a_lost_reply_is_recognised_and_reported(harness: Harness, kind: FaultKind) -> None:
    referral, deal = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, path="composite$", method="POST", skip=1))
    harness.pull_event(referral)
    assert harness.opportunity(deal)["Amount"] == 30000
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["ambiguous"]
    harness.advance_time(AFTER_LEASE)
    harness.push()
    assert str(harness.stored_link(deal).base["money"]) == "30000.00 EUR"
    harness.colleague_edits(referral, details_dealValue=31000)
    harness.pull_event(referral)
    assert harness.count_in_audit(deal, "25000.00 EUR → 30000.00 EUR") == 1
    assert harness.count_in_audit(deal, "30000.00 EUR → 31000.00 EUR") == 1
    assert not harness.count_in_audit(deal, "both sides")
    assert_quiet(harness)


def test_an_edit_made_before_the_recovery_of_a_write_is_not_a_conflict(harness: Harness) -> None:
    referral, deal = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000, details_notes="The fleet")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="composite$", method="POST", skip=1))
    harness.pull_event(referral)
    harness.advance_time(MINUTE)
    harness.seller_edits(deal, Description="The fleet and the boats")
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["notes"] == "The fleet and the boats"
    assert harness.opportunity(deal)["Amount"] == 30000
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_patch_with_an_unreadable_answer_is_confirmed_by_reading_the_referral(harness: Harness) -> None:
    referral, deal = accepted_deal(harness)
    harness.seller_edits(deal, CloseDate="2027-02-02")
    unreadable = f'{{"id": "{referral}", "eTag": "x"}}'
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="PATCH", path=referral, status=200, body=unreadable)
    )
    harness.push()
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["ambiguous"]
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(1)
    assert harness.partner_center.referral(referral)["details"]["closingDateTime"][:10] == "2027-02-02"
    assert harness.count_in_audit(deal, "→ 2027-02-02") == 1
    assert_quiet(harness)


def test_a_create_with_an_unreadable_answer_causes_no_second_referral(harness: Harness) -> None:
    deal = harness.seller_creates()
    unreadable = '{"id": "7c65c1e5-82e2-4662-b728-b4fa42485e3a"}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="POST", status=201, body=unreadable))
    harness.push()
    harness.run_rounds(4)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert_quiet(harness)


def test_a_store_error_after_the_graph_leaves_a_claim_with_the_created_values(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.first.process.interrupt_at("store.insert_link", _fail_storage)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    assert len(opportunities_of(harness, referral)) == 1
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.count_in_audit(deal, "Stage Closed Lost may be set by automation") == 1
    assert not harness.count_in_audit(deal, "both sides")


def test_an_edit_of_an_unanswered_deal_arrives_although_its_referral_was_missing_for_a_moment(harness: Harness) -> None:
    """The values of the lost create are then still known: without them, the edit would wait for the answer."""
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    harness.colleague_edits(referral, details_dealValue=26000)
    missing = Fault(FaultKind.ANSWER, path=referral, status=404, body='{"error":{"code":"itemNotFound"}}')
    harness.inject_fault(Side.PARTNER_CENTER, missing)
    harness.pull_event(referral, AFTER_LEASE)
    harness.run_rounds()
    assert opportunity_of(harness, referral)["Amount"] == 26000


def test_an_edit_arrives_although_the_new_opportunity_was_deleted_for_a_while(
    harness: Harness,
) -> None:
    """The values of the lost create are still known when the opportunity is restored."""
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.salesforce.delete("Opportunity", deal)
    harness.colleague_edits(referral, details_dealValue=26000)
    harness.pull_event(referral, AFTER_LEASE)
    harness.salesforce.undelete("Opportunity", deal)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    assert harness.opportunity(deal)["Amount"] == 26000


@pytest.mark.parametrize("call", ["store.replace_pointer", "store.release_account"])
def test_a_store_error_at_the_end_of_a_pull_still_leads_to_one_linked_opportunity(harness: Harness, call: str) -> None:
    referral = microsoft_sends_deal(harness)
    harness.first.process.interrupt_at(call, _fail_storage, skip=1 if call == "store.replace_pointer" else 0)
    harness.pull_event(referral)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(1)
    deal = opportunity_of(harness, referral)["Id"]
    pointer = harness.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    assert len(harness.audit_texts(deal)) == 1
    assert_quiet(harness)


def test_an_error_before_the_create_is_retried_without_waiting_for_the_lease(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, path="composite$", status=503, times=3))
    harness.pull_event(referral)
    harness.push(2 * MINUTE)
    assert opportunity_of(harness, referral)


def test_a_refused_graph_is_retried_and_succeeds_once_salesforce_accepts_it(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.refuse_writes_of("Name")
    harness.pull_event(referral)
    for _ in range(3):
        harness.push(HOUR)
    assert opportunities_of(harness, referral) == []
    assert harness.salesforce.records("Account") == []
    assert [entry.attempts for entry in harness.retry_entries(Side.PARTNER_CENTER)] == [3]
    harness.clear_faults()
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    assert_quiet(harness)


def _fail_storage() -> None:
    raise StoreUnavailable("storage did not answer")
