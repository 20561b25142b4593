"""A pull carries changes of a referral to its opportunity, whether an event or the sweep reports them."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ports import RECONCILED, Mode, Policy
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunities_of,
    opportunity_of,
    watch_saves,
)


@pytest.mark.parametrize("source", ["event", "sweep"])
def test_a_colleagues_edits_arrive_and_are_reported_in_an_audit_line_each(harness: Harness, source: str) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(
        referral,
        details_dealValue=12000,
        details_currency="EUR",
        details_notes="They want more",
        details_closingDateTime="2027-01-31T00:00:00Z",
    )
    if source == "event":
        harness.pull_event(referral)
    else:
        harness.sweep()
    opportunity = harness.opportunity(deal)
    assert (opportunity["Amount"], opportunity["CurrencyIsoCode"]) == (12000, "EUR")
    assert (opportunity["Description"], opportunity["CloseDate"]) == ("They want more", "2027-01-31")
    assert harness.audit_texts(deal)[:3] == [
        "From Partner Center: Amount 10000.00 USD → 12000.00 EUR.",
        "From Partner Center: Close Date 2026-12-31 → 2027-01-31.",
        "From Partner Center: Description First call went well. → They want more.",
    ]
    assert harness.count_in_audit(deal, "From Partner Center") == 3
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("substatus", "stage"), [("Won", "Closed Won"), ("Lost", "Closed Lost"), ("Expired", "Closed Lost")]
)
def test_a_deal_closed_in_the_portal_is_closed_in_salesforce(harness: Harness, substatus: str, stage: str) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": substatus})
    harness.pull_event(referral)
    assert harness.opportunity(deal)["StageName"] == stage
    assert_quiet(harness)
    assert harness.partner_center.referral(referral)["substatus"] == substatus


def test_an_unanswered_deal_that_expires_is_closed_lost(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.advance_time(15 * 24 * HOUR)
    harness.sweep()
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.partner_center.referral(referral)["substatus"] == "Expired"
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1
    assert_quiet(harness)


def test_a_pull_writes_only_the_changed_fields_with_the_mark_and_the_audit(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    saves = watch_saves(harness)
    harness.pull_event(referral)
    assert saves == [{"CloseDate", "Sync_Status__c", "Audit__c"}]


def test_another_spelling_of_the_day_or_a_change_of_an_unmapped_field_writes_nothing(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2026-12-30T23:00:00Z")
    harness.partner_center.raw_patch(referral, {"/favorite": True})
    saves = watch_saves(harness)
    harness.pull_event(referral)
    assert saves == []
    harness.forget_calls()
    harness.pull_event(referral)
    assert harness.new_calls() == {"partner_center.get": 1}


def test_a_pull_keeps_a_stage_that_means_the_same_status(harness: Harness) -> None:
    deal = harness.shared_deal(StageName="Negotiation/Review")
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral)
    assert harness.opportunity(deal)["StageName"] == "Negotiation/Review"


def test_the_event_of_our_own_write_causes_one_read_and_no_write(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=11000)
    harness.push()
    harness.forget_calls()
    before = harness.all_versions()
    harness.pull_event(referral)
    assert harness.new_calls() == {"partner_center.get": 1}
    assert harness.all_versions() == before


def test_a_repeated_event_changes_nothing(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    versions, audit = harness.all_versions(), harness.audit_texts(deal)
    for _ in range(3):
        assert harness.pull_event(referral) == RECONCILED
    assert harness.all_versions() == versions
    assert harness.audit_texts(deal) == audit
    assert len(opportunities_of(harness, referral)) == 1


def test_repeated_late_and_unordered_events_end_with_the_referrals_latest_values(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.pull_event(second)
    harness.colleague_edits(second, status="Active", substatus="Accepted")
    harness.colleague_edits(first, status="Active", substatus="Accepted")
    harness.pull_event(second)  # the update of the second deal comes before the creation of the first
    harness.pull_event(first)
    harness.colleague_edits(first, details_dealValue=1)
    harness.colleague_edits(first, details_dealValue=2)
    for referral in (first, second, first, first, second):
        harness.pull_event(referral)
    harness.advance_time(HOUR)
    harness.pull_event(second)
    harness.pull_event(first)
    assert opportunity_of(harness, first)["Amount"] == 2
    assert [opportunity_of(harness, referral)["StageName"] for referral in (first, second)] == ["Qualification"] * 2
    assert_quiet(harness)


def test_a_deleted_opportunity_is_not_created_again_and_its_referral_is_not_changed(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.salesforce.delete("Opportunity", deal)
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral)
    harness.run_rounds()
    assert deal in harness.first.log.opportunities_of("opportunity_deleted")
    assert harness.salesforce.records("Opportunity") == []
    assert harness.partner_center.referral(referral)["status"] == "Active"
    harness.salesforce.undelete("Opportunity", deal)
    harness.run_rounds()
    assert harness.opportunity(deal)["Amount"] == 12000


def test_a_linked_referral_that_is_no_longer_visible_is_retried_and_its_opportunity_stays_unchanged(
    harness: Harness,
) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    not_visible = Fault(FaultKind.ANSWER, path=referral, status=404, times=99, body='{"error":{"code":"itemNotFound"}}')
    harness.inject_fault(Side.PARTNER_CENTER, not_visible)
    before = harness.opportunity(deal)
    harness.pull_event(referral)
    assert [entry.key for entry in harness.retry_entries(Side.PARTNER_CENTER)] == [referral]
    harness.push(HOUR)
    assert harness.opportunity(deal) == before
    harness.clear_faults()
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.push(HOUR)
    assert harness.opportunity(deal)["Amount"] == 12000


@pytest.mark.parametrize(
    "policy",
    [Policy(mode=Mode.OFF), Policy(mode=Mode.PREVIEW), Policy(paused=frozenset({"pull"}))],
    ids=["off", "preview", "paused"],
)
def test_an_event_is_dropped_while_the_pull_is_off_and_a_later_sweep_finds_the_change(
    harness: Harness, policy: Policy
) -> None:
    referral = microsoft_sends_deal(harness)
    worker = harness.new_instance(policy)
    assert worker.pull_event(referral) is None
    assert harness.new_calls() == {}
    before = harness.all_versions()
    worker.sweep()
    assert harness.all_versions() == before
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert harness.store.cursor("sweep") is None
    harness.sweep(MINUTE)
    assert opportunity_of(harness, referral)
