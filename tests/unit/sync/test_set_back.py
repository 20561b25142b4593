"""The reply to a write is lost, and a person sets the value back before the recovery: the version tells their write.

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

from typing import Any

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.changed_mappings import Write
from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

DOUBT = "Amount: the sync was interrupted while it wrote 777.00 USD to Partner Center, which has 10000.00 USD."
LOST_PULL = {"path": "composite$", "method": "POST", "skip": 1}
"""The write of a pull: its first call reads the opportunity."""


def amounts(harness: Harness, deal: str) -> tuple[Any, Any]:
    return harness.opportunity(deal)["Amount"], harness.referral_of(deal)["details"]["dealValue"]


def push_with_lost(harness: Harness, kind: FaultKind, **values: object) -> str:
    """A deal that a seller edits; the PATCH, or its reply, is lost."""
    deal = harness.shared_deal()
    harness.advance_time(MINUTE)
    harness.seller_edits(deal, **values)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(kind, method="PATCH"))
    harness.push()
    harness.advance_time(MINUTE)
    return deal


def pull_with_lost(harness: Harness, kind: FaultKind) -> str:
    """A deal that a colleague edits; the conditional write to Salesforce, or its reply, is lost."""
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=777)
    harness.inject_fault(Side.SALESFORCE, Fault(kind, **LOST_PULL))  # type: ignore[arg-type]  # texts and a number
    harness.pull_event(referral)
    harness.advance_time(MINUTE)
    return deal


def recover(harness: Harness) -> None:
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    assert_quiet(harness)


def test_a_value_that_a_colleague_sets_back_is_not_sent_again(harness: Harness) -> None:
    deal = push_with_lost(harness, FaultKind.DROP_AFTER, Amount=777)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=10_000)
    recover(harness)
    assert amounts(harness, deal) == (10_000, 10_000)
    assert harness.count_in_audit(deal, "To Partner Center: Amount 10000.00 USD → 777.00 USD") == 1
    assert harness.count_in_audit(deal, "From Partner Center: Amount 777.00 USD → 10000.00 USD") == 1


def test_a_value_that_never_arrived_is_sent_again(harness: Harness) -> None:
    deal = push_with_lost(harness, FaultKind.DROP, Amount=777)
    recover(harness)
    assert amounts(harness, deal) == (777, 777)
    assert harness.count_in_audit(deal, DOUBT) == 0


def test_a_value_that_may_have_been_set_back_is_sent_again_and_the_audit_has_both(harness: Harness) -> None:
    deal = push_with_lost(harness, FaultKind.DROP, Amount=777)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Called.")
    recover(harness)
    assert amounts(harness, deal) == (777, 777)
    assert harness.opportunity(deal)["Description"] == "Called."
    assert harness.count_in_audit(deal, DOUBT) == 1


def test_another_value_of_the_write_shows_that_it_took_effect(harness: Harness) -> None:
    deal = push_with_lost(harness, FaultKind.DROP_AFTER, Amount=777, CloseDate="2027-07-07")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=10_000, details_notes="Called.")
    recover(harness)
    assert amounts(harness, deal) == (10_000, 10_000)
    assert harness.opportunity(deal)["CloseDate"] == "2027-07-07"
    assert harness.count_in_audit(deal, DOUBT) == 0


def test_an_edit_is_sent_though_a_colleague_had_entered_another_value_of_the_write_before(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.advance_time(MINUTE)
    harness.seller_edits(deal, Amount=777, CloseDate="2027-07-07")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=777)
    harness.advance_time(MINUTE)
    worker = harness.new_instance()
    worker.process.interrupt_at("partner_center.patch", worker.process.crash)
    assert worker.crashes_during(lambda instance: instance.push())
    recover(harness)
    assert amounts(harness, deal) == (777, 777)
    assert harness.opportunity(deal)["CloseDate"] == "2027-07-07"
    assert harness.referral_of(deal)["details"]["closingDateTime"][:10] == "2027-07-07"
    assert harness.count_in_audit(deal, "From Partner Center: Close Date") == 0
    assert harness.count_in_audit(deal, "Close Date: the sync was interrupted while it wrote 2027-07-07") == 1


def test_a_value_that_a_seller_sets_back_is_not_written_again(harness: Harness) -> None:
    deal = pull_with_lost(harness, FaultKind.DROP_AFTER)
    assert amounts(harness, deal) == (777, 777)
    harness.seller_edits(deal, Amount=10_000)
    recover(harness)
    assert amounts(harness, deal) == (10_000, 10_000)
    assert harness.count_in_audit(deal, "From Partner Center: Amount 10000.00 USD → 777.00 USD") == 1
    assert harness.count_in_audit(deal, "To Partner Center: Amount 777.00 USD → 10000.00 USD") == 1


def test_a_text_that_a_seller_emptied_and_that_may_have_come_back_is_named(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description=None)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Called.")
    harness.advance_time(MINUTE)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, **LOST_PULL))  # type: ignore[arg-type]  # as above
    harness.pull_event(harness.referral_of(deal)["id"])
    assert harness.opportunity(deal)["Description"] == "Called."
    harness.seller_edits(deal, Description="Another text.")
    recover(harness)
    named = (
        "Description: the sync was interrupted while it wrote Called. to Salesforce. It may have replaced empty there."
    )
    assert harness.count_in_audit(deal, named) == 1


def test_the_audit_shows_that_a_write_of_an_opportunity_never_arrived(harness: Harness) -> None:
    deal = pull_with_lost(harness, FaultKind.DROP)
    harness.seller_edits(deal, NextStep="Call")
    recover(harness)
    assert amounts(harness, deal) == (777, 777)
    assert harness.count_in_audit(deal, "interrupted") == 0


def test_a_recovery_without_another_save_costs_no_call_more(harness: Harness) -> None:
    pull_with_lost(harness, FaultKind.DROP)
    harness.advance_time(AFTER_LEASE)
    harness.forget_calls()
    harness.push()
    assert harness.new_calls()["salesforce.query"] == 2, "the poll, and the read under the lease"


def test_an_answer_that_a_colleague_gave_does_not_show_that_our_write_took_effect(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification", Amount=777)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="PATCH"))
    harness.push()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    recover(harness)
    assert (
        harness.opportunity(deal)["Amount"] == harness.partner_center.referral(referral)["details"]["dealValue"] == 777
    )


def test_an_edit_that_a_write_replaced_is_named_though_its_column_is_hidden_since_then(write: Write) -> None:
    with Harness(mapping=write('[fields.money]\nwinner = "partner_center"\n')) as harness:
        deal = harness.shared_deal()
        referral = harness.referral_of(deal)["id"]
        harness.advance_time(MINUTE)
        harness.colleague_edits(referral, details_dealValue=77000)
        harness.seller_edits(deal, Amount=12000)
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, **LOST_PULL))  # type: ignore[arg-type]  # as above
        harness.pull_event(referral)
        assert amounts(harness, deal) == (77000, 77000)
        restrict_known_columns(harness, hidden=["Opportunity.Amount"])
        harness.advance_time(AFTER_LEASE)
        harness.run_rounds()
        assert harness.count_in_audit(deal, "wrote 77000.00 USD to Salesforce. It may have replaced 12000.00 USD") == 1


def stopped_as_salesforce_ignored(harness: Harness) -> str:
    """A deal whose line items decide the amount 11,000; a run stopped after it wrote a colleague's 12,000."""
    deal = harness.shared_deal()
    harness.salesforce.set_line_items(deal, 11000)
    harness.run_rounds(1)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12000)
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.update_unmodified", worker.process.crash, after=True)
    assert worker.crashes_during(lambda instance: instance.sweep())
    return deal


