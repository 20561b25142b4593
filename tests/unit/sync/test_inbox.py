"""A deal that cannot be made is shown in the inbox of the Salesforce package until it is made.

Source: docs/protocol.md#the-inbox.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.hooks import ValidationRule
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import (
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
)

INBOX, KEY = "Cosell_Inbox__c", "Key__c"


def inbox(harness: Harness) -> list[dict[str, Any]]:
    """The records of the inbox."""
    return [dict(record) for record in harness.salesforce.records(INBOX)]


def refused_deal(harness: Harness, **fields: object) -> str:
    """A deal from Microsoft that a validation rule of the org refuses. Returns the referral's id."""
    harness.refuse_writes_of("Name")
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    return referral


def retry_within_the_hour(harness: Harness) -> None:
    harness.advance_time(HOUR)
    harness.push()


def count_writes(harness: Harness) -> int:
    """The calls up to now that wrote or deleted an inbox record."""
    return sum(INBOX in entry.path for entry in harness.salesforce.journal)


def test_a_refused_deal_is_shown_with_its_cause_in_the_far_sides_own_words(harness: Harness) -> None:
    referral = refused_deal(harness)
    (record,) = inbox(harness)
    expected = {
        "Key__c": referral,
        "Name": "Robots for the harbour",
        "Customer__c": "Fabrikam Robotics",
        "Deal_Value__c": 25000.0,
        "Deal_Currency__c": "EUR",
        "Cause__c": "Not so.",
        "Code__c": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Refused_Field__c": "Name",
        "Matches__c": None,
        "Remedy__c": "Change the value in Partner Center. Or let the rule except the integration user.",
        "Link__c": f"https://partner.microsoft.com/referrals/v2/inbox?id={referral}",
    }
    assert {name: record[name] for name in expected} == expected
    (reported,) = harness.first.log.fields_of("deal_not_made")
    assert reported.pop("correlation_id")
    assert reported == {
        "opportunity_id": None, "referral_id": referral, "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "field": "Name",
    }  # fmt: skip


