"""Whatever ends a plan ends its writes, and what it has put on record is told.

Source: docs/protocol.md#one-effect-after-the-other.
"""

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunity_of, recover_after_lease
from tests.unit.sync.outbound_deals import unticked_during_a_run


def test_nothing_is_sent_again_once_the_tick_is_removed_during_the_run(harness: Harness) -> None:
    deal = unticked_during_a_run(harness, Amount=888)
    assert harness.new_calls()["partner_center.patch"] == 2  # the first is answered 412: the colleague was faster
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert harness.count_in_audit(deal, "→ 777.00 USD") == 1


def test_what_was_recovered_is_told_although_the_side_is_paused_before_its_pair_is_written(harness: Harness) -> None:
    other, deal = harness.shared_deal(), harness.shared_deal(Name="Second")
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH", skip=1))
    harness.push()
    harness.advance_time(AFTER_LEASE)
    harness.seller_edits(other, Amount=1)
    harness.seller_edits(deal, CloseDate="2020-01-01")  # the plan has a warning to remember
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=429))
    harness.push()
    harness.run_rounds()
    assert harness.count_in_audit(deal, "600.00 USD") == 1


def test_a_stage_that_was_a_question_is_told_when_it_is_refused_as_an_answer(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Closed", substatus="Declined")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Qualification")
    recover_after_lease(harness)
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, "Stage Qualification may be set by automation") == 1
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds()
    assert harness.count_in_audit(deal, 'Stage "Active/Accepted" was not sent') == 1