def test_a_value_that_salesforce_ignored_is_not_taken_for_one_that_a_seller_set_back(harness: Harness) -> None:
    deal = stopped_as_salesforce_ignored(harness)
    harness.run_rounds()
    assert amounts(harness, deal) == (11000, 12000)
    assert harness.count_in_audit(deal, 'Amount "12000.00 USD" was written, but Salesforce kept "11000.00 USD"') == 1
    assert_quiet(harness)


def test_an_edit_is_not_replaced_because_the_run_before_stopped_after_its_own_write(
    harness: Harness,
) -> None:
    deal = harness.shared_deal()
    for call, values in ("salesforce.update", {"CloseDate": "2027-07-07"}), ("partner_center.patch", {"Amount": 777}):
        harness.advance_time(AFTER_LEASE)
        harness.seller_edits(deal, **values)
        worker = harness.new_instance()
        worker.process.interrupt_at(call, worker.process.crash)
        assert worker.crashes_during(lambda instance: instance.push()), call
    recover(harness)
    assert amounts(harness, deal) == (777, 777)
    assert harness.count_in_audit(deal, "From Partner Center: Amount") == 0


def test_a_value_that_line_items_decide_is_not_taken_for_one_that_a_seller_set_back(harness: Harness) -> None:
    deal = stopped_as_salesforce_ignored(harness)
    harness.seller_edits(deal, CloseDate="2027-07-07")
    harness.run_rounds()
    assert amounts(harness, deal) == (11000, 12000)
    assert harness.count_in_audit(deal, 'Amount "12000.00 USD" was written, but Salesforce kept "11000.00 USD"') == 1
    assert_quiet(harness)


def test_a_value_that_line_items_decided_is_not_taken_for_one_that_a_seller_set_back_who_removed_them(
    harness: Harness,
) -> None:
    deal = stopped_as_salesforce_ignored(harness)
    harness.advance_time(MINUTE)
    harness.salesforce.set_line_items(deal, None, present=False)
    recover(harness)
    assert amounts(harness, deal) == (12000, 12000)
    assert harness.count_in_audit(deal, "To Partner Center: Amount 12000.00 USD") == 0
    assert harness.count_in_audit(deal, "From Partner Center: Amount 11000.00 USD → 12000.00 USD") == 1


def test_a_value_that_a_seller_sets_back_with_line_items_added_since_is_told(harness: Harness) -> None:
    deal = pull_with_lost(harness, FaultKind.DROP_AFTER)
    harness.salesforce.set_line_items(deal, 10_000)
    recover(harness)
    assert amounts(harness, deal) == (10_000, 777)
    assert harness.count_in_audit(deal, 'Amount "777.00 USD" was written, but Salesforce kept "10000.00 USD"') == 1
