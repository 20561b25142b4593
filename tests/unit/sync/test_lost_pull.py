"""Replies that are lost on the way of a pull: what happened is found by looking."""

import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.foundation.errors import StoreUnavailable
from tests.unit.sync.arrivals import accepted, assert_quiet, opportunities_of, opportunity_of, sent
from tests.unit.sync.bench import HOUR, LEASE, MINUTE, Bench

LOST = [FaultKind.DROP_AFTER, FaultKind.TRUNCATE]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_of_the_graph_makes_no_second_opportunity(bench: Bench, kind: FaultKind) -> None:
    referral = sent(bench)
    bench.fault(Side.SALESFORCE, Fault(kind, path="graph"))
    bench.event(referral)
    assert [due.cause for due in bench.due(Side.PARTNER_CENTER)] == ["ambiguous"]
    bench.later(LEASE)
    bench.push()
    row = opportunity_of(bench, referral)
    assert bench.link(row["Id"]).referral_id == referral
    assert len(bench.salesforce.records("Account")) == len(bench.salesforce.records("Contact")) == 1
    assert bench.audit(row["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    bench.rounds(1)
    assert bench.due(Side.PARTNER_CENTER) == []
    assert_quiet(bench)


def test_a_graph_that_never_arrived_is_sent_again(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.SALESFORCE, Fault(FaultKind.DROP, path="graph"))
    bench.event(referral)
    bench.later(LEASE)
    bench.push()
    assert opportunity_of(bench, referral)
    assert bench.calls()["salesforce.graph"] == 1
    assert_quiet(bench)


def test_what_the_seller_edits_before_the_lost_reply_is_settled_survives(bench: Bench) -> None:
    referral = sent(bench)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    bench.event(referral)
    deal = opportunity_of(bench, referral)["Id"]
    bench.later(MINUTE)
    bench.seller_edits(deal, StageName="Closed Won", CloseDate="2027-02-02")
    bench.colleague_edits(referral, details_dealValue=26000)
    bench.later(LEASE)
    bench.rounds()
    found = bench.partner_center.referral(referral)
    assert (found["substatus"], found["details"]["closingDateTime"][:10]) == ("Won", "2027-02-02")
    assert (bench.row(deal)["StageName"], bench.row(deal)["Amount"]) == ("Closed Won", 26000)
    assert not bench.told(deal, "both sides")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_of_the_conditional_write_is_recognised_and_told(bench: Bench, kind: FaultKind) -> None:
    referral, deal = accepted(bench)
    bench.colleague_edits(referral, details_dealValue=30000)
    bench.fault(Side.SALESFORCE, Fault(kind, path="composite$", method="POST", skip=1))
    bench.event(referral)
    assert bench.row(deal)["Amount"] == 30000
    assert [due.cause for due in bench.due(Side.PARTNER_CENTER)] == ["ambiguous"]
    bench.later(LEASE)
    bench.push()
    assert str(bench.link(deal).base["money"]) == "30000.00 EUR"
    bench.colleague_edits(referral, details_dealValue=31000)
    bench.event(referral)
    assert bench.told(deal, "25000.00 EUR → 30000.00 EUR") == 1
    assert bench.told(deal, "30000.00 EUR → 31000.00 EUR") == 1
    assert not bench.told(deal, "both sides")
    assert_quiet(bench)


def test_an_edit_made_before_it_is_settled_is_no_conflict(bench: Bench) -> None:
    referral, deal = accepted(bench)
    bench.colleague_edits(referral, details_dealValue=30000, details_notes="The fleet")
    bench.fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="composite$", method="POST", skip=1))
    bench.event(referral)
    bench.later(MINUTE)
    bench.seller_edits(deal, Description="The fleet and the boats")
    bench.later(LEASE)
    bench.rounds()
    assert bench.partner_center.referral(referral)["details"]["notes"] == "The fleet and the boats"
    assert bench.row(deal)["Amount"] == 30000
    assert bench.differences(deal) == []
    assert_quiet(bench)


def test_a_patch_whose_answer_cannot_be_read_is_settled_by_looking(bench: Bench) -> None:
    referral, deal = accepted(bench)
    bench.seller_edits(deal, CloseDate="2027-02-02")
    unreadable = f'{{"id": "{referral}", "eTag": "x"}}'
    bench.fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="PATCH", path=referral, status=200, body=unreadable)
    )
    bench.push()
    assert [due.cause for due in bench.due(Side.SALESFORCE)] == ["ambiguous"]
    bench.later(LEASE)
    bench.rounds(1)
    assert bench.partner_center.referral(referral)["details"]["closingDateTime"][:10] == "2027-02-02"
    assert bench.told(deal, "→ 2027-02-02") == 1
    assert_quiet(bench)


def test_a_create_whose_answer_cannot_be_read_makes_no_second_referral(bench: Bench) -> None:
    deal = bench.seller_creates()
    unreadable = '{"id": "7c65c1e5-82e2-4662-b728-b4fa42485e3a"}'
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER_AFTER, method="POST", status=201, body=unreadable))
    bench.push()
    bench.rounds(4)
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]
    assert_quiet(bench)


def test_a_store_that_fails_after_the_graph_leaves_a_claim_that_knows_what_was_made(bench: Bench) -> None:
    referral = sent(bench)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.one.life.at("store.insert_link", _no_storage)
    bench.event(referral)
    deal = opportunity_of(bench, referral)["Id"]
    bench.seller_edits(deal, StageName="Closed Lost")
    bench.later(LEASE)
    bench.rounds()
    assert len(opportunities_of(bench, referral)) == 1
    assert bench.partner_center.referral(referral)["substatus"] == "Lost"
    assert not bench.told(deal, "both sides")


@pytest.mark.parametrize("call", ["store.replace_pointer", "store.release_account"])
def test_a_store_that_fails_at_the_very_end_hides_nothing(bench: Bench, call: str) -> None:
    referral = sent(bench)
    bench.one.life.at(call, _no_storage, skip=1 if call == "store.replace_pointer" else 0)
    bench.event(referral)
    bench.later(LEASE)
    bench.rounds(1)
    deal = opportunity_of(bench, referral)["Id"]
    pointer = bench.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    assert len(bench.audit(deal)) == 1
    assert_quiet(bench)


def test_trouble_before_anything_was_made_is_tried_again_without_waiting_for_the_lease(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, path="composite$", status=503, times=3))
    bench.event(referral)
    bench.push(2 * MINUTE)
    assert opportunity_of(bench, referral)


def test_a_graph_that_is_refused_is_due_with_growing_patience_and_made_once_it_may_be(bench: Bench) -> None:
    referral = sent(bench)
    bench.validation_rule("Products__c")
    bench.event(referral)
    for _ in range(3):
        bench.push(HOUR)
    assert opportunities_of(bench, referral) == []
    assert bench.salesforce.records("Account") == []
    assert [due.attempts for due in bench.due(Side.PARTNER_CENTER)] == [3]
    bench.mend()
    bench.push(HOUR)
    assert opportunity_of(bench, referral)
    assert_quiet(bench)


def _no_storage() -> None:
    raise StoreUnavailable("storage did not answer")
