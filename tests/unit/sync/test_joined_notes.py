"""Both sides edit the notes, and one side cannot take the joined text.

Sources: docs/protocol.md#recovery-of-interrupted-work, docs/protocol.md#notes.
"""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet


@pytest.fixture
def closed_deal(harness: Harness) -> str:
    """An opportunity: its seller and a colleague both wrote notes, and the referral was closed right afterwards."""
    opportunity = harness.shared_deal()
    harness.seller_edits(opportunity, Description="The seller's words")
    referral = str(harness.referral_of(opportunity)["id"])
    harness.colleague_edits(referral, details_notes="The colleague's words", status="Closed", substatus="Lost")
    return opportunity


def test_salesforce_gets_both_texts_and_the_closed_referral_keeps_its_own(harness: Harness, closed_deal: str) -> None:
    harness.run_rounds(3)
    notes = harness.opportunity(closed_deal)["Description"]
    assert "The seller's words" in notes
    assert "The colleague's words" in notes
    assert harness.referral_of(closed_deal)["details"]["notes"] == "The colleague's words"


def test_the_refused_text_is_reported_once_and_nothing_is_written_again(harness: Harness, closed_deal: str) -> None:
    harness.run_rounds(3)
    audit = harness.audit_texts(closed_deal)
    assert sum("the deal is closed in Partner Center" in line for line in audit) == 1
    harness.forget_calls()
    stamp = harness.opportunity(closed_deal)["SystemModstamp"]
    harness.run_rounds(2)
    assert harness.audit_texts(closed_deal) == audit
    assert harness.opportunity(closed_deal)["SystemModstamp"] == stamp


def test_the_seller_keeps_the_joined_text_if_the_run_stops_after_it_was_written(
    harness: Harness, closed_deal: str
) -> None:
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.update_unmodified", worker.process.crash, after=True)
    assert worker.crashes_during(Instance.sweep)
    notes = harness.opportunity(closed_deal)["Description"]
    assert "The seller's words" in notes
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(3)
    assert harness.opportunity(closed_deal)["Description"] == notes
    assert harness.stored_link(closed_deal).base["notes"] == "The colleague's words"


def test_the_base_holds_only_a_text_that_both_sides_have(harness: Harness, closed_deal: str) -> None:
    harness.run_rounds(3)
    assert harness.stored_link(closed_deal).base["notes"] == "The colleague's words"
    assert harness.stored_link(closed_deal).refused[f"{Side.PARTNER_CENTER}.notes"].code == "closed_is_final"


def test_joined_notes_that_salesforce_refuses_are_told_once(harness: Harness, closed_deal: str) -> None:
    """The mark moves the record's date, so later tries join the texts in another order, below another dated line."""
    harness.refuse_writes_of("Description")
    harness.run_rounds(2)
    for _ in range(4):
        harness.push(HOUR + MINUTE)
    audit = harness.audit_texts(closed_deal)
    assert sum("Not so." in line for line in audit) == 1
    assert sum("the deal is closed in Partner Center" in line for line in audit) == 1
    assert harness.opportunity(closed_deal)["Sync_Status__c"] == "Failed"
    assert_quiet(harness)


def test_joined_notes_of_an_unanswered_deal_that_salesforce_refuses_are_told_once(harness: Harness) -> None:
    """Partner Center does not take them before the answer: both refusals are on record, and neither hides the other."""
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Description="The seller's words")
    harness.run_rounds(1)
    harness.refuse_writes_of("Description")
    harness.colleague_edits(referral, details_notes="The colleague's words")
    harness.run_rounds(2)
    told = harness.audit_texts(deal)
    for _ in range(3):
        harness.push(HOUR + MINUTE)
    assert harness.audit_texts(deal) == told


@pytest.fixture
def both_edited(harness: Harness) -> str:
    """An open deal whose seller and a colleague both wrote notes."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description="The seller's words")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="The colleague's words")
    return deal


def test_joined_notes_are_told_once_although_their_write_to_salesforce_has_to_wait(
    harness: Harness, both_edited: str
) -> None:
    harness.lock_record(both_edited, times=3)
    harness.push()
    assert harness.opportunity(both_edited)["Description"] == "The seller's words"
    harness.run_rounds(4)
    assert harness.opportunity(both_edited)["Description"] == harness.referral_of(both_edited)["details"]["notes"]
    assert harness.count_in_audit(both_edited, "Both texts were kept") == 1


def test_joined_notes_are_told_although_the_reply_of_their_patch_is_lost(harness: Harness, both_edited: str) -> None:
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    harness.push()
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(3)
    assert harness.opportunity(both_edited)["Description"] == harness.referral_of(both_edited)["details"]["notes"]
    assert harness.count_in_audit(both_edited, "Both texts were kept") == 1


def test_notes_that_one_run_joins_twice_are_told_once(harness: Harness) -> None:
    """A run stops before its write. The next one joins the text that the intent names, and then the last one."""
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, details_notes="The first words")
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.update_unmodified", worker.process.crash)
    assert worker.crashes_during(Instance.sweep)
    harness.seller_edits(deal, Description="The seller's words", CloseDate="2027-07-07")
    harness.colleague_edits(referral, details_notes="The last words", status="Active", substatus="Accepted")
    harness.pull_event(referral)  # the lease of the run that stopped is not over: the referral waits
    harness.push(AFTER_LEASE)
    stored = [line.at for line in harness.store.audit(deal) if line.code == "both_texts"]
    assert len(stored) == 2, "both were joined in one second"
    assert stored[0] == stored[1]
    harness.run_rounds(2)
    assert harness.count_in_audit(deal, "Both texts were kept") == 1
    assert "The last words" in harness.opportunity(deal)["Description"]
    assert_quiet(harness)
