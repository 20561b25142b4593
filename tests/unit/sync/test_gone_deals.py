"""A deal whose opportunity is deleted or hidden is gone until it is there again.

Source: docs/protocol.md#states-of-a-link.
"""

from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link import WAS_DELETED, WAS_HIDDEN
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.polled_deals import push_often
from tests.unit.sync.test_inbox import inbox

DAY = 24 * HOUR


def delete(harness: Harness, deal: str) -> None:
    """The seller deletes the opportunity, which the next pushes see."""
    harness.salesforce.delete("Opportunity", deal)
    push_often(harness)
    harness.forget_calls()


def hide(harness: Harness, deal: str) -> None:
    """A sharing rule is taken away, and a change of the referral lets the sync look."""
    harness.salesforce.org.sharing.models["Opportunity"] = "Private"
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=500)
    harness.sweep()
    harness.forget_calls()


def show_again(harness: Harness) -> None:
    """The sharing rule is back. No record gets a new stamp by that."""
    harness.salesforce.org.sharing.models.clear()


def test_a_read_tells_a_deleted_opportunity_from_a_hidden_one(harness: Harness) -> None:
    deleted, hidden = harness.shared_deal(), harness.shared_deal(Name="Other")
    delete(harness, deleted)
    hide(harness, hidden)
    links = [harness.stored_link(deal) for deal in (deleted, hidden)]
    assert [link.state for link in links] == [State.GONE, State.GONE]
    assert [link.gone and link.gone.code for link in links] == [WAS_DELETED, WAS_HIDDEN]
    log = harness.first.log
    assert (log.opportunities_of("opportunity_deleted"), log.opportunities_of("opportunity_hidden")) == (
        [deleted],
        [hidden],
    )
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["deleted", "hidden"]


@pytest.mark.parametrize("with_stamp", [True, False])
def test_a_restored_opportunity_is_merged_from_the_kept_base(harness: Harness, *, with_stamp: bool) -> None:
    deal = harness.shared_deal()
    delete(harness, deal)
    referral = harness.referral_of(deal)
    harness.colleague_edits(referral["id"], details_dealValue=500)
    harness.sweep()
    record = harness.salesforce.org.stored_record("Opportunity", deal)
    harness.salesforce.undelete("Opportunity", deal)
    if not with_stamp:
        harness.salesforce.org.put("Opportunity", deal, {**(record or {}), "IsDeleted": False})
        harness.push(DAY + MINUTE)
    push_often(harness)
    assert (harness.opportunity(deal)["Amount"], harness.stored_link(deal).state) == (500, State.LIVE)
    assert harness.count_in_audit(deal, "This opportunity was deleted. Nothing was synced") == 1
    assert (inbox(harness), harness.retry_entries(Side.SALESFORCE)) == ([], [])
    assert_quiet(harness)


def test_a_hidden_opportunity_that_is_shown_again_without_a_stamp_is_found_within_the_hour(harness: Harness) -> None:
    deal = harness.shared_deal()
    hide(harness, deal)
    harness.push(HOUR)
    assert harness.new_calls() == {"salesforce.query": 3}  # the poll, the look for all hidden ones, and the bin
    assert harness.first.log.opportunities_of("opportunity_hidden") == [deal, deal]
    show_again(harness)
    harness.push(HOUR + MINUTE)
    assert (harness.opportunity(deal)["Amount"], harness.stored_link(deal).state) == (500, State.LIVE)
    assert harness.count_in_audit(deal, "could not see this opportunity") == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_nothing_of_a_gone_deal_is_created_closed_or_counted_as_late(harness: Harness) -> None:
    deal = harness.shared_deal()
    delete(harness, deal)
    referral = harness.referral_of(deal)
    harness.run_rounds()
    assert harness.referral_of(deal)["eTag"] == referral["eTag"]
    assert harness.salesforce.records("Opportunity") == []
    assert harness.first.log.fields_of("unsynced")[-1] == {"count": 0, "oldest_seconds": 0}


def test_a_deleted_deal_is_in_the_inbox_until_its_referral_is_closed(harness: Harness) -> None:
    deal = harness.shared_deal()
    delete(harness, deal)
    [shown] = inbox(harness)
    assert (shown["Key__c"], shown["Code__c"], shown["Name"]) == (deal, "opportunity_deleted", "ERP renewal")
    assert "restore the opportunity from the Recycle Bin, or close the referral" in shown["Remedy__c"]
    harness.push(DAY + MINUTE)
    assert inbox(harness) == [shown]
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.sweep()
    assert inbox(harness) == []
    harness.push(DAY + MINUTE)
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_deal_that_left_the_recycle_bin_is_no_longer_looked_for(harness: Harness) -> None:
    deal = harness.shared_deal()
    delete(harness, deal)
    del harness.salesforce.org._records["Opportunity"][deal]
    harness.push(DAY + MINUTE)
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert harness.stored_link(deal).state is State.GONE


def test_a_paused_deal_that_is_deleted_and_restored_is_paused_and_no_task_for_anybody(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push()
    delete(harness, deal)
    assert inbox(harness) == []
    harness.salesforce.undelete("Opportunity", deal)
    push_often(harness)
    assert harness.stored_link(deal).state is State.PAUSED
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=777)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 777


@pytest.mark.parametrize("way", ["deleted", "hidden"])
def test_what_a_lost_write_replaced_is_told_although_the_deal_is_gone_before_the_recovery(
    harness: Harness, way: str
) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=600)
    harness.seller_edits(deal, Amount=500)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH", skip=1))
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    if way == "deleted":
        harness.salesforce.delete("Opportunity", deal)
    else:
        harness.salesforce.org.sharing.models["Opportunity"] = "Private"
    harness.run_rounds(2)
    assert (harness.stored_link(deal).state, harness.stored_link(deal).intent) == (State.GONE, None)
    harness.salesforce.undelete("Opportunity", deal) if way == "deleted" else show_again(harness)
    harness.run_rounds(after=HOUR)
    assert harness.count_in_audit(deal, "Amount 600.00 USD → 500.00 USD") == 1
    assert_quiet(harness)


def test_an_edit_that_a_lost_write_to_the_opportunity_replaced_is_told_although_the_deal_is_gone(
    tmp_path: Path,
) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\nversion = 1\n[fields.money]\nwinner = "partner_center"\n', "utf-8")
    with Harness(mapping=mapping) as harness:
        deal = harness.shared_deal()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
        harness.seller_edits(deal, Amount=500)
        harness.advance_time(HOUR)
        worker = harness.new_instance()
        worker.process.interrupt_at("salesforce.update_unmodified", worker.process.crash, after=True)
        assert worker.crashes_during(lambda instance: instance.push())
        assert harness.opportunity(deal)["Amount"] == 600
        harness.salesforce.delete("Opportunity", deal)
        harness.run_rounds(2)
        harness.salesforce.undelete("Opportunity", deal)
        harness.run_rounds(after=HOUR)
        assert harness.count_in_audit(deal, "may have replaced 500.00 USD") == 1
        assert_quiet(harness)
