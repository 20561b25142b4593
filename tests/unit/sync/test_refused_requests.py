"""A request for help that Partner Center refuses or does not take (docs/protocol.md#asking-microsoft-for-help)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness
from tests.unit.sync.helped_deals import (
    ASKED,
    NOTES,
    TWO_MINUTES,
    VISIBLE,
    asked_for,
    assert_asked_once,
    mark,
    microsofts_records,
    new_deal,
)
from tests.unit.sync.inbound_deals import assert_quiet


def test_a_refused_request_is_told_once_and_sent_again_when_the_deal_changes(harness: Harness) -> None:
    harness.partner_center.switches.solutions_not_ready = ("SOL-10001",)
    deal = new_deal(harness)
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    assert (len(harness.our_referrals()), microsofts_records(harness), mark(harness, deal)) == (1, [], "Failed")
    assert harness.count_in_audit(deal, "No solution is co-sell ready") == 1
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)[VISIBLE]
    assert_quiet(harness)
    harness.partner_center.switches.solutions_not_ready = ()
    harness.seller_edits(deal, Products__c="SOL-10001, SOL-20002")
    harness.push()
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal)[0] == "ProofOfConceptOrDemo"
    assert harness.count_in_audit(deal, ASKED) == 1


def test_a_parked_create_is_sent_again_once_the_seller_corrects_the_notes(harness: Harness) -> None:
    deal = new_deal(harness)
    answer = '{"error": {"code": "invalidRequest", "message": "Please write less."}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="POST", status=400, body=answer))
    harness.push(TWO_MINUTES)
    assert (harness.partner_center.referrals(), mark(harness, deal)) == ([], "Failed")
    harness.seller_edits(deal, **{NOTES: "A demo."})
    harness.push()
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo.")


@pytest.mark.parametrize("status", [401, 429])
def test_a_request_that_is_surely_not_sent_is_sent_later(harness: Harness, status: int) -> None:
    deal = new_deal(harness)
    headers = {"Retry-After": "60"}
    fault = Fault(FaultKind.ANSWER, method="POST", path="referrals", status=status, headers=headers, skip=1, times=2)
    harness.inject_fault(Side.PARTNER_CENTER, fault)
    harness.push(TWO_MINUTES)
    assert (len(harness.our_referrals()), microsofts_records(harness)) == (1, [])
    harness.clear_faults()
    harness.run_rounds(2, harness.first)
    assert_asked_once(harness, deal)
