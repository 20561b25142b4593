"""A colleague's request replaces no entry of a seller's (docs/protocol.md#asking-microsoft-for-help)."""

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.heard_deals import asked_deal, hear
from tests.unit.sync.helped_deals import GENERAL, HELP, NOTES, PROOF
from tests.unit.sync.inbound_deals import assert_quiet


def test_a_colleagues_request_is_shown_where_the_seller_has_entered_nothing(harness: Harness) -> None:
    deal = asked_deal(harness)
    harness.advance_time(60)
    hear(harness, deal)
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)[NOTES]) == (GENERAL, "Please help.")
    assert_quiet(harness)


def test_a_request_is_shown_once_a_record_that_was_just_saved_can_be_written(harness: Harness) -> None:
    deal = asked_deal(harness)
    harness.seller_edits(deal, Description="Just saved.")
    hear(harness, deal)
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)["Microsoft_Status__c"]) == (None, "Asked")
    harness.run_rounds()
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)[NOTES]) == (GENERAL, "Please help.")
    assert_quiet(harness)


@pytest.mark.parametrize("call", ["salesforce.update_unmodified", "salesforce.update"])
def test_an_entry_that_a_seller_makes_before_the_request_is_shown_stays(harness: Harness, call: str) -> None:
    deal = asked_deal(harness)
    harness.advance_time(60)
    entry = {HELP: PROOF, NOTES: "A demo in May, please."}
    harness.first.process.interrupt_at(call, lambda: harness.seller_edits(deal, **entry))
    hear(harness, deal)
    harness.run_rounds()
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)[NOTES]) == tuple(entry.values())
    assert_quiet(harness)


def test_a_request_that_salesforce_refuses_is_written_again_each_hour(harness: Harness) -> None:
    deal = asked_deal(harness)
    harness.refuse_writes_of(HELP)
    harness.advance_time(60)
    hear(harness, deal)
    harness.run_rounds(2)
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)["Microsoft_Status__c"]) == (None, "Asked")
    unshown = harness.stored_link(deal).unshown
    assert unshown is not None
    assert unshown.cause is not None
    assert (unshown.cause.field, unshown.cause.reason) == (HELP, "Not so.")
    harness.salesforce.org.hooks.rules.clear()
    harness.run_rounds()
    assert (harness.opportunity(deal)[HELP], harness.opportunity(deal)[NOTES]) == (GENERAL, "Please help.")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)