def test_a_deal_without_a_usable_customer_is_shown(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/customerProfile/name": None})
    harness.pull_event(referral)
    (record,) = inbox(harness)
    assert (record["Key__c"], record["Customer__c"], record["Refused_Field__c"]) == (referral, None, "account")
    assert record["Cause__c"]
    assert record["Remedy__c"]


@pytest.mark.parametrize(
    ("expires", "answer_by"),
    [("2026-12-01T08:30:00.1234567Z", "2026-12-01T08:30:00.000+0000"), (None, "2026-12-06T10:00:00.000+0000")],
)
def test_an_unanswered_deal_says_by_when_microsoft_awaits_an_answer(
    harness: Harness, expires: str | None, answer_by: str
) -> None:
    harness.refuse_writes_of("Name")
    referral = microsoft_sends_deal(harness)
    created = {"/createdDateTime": "2026-11-22T10:00:00.0000000Z"}
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": expires, **created})
    harness.pull_event(referral)
    (record,) = inbox(harness)
    assert record["Answer_By__c"] == answer_by


def test_an_accepted_deal_awaits_no_answer(harness: Harness) -> None:
    harness.refuse_writes_of("Name")
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    (record,) = inbox(harness)
    assert record["Answer_By__c"] is None


def test_an_unchanged_record_is_not_written_again(harness: Harness) -> None:
    refused_deal(harness)
    before, writes = inbox(harness), count_writes(harness)
    for _ in range(3):
        retry_within_the_hour(harness)
    harness.new_instance().push(HOUR)
    assert (inbox(harness), count_writes(harness)) == (before, writes)
    assert len(harness.first.log.fields_of("deal_not_made")) == 4  # the alert counts it each hour


def test_another_cause_changes_the_same_record(harness: Harness) -> None:
    referral = refused_deal(harness)
    (before,) = inbox(harness)
    harness.clear_faults()
    harness.partner_center.raw_patch(referral, {"/customerProfile/name": None})
    retry_within_the_hour(harness)
    (after,) = inbox(harness)
    assert (after["Id"], after["Refused_Field__c"]) == (before["Id"], "account")


def test_the_record_is_deleted_when_the_hourly_try_makes_the_deal(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.clear_faults()
    retry_within_the_hour(harness)
    assert opportunity_of(harness, referral)
    assert inbox(harness) == []
    assert_quiet(harness)


def test_the_record_is_deleted_when_an_event_makes_the_deal(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.clear_faults()
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)
    assert inbox(harness) == []


def test_the_record_is_deleted_when_the_seller_names_the_referral_in_an_opportunity(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.clear_faults()
    deal = harness.seller_creates(Referral_Identifier__c=referral, Name="Robots for the harbour")
    harness.push()
    assert harness.stored_link(deal).referral_id == referral
    assert inbox(harness) == []


def test_the_record_is_deleted_when_the_referral_is_gone(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="GET", path=f"/referrals/{referral}", status=404, body="{}")
    )
    retry_within_the_hour(harness)
    assert inbox(harness) == []
    assert harness.store.pointer(referral) is None


def test_a_deal_that_nothing_refuses_costs_no_call_for_the_inbox(harness: Harness) -> None:
    harness.pull_event(microsoft_sends_deal(harness))
    harness.shared_deal()
    assert count_writes(harness) == 0


# --- an org without the inbox, and an inbox that cannot be written


def remove_inbox(harness: Harness) -> None:
    """From now on the org has the package of an earlier version."""
    del harness.salesforce.org.model._by_name[INBOX.lower()]


def test_an_org_without_the_inbox_gets_log_events_and_nothing_else_breaks(harness: Harness) -> None:
    remove_inbox(harness)
    bad = refused_deal(harness)
    assert len(harness.first.log.fields_of("deal_not_made")) == 1
    (refused,) = harness.first.log.fields_of("inbox_refused")
    assert refused.pop("correlation_id")
    assert refused == {"key": bad, "code": "no_inbox", "field": None}
    assert not harness.first.log.fields_of("pair_failed")
    assert harness.store.pointer(bad) is None
    harness.clear_faults()
    retry_within_the_hour(harness)
    assert opportunity_of(harness, bad)


def test_an_amount_that_its_column_cannot_hold_is_left_out_of_the_record(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/dealValue": 1e20})
    harness.refuse_writes_of("Name")
    harness.pull_event(referral)
    (record,) = inbox(harness)
    assert (record["Key__c"], record["Deal_Value__c"], record["Deal_Currency__c"]) == (referral, None, "EUR")
    (refused,) = harness.first.log.fields_of("inbox_refused")
    assert (refused["code"], refused["field"]) == ("NUMBER_OUTSIDE_VALID_RANGE", "Deal_Value__c")
    writes = count_writes(harness)
    retry_within_the_hour(harness)
    assert count_writes(harness) == writes
    harness.partner_center.raw_patch(referral, {"/details/dealValue": 1000})
    harness.clear_faults()
    retry_within_the_hour(harness)
    assert opportunity_of(harness, referral)["Amount"] == 1000
    assert inbox(harness) == []
    assert_quiet(harness)


def test_an_amount_that_does_not_fit_empties_the_earlier_one(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/dealValue": 1e20})
    retry_within_the_hour(harness)
    (record,) = inbox(harness)
    assert record["Deal_Value__c"] is None


def test_columns_that_salesforce_refuses_are_left_out_of_the_record(harness: Harness) -> None:
    for column in ("Remedy__c", "Link__c"):
        harness.salesforce.org.hooks.rules.append(ValidationRule(INBOX, column, "Not so."))
    refused_deal(harness)
    (record,) = inbox(harness)
    assert (record["Name"], record["Remedy__c"], record["Link__c"]) == ("Robots for the harbour", None, None)
    fields = [event["field"] for event in harness.first.log.fields_of("inbox_refused")]
    assert set(fields) == {"Remedy__c", "Link__c"}


def test_a_record_that_salesforce_refuses_is_logged_and_tried_again_within_the_hour(harness: Harness) -> None:
    rule = ValidationRule(INBOX, KEY, "Not for us.")
    harness.salesforce.org.hooks.rules.append(rule)
    referral = refused_deal(harness)
    (refused,) = harness.first.log.fields_of("inbox_refused")
    assert (refused["key"], refused["code"]) == (referral, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert refused["field"] == KEY
    harness.salesforce.org.hooks.rules.remove(rule)
    retry_within_the_hour(harness)
    assert len(inbox(harness)) == 1


def test_a_record_that_cannot_be_deleted_now_does_not_hold_back_the_deal(harness: Harness) -> None:
    referral = refused_deal(harness)
    harness.clear_faults()
    harness.lock_record(inbox(harness)[0]["Id"])
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)
    assert len(inbox(harness)) == 1
    retry_within_the_hour(harness)
    assert inbox(harness) == []
    assert_quiet(harness)


def test_a_lost_reply_of_the_write_makes_no_second_record(harness: Harness) -> None:
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path=f"/sobjects/{INBOX}/"))
    referral = refused_deal(harness)
    retry_within_the_hour(harness)
    retry_within_the_hour(harness)
    assert [record["Key__c"] for record in inbox(harness)] == [referral]
    harness.clear_faults()
    retry_within_the_hour(harness)
    assert inbox(harness) == []


# --- an opportunity that cannot be written back to


class ForbidsEverySave(ValidationRule):
    """A rule about a field that the sync does not write: Salesforce checks it at every save of one opportunity."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        return sobject == self.sobject and record["Id"] == self.id and bool(written - {"Region__c"})


def lock_out(harness: Harness, deal: str) -> None:
    """From now on no save of the opportunity passes, not even of the audit alone."""
    harness.salesforce.org.hooks.rules.append(ForbidsEverySave("Opportunity", "Region__c", "Choose a region.", deal))


def locked_out_deal(harness: Harness) -> str:
    """An opportunity whose referral exists, and which Salesforce does not let the sync write back to."""
    deal = harness.seller_creates()
    lock_out(harness, deal)
    harness.push()
    return deal


def test_an_opportunity_that_cannot_be_written_back_to_is_shown(harness: Harness) -> None:
    deal = locked_out_deal(harness)
    referral = harness.referral_of(deal)["id"]
    (record,) = inbox(harness)
    expected = {
        "Key__c": deal, "Name": "ERP renewal", "Customer__c": "Northwind Traders", "Deal_Value__c": 10000.0,
        "Deal_Currency__c": "USD", "Cause__c": "Choose a region.", "Refused_Field__c": "Region__c",
        "Answer_By__c": None, "Link__c": f"https://acme.my.salesforce.com/{deal}",
    }  # fmt: skip
    assert {name: record[name] for name in expected} == expected
    (reported,) = harness.first.log.fields_of("deal_not_made")
    assert (reported["opportunity_id"], reported["referral_id"]) == (deal, referral)
    assert harness.stored_link(deal).inbox


def test_the_record_of_an_opportunity_is_written_once_and_deleted_with_the_first_write_back(harness: Harness) -> None:
    deal = locked_out_deal(harness)
    before, writes = inbox(harness), count_writes(harness)
    retry_within_the_hour(harness)
    assert (inbox(harness), count_writes(harness)) == (before, writes)
    harness.clear_faults()
    retry_within_the_hour(harness)
    assert inbox(harness) == []
    assert harness.stored_link(deal).inbox is None
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_the_record_of_an_opportunity_that_is_un_ticked_is_deleted(harness: Harness) -> None:
    deal = locked_out_deal(harness)
    harness.clear_faults()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    retry_within_the_hour(harness)
    assert inbox(harness) == []
    assert harness.stored_link(deal).inbox is None


# --- several instances


def test_two_instances_at_once_make_one_record(harness: Harness) -> None:
    harness.refuse_writes_of("Name")
    referral = microsoft_sends_deal(harness)
    other = harness.new_instance()
    for name in ("salesforce.create", "salesforce.upsert", "store.replace_pointer"):
        harness.first.process.interrupt_at(name, lambda: other.pull_event(referral))
    harness.pull_event(referral)
    other.pull_event(referral)
    assert [record["Key__c"] for record in inbox(harness)] == [referral]


def test_the_times_of_a_deal_are_read_with_any_number_of_digits(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": "2026-12-01T08:30:00.1234567Z"})
    read = harness.translation.referral(harness.first.ctx.partner_center.get(referral))
    assert read.expires is not None
    assert read.expires - datetime(2026, 12, 1, 8, 30, tzinfo=UTC) < timedelta(seconds=1)
