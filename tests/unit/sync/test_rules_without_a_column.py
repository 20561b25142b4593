"""A rule that refuses a new opportunity for one value without naming it stops neither the deal nor another value.

Source: docs/protocol.md#creating-an-opportunity.
"""

from typing import Any

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of


class RuleAboutNotes(ValidationRule):
    """A rule that refuses each save of notes, new records included, and names no column."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        return sobject == "Opportunity" and "Description" in written and record.get("Description") is not None


def test_a_deal_arrives_without_the_value_that_a_rule_refuses_and_does_not_name(harness: Harness) -> None:
    rule = RuleAboutNotes("Opportunity", "Loss_Reason__c", "Not so.")
    harness.salesforce.org.hooks.rules.append(rule)
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    deal = opportunity_of(harness, referral)
    assert (deal["Amount"], deal["Description"], deal["Sync_Status__c"]) == (25000, None, "Failed")
    assert harness.count_in_audit(deal["Id"], "Description") == 1
    harness.salesforce.org.hooks.rules.remove(rule)
    harness.run_rounds(after=HOUR)
    deal = opportunity_of(harness, referral)
    assert (deal["Description"], deal["Sync_Status__c"]) == ("Wants a pilot before summer.", "Waiting")
    assert_quiet(harness)
