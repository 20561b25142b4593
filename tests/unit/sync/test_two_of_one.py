"""Two referrals that claim one opportunity, and two opportunities that carry one referral id.

Source: docs/protocol.md#two-of-one.
"""

from dataclasses import replace
from typing import Any

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, Harness


def inbox(harness: Harness) -> list[dict[str, Any]]:
    return [dict(record) for record in harness.salesforce.records("Cosell_Inbox__c")]


def close_as_error(harness: Harness, referral: str) -> None:
    """A colleague closes a referral in the portal."""
    harness.colleague_edits(referral, status="Closed", substatus="Error")


def test_an_open_second_referral_is_told_in_audit_inbox_and_log_and_the_linked_pair_goes_on(harness: Harness) -> None:
    deal = harness.shared_deal()
    second = harness.partner_center.portal_creates({"externalReferenceId": deal})
    harness.pull_event(second)
    harness.push()
    assert harness.count_in_audit(deal, f"a second open referral for this opportunity, {second}") == 1
    (record,) = inbox(harness)
    assert (record["Key__c"], record["Code__c"]) == (second, "second_referral_open")
    assert deal in record["Cause__c"]
    (told,) = harness.first.log.fields_of("deal_not_made")
    assert (told["referral_id"], told["code"]) == (second, "second_referral_open")
    assert len(harness.salesforce.records("Opportunity")) == 1
    linked = harness.stored_link(deal).referral_id
    assert linked not in (None, second)
    harness.seller_edits(deal, Amount=777)
    harness.push()
    values = {one["id"]: one["details"]["dealValue"] for one in harness.our_referrals()}
    assert values[linked] == 777
    assert values[second] != 777


def test_a_second_referral_is_told_once_and_leaves_the_inbox_when_it_is_closed(harness: Harness) -> None:
    deal = harness.shared_deal()
    second = harness.partner_center.portal_creates({"externalReferenceId": deal})
    harness.pull_event(second)
    harness.run_rounds(4, after=HOUR)
    assert harness.count_in_audit(deal, "a second open referral") == 1
    assert len(inbox(harness)) == 1
    close_as_error(harness, second)
    harness.run_rounds(2, after=HOUR)
    assert inbox(harness) == []
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert harness.differences(deal) == []


def test_a_second_referral_of_a_pair_that_is_being_worked_on_is_told_later(harness: Harness) -> None:
    deal = harness.shared_deal()
    second = harness.partner_center.portal_creates({"externalReferenceId": deal})
    harness.seller_edits(deal, Amount=5)
    other = harness.new_instance()
    other.process.interrupt_at("partner_center.patch", other.process.crash)
    assert other.crashes_during(lambda one: one.push())
    harness.pull_event(second)
    assert inbox(harness) == []
    harness.run_rounds()
    assert harness.count_in_audit(deal, "a second open referral") == 1
    assert len(inbox(harness)) == 1


def allow_one_id_twice(harness: Harness) -> None:
    """The administrator's own column for the referral id is not unique."""
    column = harness.salesforce.org.model.get("Opportunity").find_field("Referral_Identifier__c")
    assert column is not None
    harness.salesforce.org.put_field("Opportunity", replace(column, unique=False))


def test_a_second_opportunity_with_the_id_of_a_linked_referral_is_held_and_names_the_first(harness: Harness) -> None:
    allow_one_id_twice(harness)
    first = harness.shared_deal()
    referral = harness.referral_of(first)
    second = harness.seller_creates(Name="Restored", Referral_Identifier__c=referral["id"], Amount=3)
    harness.run_rounds()
    assert harness.referral_of(first) == referral
    assert len(harness.our_referrals()) == 1
    held = harness.stored_link(second)
    assert (held.state, held.referral_id) == (State.HELD, None)
    assert harness.opportunity(second)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(second, f"is synced with another opportunity, {first}") == 1
    pointer = harness.store.pointer(referral["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == first
    harness.seller_edits(first, Amount=4)
    harness.push()
    assert harness.referral_of(first)["details"]["dealValue"] == 4


def test_of_two_opportunities_with_the_id_of_a_new_referral_the_one_that_it_names_is_linked(harness: Harness) -> None:
    allow_one_id_twice(harness)
    deals = [harness.seller_creates(Name=name, Sync_with_Partner_Center__c=False) for name in ("A", "B")]
    referral = harness.partner_center.portal_creates({"externalReferenceId": deals[1]})
    for deal in deals:
        harness.seller_edits(deal, Referral_Identifier__c=referral)
    harness.pull_event(referral)
    assert harness.stored_link(deals[1]).referral_id == referral
    assert harness.store.link(deals[0]) is None


def test_a_second_opportunity_takes_the_place_of_the_first_once_that_is_deleted(harness: Harness) -> None:
    allow_one_id_twice(harness)
    first = harness.shared_deal()
    referral = harness.referral_of(first)["id"]
    second = harness.seller_creates(Name="ERP renewal", Referral_Identifier__c=referral, Amount=3)
    harness.push()
    assert harness.stored_link(second).state is State.HELD
    harness.salesforce.delete("Opportunity", first)
    harness.run_rounds(3, after=HOUR)
    assert harness.stored_link(first).state is State.GONE
    assert harness.stored_link(second).referral_id == referral
    assert harness.differences(second) == []
    assert len(harness.our_referrals()) == 1


def test_the_first_opportunity_is_held_when_it_comes_back_after_the_second_took_its_place(harness: Harness) -> None:
    allow_one_id_twice(harness)
    first = harness.shared_deal()
    referral = harness.referral_of(first)["id"]
    harness.salesforce.delete("Opportunity", first)
    harness.run_rounds(2, after=HOUR)
    second = harness.seller_creates(Name="ERP renewal", Referral_Identifier__c=referral, Amount=3)
    harness.run_rounds(2)
    harness.salesforce.undelete("Opportunity", first)
    harness.run_rounds(2, after=HOUR)
    assert (harness.stored_link(first).state, harness.stored_link(first).referral_id) == (State.HELD, None)
    assert harness.count_in_audit(first, f"is synced with another opportunity, {second}") == 1
    harness.seller_edits(first, Amount=99)
    harness.run_rounds(2)
    (known,) = harness.our_referrals()
    assert known["details"]["dealValue"] != 99
