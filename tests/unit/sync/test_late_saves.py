"""A save carries the second in which it began, and is committed up to 30 seconds later.

The condition of a write has whole seconds, so a save of the same second passes it: a record is written only once no
such save can be open. Source: docs/protocol.md#writing-values-that-people-edit.
"""

from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.foundation.known_shapes import known_code
from tests.unit.sync.harness import MINUTE, RESTED, Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.lead_deals import arrived_lead, lead_of, leads

__all__ = ["leads"]

LATEST = timedelta(seconds=29)


@pytest.fixture
def deal(harness: Harness) -> str:
    """A deal that the sync has written this second. A seller's save of the same second is committed later."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, NextStep="Call", Description="Called again.")
    harness.push()
    harness.salesforce.lag = LATEST
    harness.seller_edits(deal, Amount=777, CloseDate="2027-07-07")
    harness.salesforce.lag = timedelta()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12_000)
    harness.forget_calls()
    return deal


@pytest.mark.parametrize("after", [2.0, 28.5])
def test_a_save_of_the_second_of_our_write_that_is_committed_later_is_not_overwritten(
    harness: Harness, deal: str, after: float
) -> None:
    referral = harness.referral_of(deal)["id"]
    # It is committed between the read of the pull and its write.
    harness.first.process.interrupt_at("salesforce.update_unmodified", lambda: harness.advance_time(LATEST.seconds))
    harness.pull_event(referral, after)
    assert harness.opportunity(deal)["Audit__c"].count("12000") == 0
    harness.run_rounds(2, after=MINUTE)
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Amount"], details["dealValue"]) == (777, 777)
    assert details["closingDateTime"][:10] == harness.opportunity(deal)["CloseDate"] == "2027-07-07"
    (conflict,) = [line for line in harness.audit_texts(deal) if "both sides" in line]
    assert "12000.00 USD" in conflict
    assert "777.00 USD" in conflict
    assert_quiet(harness)


def test_a_record_that_was_just_saved_waits_at_a_set_time_and_delays_no_other(harness: Harness) -> None:
    deal, other = harness.shared_deal(), harness.shared_deal()
    harness.advance_time(MINUTE)
    harness.seller_edits(deal, NextStep="Call")
    started = harness.now()
    for one in (deal, other):
        harness.colleague_edits(harness.referral_of(one)["id"], details_dealValue=12_000)
    harness.sweep(after=0.0)
    assert harness.now() == started
    assert [harness.opportunity(one)["Amount"] for one in (deal, other)] == [10_000, 12_000]
    entry = harness.only_retry_entry(Side.PARTNER_CENTER)
    assert (entry.cause, entry.at) == ("just_saved", started + timedelta(seconds=RESTED))
    assert known_code(entry.cause) == "just_saved", "the log names it"
    harness.push()
    assert harness.opportunity(deal)["Amount"] == 12_000
    assert_quiet(harness)


def test_a_lead_that_was_just_saved_waits_too(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="We need thirteen.")
    leads.pull_event(referral, 5.0)
    assert leads.only_retry_entry(Side.PARTNER_CENTER).cause == "just_saved"
    leads.push()
    assert lead_of(leads, referral)["Description"].endswith("We need thirteen.")
