"""One column of ours that Salesforce refuses stops no other one.

Source: docs/protocol.md#writing-the-connectors-own-fields.
"""

from typing import Any

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from shared.domain.deal import Side
from shared.store.stored_values import WAITING
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of


class RuleOfAColumn(ValidationRule):
    """A rule that refuses saves of one column (`value`), and whose error names another one."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        return sobject == self.sobject and bool(record["Id"]) and self.value in written


@pytest.mark.parametrize("column", ["Sync_Status__c", "Audit__c", "Referral_Identifier__c"])
def test_a_column_of_ours_that_a_rule_refuses_without_its_name_stops_no_other_column(
    harness: Harness, column: str
) -> None:
    deal = harness.seller_creates()
    harness.salesforce.org.hooks.rules.append(RuleOfAColumn("Opportunity", "Loss_Reason__c", "Not so.", value=column))
    harness.push()
    opportunity = harness.opportunity(deal)
    assert [name for name in ("Sync_Status__c", "Audit__c", "Referral_Identifier__c") if not opportunity[name]] == [
        column
    ]
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.count_in_audit(deal, "A referral was created") == 1
    assert_quiet(harness)


def test_a_mark_that_a_stopped_run_wrote_is_replaced_although_salesforce_refuses_the_next_one_at_first(
    harness: Harness,
) -> None:
    """The link knows the mark before: nobody knows which one the opportunity shows."""
    deal = harness.shared_deal()
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Lost"}, user=harness.salesforce.automated)
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.update", worker.process.crash, after=True)
    assert worker.crashes_during(Instance.push)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    harness.refuse_writes_of("Sync_Status__c", times=3)
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.advance_time(AFTER_LEASE)
    harness.sweep()
    harness.clear_faults()
    harness.push(HOUR + MINUTE)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_note_that_waits_is_shown_although_the_queue_has_only_the_time_of_a_warning(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds(2)
    deal = opportunity_of(harness, referral)["Id"]
    assert [entry.cause for entry in harness.all_retry_entries(Side.SALESFORCE)] == [WAITING]
    harness.seller_edits(deal, Products__c="SOL-1;SOL-2;SOL-3")
    harness.lock_record(deal)
    crashing = harness.new_instance()
    crashing.process.interrupt_at("store.put_retry_entry", crashing.process.crash)
    assert crashing.crashes_during(lambda instance: instance.push(after=HOUR))
    harness.push()
    assert harness.count_in_audit(deal, "was not sent: the deal is not accepted yet") == 1
