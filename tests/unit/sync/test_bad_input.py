"""Inputs that ought not to be: each has an outcome, and nothing is doubled or lost (docs/reference/bad-input.md)."""

import sqlite3
from datetime import timedelta

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunity_of

FOREIGN = "006AA0000099999AAA"
"""An opportunity id that this org never had."""


def copy_of_store(harness: Harness) -> sqlite3.Connection:
    """A copy of all rows of the store."""
    copy = sqlite3.connect(":memory:")
    harness.rows._connection.backup(copy)
    return copy


def restore(harness: Harness, copy: sqlite3.Connection) -> None:
    """Put a copy in the place of the store."""
    copy.backup(harness.rows._connection)
    copy.close()


def test_a_store_of_yesterday_agrees_again_with_both_sides_and_nothing_is_doubled_or_lost(harness: Harness) -> None:
    known = harness.shared_deal(Name="Known")
    harness.sweep()
    copy = copy_of_store(harness)
    harness.advance_time(timedelta(days=1).total_seconds())
    harness.seller_edits(known, Amount=5, Description="Said yes.")
    harness.colleague_edits(harness.referral_of(known)["id"], details_closingDateTime="2027-05-05T00:00:00Z")
    harness.run_rounds()
    created = harness.shared_deal(Name="Created since")
    arrived = microsoft_sends_deal(harness)
    harness.pull_event(arrived)
    harness.run_rounds()
    harness.seller_edits(known, Amount=7)  # not synced yet when the store is lost
    restore(harness, copy)
    worker = harness.new_instance()
    harness.run_rounds(4, by=worker)
    record = harness.opportunity(known)
    assert (record["Amount"], record["Description"], record["CloseDate"]) == (7, "Said yes.", "2027-05-05")
    assert harness.referral_of(known)["details"]["dealValue"] == 7
    deals = (known, created, opportunity_of(harness, arrived)["Id"])
    assert [harness.differences(deal) for deal in deals] == [[], [], []]
    assert len(harness.salesforce.records("Opportunity")) == 3
    assert len(harness.our_referrals()) == 3
    before = harness.all_versions()
    harness.run_rounds(1, by=worker)
    assert harness.all_versions() == before


def test_a_queue_message_of_last_week_costs_one_read_and_writes_nothing(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=8)
    harness.push_until_quiet()
    harness.advance_time(timedelta(days=7).total_seconds())
    harness.push_until_quiet()
    before = harness.all_versions()
    harness.pull_event(referral)
    assert harness.new_calls() == {"partner_center.get": 1}
    assert harness.all_versions() == before


def test_a_reference_to_an_opportunity_of_another_org_arrives_once_and_keeps_the_reference(harness: Harness) -> None:
    referral = harness.partner_center.portal_creates({"externalReferenceId": FOREIGN})
    harness.pull_event(referral)
    harness.run_rounds()
    (record,) = harness.salesforce.records("Opportunity")
    assert record["Referral_Identifier__c"] == referral
    assert harness.stored_link(str(record["Id"])).referral_id == referral
    (known,) = harness.our_referrals()
    assert known["externalReferenceId"] == FOREIGN
