"""What an arrival told and put on record is still told after a crash between the graph's answer and the link.

Source: docs/protocol.md#creating-an-opportunity.
"""

import pytest

from emulators.salesforce.data.duplicate_rules import DuplicateRules
from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of, recover_after_lease
from tests.unit.sync.owned_deals import BERT, DEFAULT_OWNER, org_with_owners, user_id


def refuse(harness: Harness, sobject: str, column: str) -> None:
    harness.salesforce.org.hooks.rules.append(ValidationRule(sobject, column, "Not so.", None))


def arrive(harness: Harness, stopped_at: str | None) -> str:
    """The opportunity of a deal that Microsoft sends; the instance that creates it may crash."""
    referral = microsoft_sends_deal(harness)
    if stopped_at is None:
        harness.pull_event(referral)
    else:
        victim = harness.new_instance()
        victim.process.interrupt_at(stopped_at, victim.process.crash)
        assert victim.crashes_during(lambda one: one.pull_event(referral))
        recover_after_lease(harness)
    harness.run_rounds()
    return str(opportunity_of(harness, referral)["Id"])


@pytest.mark.parametrize(
    ("sobject", "column", "told"),
    [
        ("Contact", "Phone", "Phone of Ada Lind was left out"),
        ("Contact", "LastName", "Salesforce refused the contact Ada Lind"),
        ("Account", "BillingCity", "BillingCity"),
        ("Opportunity", "Products__c", "Products"),
        ("Opportunity", "Description", "was left out, because Salesforce refused it: Not so."),
    ],
)
@pytest.mark.parametrize("stopped_at", [None, "store.insert_link"])
def test_what_salesforce_refused_at_creation_is_told_once_after_a_crash(
    harness: Harness, sobject: str, column: str, told: str, stopped_at: str | None
) -> None:
    refuse(harness, sobject, column)
    deal = arrive(harness, stopped_at)
    assert harness.count_in_audit(deal, told) == 1, harness.audit_texts(deal)
    assert harness.count_in_audit(deal, "Not so") == 1, harness.audit_texts(deal)
    assert harness.count_in_audit(deal, "This opportunity was created") == 1
    assert_quiet(harness)


@pytest.mark.parametrize("stopped_at", [None, "store.insert_link"])
def test_an_account_that_a_duplicate_rule_found_is_named_after_a_crash(
    harness: Harness, stopped_at: str | None
) -> None:
    harness.salesforce.org.put_switch(DuplicateRules())
    place = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "DK"}
    harness.salesforce.insert("Account", {**place, "Name": "Fabrikam Robotics Ltd."})
    deal = arrive(harness, stopped_at)
    assert harness.count_in_audit(deal, "The one that it found is used") == 1, harness.audit_texts(deal)


@pytest.mark.parametrize("stopped_at", [None, "store.insert_link"])
def test_an_owner_whom_salesforce_refused_is_named_after_a_crash(stopped_at: str | None) -> None:
    with org_with_owners(DEFAULT_OWNER) as harness:
        harness.salesforce.permission_sets[user_id(harness, BERT)] = ()
        deal = arrive(harness, stopped_at)
        assert harness.count_in_audit(deal, "Salesforce refused Bert Example") == 1, harness.audit_texts(deal)
        assert_quiet(harness)
