"""Replies that are lost on the way of a pull: what happened is found by looking."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.foundation.errors import StoreUnavailable
from tests.unit.sync.harness import HOUR, LEASE, MINUTE, Harness
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunities_of,
    opportunity_of,
)

LOST = [FaultKind.DROP_AFTER, FaultKind.TRUNCATE]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_of_the_graph_makes_no_second_opportunity(harness: Harness, kind: FaultKind) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, path="graph"))
    harness.event(referral)
    assert [due.cause for due in harness.retry_entries(Side.PARTNER_CENTER)] == ["ambiguous"]
    harness.later(LEASE)
    harness.push()
    row = opportunity_of(harness, referral)
    assert harness.link(row["Id"]).referral_id == referral
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
    assert harness.audit_texts(row["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    harness.run_rounds(1)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_graph_that_never_arrived_is_sent_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, path="graph"))
    harness.event(referral)
    harness.later(LEASE)
    harness.push()
    assert opportunity_of(harness, referral)
    assert harness.calls()["salesforce.graph"] == 1
    assert_quiet(harness)


def test_what_the_seller_edits_before_the_lost_reply_is_settled_survives(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.later(MINUTE)
    harness.seller_edits(deal, StageName="Closed Won", CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=26000)
    harness.later(LEASE)
    harness.run_rounds()
    found = harness.partner_center.referral(referral)
    assert (found["substatus"], found["details"]["closingDateTime"][:10]) == ("Won", "2027-02-02")
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Amount"]) == (
        "Closed Won",
        26000,
    )
    assert not harness.count_in_audit(deal, "both sides")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_of_the_conditional_write_is_recognised_and_told(harness: Harness, kind: FaultKind) -> None:
    referral, deal = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, path="composite$", method="POST", skip=1))
    harness.event(referral)
    assert harness.opportunity(deal)["Amount"] == 30000
    assert [due.cause for due in harness.retry_entries(Side.PARTNER_CENTER)] == ["ambiguous"]
    harness.later(LEASE)
    harness.push()
    assert str(harness.link(deal).base["money"]) == "30000.00 EUR"
    harness.colleague_edits(referral, details_dealValue=31000)
    harness.event(referral)
    assert harness.count_in_audit(deal, "25000.00 EUR → 30000.00 EUR") == 1
    assert harness.count_in_audit(deal, "30000.00 EUR → 31000.00 EUR") == 1
    assert not harness.count_in_audit(deal, "both sides")
    assert_quiet(harness)


def test_an_edit_made_before_it_is_settled_is_no_conflict(harness: Harness) -> None:
    referral, deal = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000, details_notes="The fleet")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="composite$", method="POST", skip=1))
    harness.event(referral)
    harness.later(MINUTE)
    harness.seller_edits(deal, Description="The fleet and the boats")
    harness.later(LEASE)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["notes"] == "The fleet and the boats"
    assert harness.opportunity(deal)["Amount"] == 30000
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_patch_whose_answer_cannot_be_read_is_settled_by_looking(harness: Harness) -> None:
    referral, deal = accepted_deal(harness)
    harness.seller_edits(deal, CloseDate="2027-02-02")
    unreadable = f'{{"id": "{referral}", "eTag": "x"}}'
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="PATCH", path=referral, status=200, body=unreadable)
    )
    harness.push()
    assert [due.cause for due in harness.retry_entries(Side.SALESFORCE)] == ["ambiguous"]
    harness.later(LEASE)
    harness.run_rounds(1)
    assert harness.partner_center.referral(referral)["details"]["closingDateTime"][:10] == "2027-02-02"
    assert harness.count_in_audit(deal, "→ 2027-02-02") == 1
    assert_quiet(harness)


def test_a_create_whose_answer_cannot_be_read_makes_no_second_referral(harness: Harness) -> None:
    deal = harness.seller_creates()
    unreadable = '{"id": "7c65c1e5-82e2-4662-b728-b4fa42485e3a"}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="POST", status=201, body=unreadable))
    harness.push()
    harness.run_rounds(4)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert_quiet(harness)


def test_a_store_that_fails_after_the_graph_leaves_a_claim_that_knows_what_was_made(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.one.life.at("store.insert_link", _no_storage)
    harness.event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.later(LEASE)
    harness.run_rounds()
    assert len(opportunities_of(harness, referral)) == 1
    assert harness.partner_center.referral(referral)["substatus"] == "Lost"
    assert not harness.count_in_audit(deal, "both sides")


@pytest.mark.parametrize("call", ["store.replace_pointer", "store.release_account"])
def test_a_store_that_fails_at_the_very_end_hides_nothing(harness: Harness, call: str) -> None:
    referral = microsoft_sends_deal(harness)
    harness.one.life.at(call, _no_storage, skip=1 if call == "store.replace_pointer" else 0)
    harness.event(referral)
    harness.later(LEASE)
    harness.run_rounds(1)
    deal = opportunity_of(harness, referral)["Id"]
    pointer = harness.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    assert len(harness.audit_texts(deal)) == 1
    assert_quiet(harness)


def test_trouble_before_anything_was_made_is_tried_again_without_waiting_for_the_lease(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, path="composite$", status=503, times=3))
    harness.event(referral)
    harness.push(2 * MINUTE)
    assert opportunity_of(harness, referral)


def test_a_graph_that_is_refused_is_due_with_growing_patience_and_made_once_it_may_be(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.refuse_writes_of("Products__c")
    harness.event(referral)
    for _ in range(3):
        harness.push(HOUR)
    assert opportunities_of(harness, referral) == []
    assert harness.salesforce.records("Account") == []
    assert [due.attempts for due in harness.retry_entries(Side.PARTNER_CENTER)] == [3]
    harness.clear_faults()
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    assert_quiet(harness)


def _no_storage() -> None:
    raise StoreUnavailable("storage did not answer")
