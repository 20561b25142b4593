"""A column of ours that Salesforce refuses is written again an hour later, whatever happens to the pair meanwhile.

Source: docs/protocol.md#writing-the-connectors-own-fields.
"""

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

MARK = "Sync_Status__c"


@pytest.fixture
def refused(harness: Harness) -> str:
    """A deal whose mark becomes *Synced with differences*, which Salesforce refuses."""
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Won")
    harness.run_rounds()
    harness.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", MARK, "Not so.", None))
    harness.seller_edits(deal, Amount=777)
    return deal


def allow(harness: Harness) -> None:
    harness.salesforce.org.hooks.rules.clear()


def test_another_edit_within_the_hour_does_not_end_the_wait(harness: Harness, refused: str) -> None:
    harness.push(MINUTE)
    assert harness.opportunity(refused)[MARK] == "Synced"
    harness.seller_edits(refused, NextStep="A call")
    harness.push(MINUTE)
    harness.push(MINUTE)
    allow(harness)
    harness.push(HOUR)
    assert harness.opportunity(refused)[MARK] == "Synced with differences"
    assert_quiet(harness)


@pytest.mark.parametrize("is_push", [True, False])
def test_a_run_that_stops_before_it_queues_the_pair_loses_no_mark(harness: Harness, *, is_push: bool) -> None:
    """Both sides agree when the mark is refused, so both versions are known."""
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    harness.run_rounds()
    assert harness.opportunity(deal)[MARK] == "Failed"
    harness.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", MARK, "Not so.", None))
    harness.colleague_edits(referral, status="Closed", substatus="Won")
    crashed = harness.new_instance()
    crashed.process.interrupt_at("store.put_retry_entry", crashed.process.crash)
    harness.advance_time(MINUTE)
    assert crashed.crashes_during(lambda instance: instance.sweep())
    allow(harness)
    for _ in range(2):
        harness.advance_time(HOUR)
        harness.push() if is_push else harness.sweep()
    assert harness.opportunity(deal)[MARK] == "Synced"


def test_a_refused_mark_is_written_although_the_row_knows_no_other(harness: Harness) -> None:
    """The run that wrote *Failed* stopped before its row said so."""
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    harness.advance_time(MINUTE)
    crashed = harness.new_instance()
    crashed.process.interrupt_at("salesforce.update", crashed.process.crash, after=True)
    assert crashed.crashes_during(lambda instance: instance.push())
    assert harness.opportunity(deal)[MARK] == "Failed"
    harness.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", MARK, "Not so.", None))
    harness.colleague_edits(referral, status="Closed", substatus="Won")
    harness.push(AFTER_LEASE)
    harness.sweep()
    allow(harness)
    harness.run_rounds(2, after=HOUR)
    assert harness.opportunity(deal)[MARK] == "Synced"
    assert_quiet(harness)
