import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.context import Mode, Policy
from shared.sync.outcome import RECONCILED
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunities_of,
    opportunity_of,
    watch_saves,
)


@pytest.mark.parametrize("way", ["event", "sweep"])
def test_a_colleagues_edits_arrive_and_are_told_in_one_line(harness: Harness, way: str) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(
        referral,
        details_dealValue=12000,
        details_currency="EUR",
        details_notes="They want more",
        details_closingDateTime="2027-01-31T00:00:00Z",
    )
    if way == "event":
        harness.event(referral)
    else:
        harness.sweep()
    row = harness.opportunity(deal)
    assert (row["Amount"], row["CurrencyIsoCode"]) == (12000, "EUR")
    assert (row["Description"], row["CloseDate"]) == ("They want more", "2027-01-31")
    newest = harness.audit_texts(deal)[0]
    assert newest.startswith("From Partner Center: ")
    for told in ("10000.00 USD → 12000.00 EUR", "2026-12-31 → 2027-01-31", "First call went well. → They want more"):
        assert told in newest
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("substatus", "stage"), [("Won", "Closed Won"), ("Lost", "Closed Lost"), ("Expired", "Closed Lost")]
)
def test_a_deal_closed_in_the_portal_is_closed_in_salesforce(harness: Harness, substatus: str, stage: str) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": substatus})
    harness.event(referral)
    assert harness.opportunity(deal)["StageName"] == stage
    assert_quiet(harness)
    assert harness.partner_center.referral(referral)["substatus"] == substatus


def test_an_unanswered_deal_that_expires_is_closed_lost(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.later(15 * 24 * HOUR)
    harness.sweep()
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.partner_center.referral(referral)["substatus"] == "Expired"
    assert_quiet(harness)


def test_only_the_changed_columns_are_written_with_status_and_audit(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    seen = watch_saves(harness)
    harness.event(referral)
    assert seen == [{"CloseDate", "Sync_Status__c", "Audit__c"}]


def test_an_edit_of_the_hour_alone_or_of_what_is_not_mapped_writes_nothing(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2026-12-31T17:30:00Z", name="Another name")
    seen = watch_saves(harness)
    harness.event(referral)
    assert seen == []
    harness.calls()
    harness.event(referral)
    assert harness.calls() == {"partner_center.get": 1}


def test_a_stage_with_the_same_meaning_is_left_alone(harness: Harness) -> None:
    deal = harness.shared(StageName="Negotiation/Review")
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.event(referral)
    assert harness.opportunity(deal)["StageName"] == "Negotiation/Review"


def test_an_echo_costs_one_read_and_writes_nothing(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, Amount=11000)
    harness.push()
    harness.calls()
    before = harness.all_versions()
    harness.event(referral)
    assert harness.calls() == {"partner_center.get": 1}
    assert harness.all_versions() == before


def test_an_event_played_again_changes_nothing(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.event(referral)
    before, told = harness.all_versions(), harness.audit_texts(deal)
    for _ in range(3):
        assert harness.event(referral) == RECONCILED
    assert harness.all_versions() == before
    assert harness.audit_texts(deal) == told
    assert len(opportunities_of(harness, referral)) == 1


def test_events_doubled_late_and_out_of_order_end_where_the_referral_is(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.event(second)
    harness.colleague_edits(second, status="Active", substatus="Accepted")
    harness.colleague_edits(first, status="Active", substatus="Accepted")
    harness.event(second)  # the update before the creation of the other
    harness.event(first)
    harness.colleague_edits(first, details_dealValue=1)
    harness.colleague_edits(first, details_dealValue=2)
    for referral in (first, second, first, first, second):
        harness.event(referral)
    harness.later(HOUR)
    harness.event(second)
    harness.event(first)
    assert opportunity_of(harness, first)["Amount"] == 2
    assert [opportunity_of(harness, referral)["StageName"] for referral in (first, second)] == ["Qualification"] * 2
    assert_quiet(harness)


def test_a_deleted_opportunity_stays_deleted_and_its_referral_stays_as_it_is(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.salesforce.delete("Opportunity", deal)
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.event(referral)
    harness.run_rounds()
    assert {"opportunity_id": deal} in harness.one.log.of("opportunity_missing")
    assert harness.salesforce.records("Opportunity") == []
    assert harness.partner_center.referral(referral)["status"] == "Active"
    harness.salesforce.undelete("Opportunity", deal)
    harness.run_rounds()
    assert harness.opportunity(deal)["Amount"] == 12000


def test_a_linked_referral_that_is_no_longer_visible_is_due_and_its_opportunity_stays(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    gone = Fault(FaultKind.ANSWER, path=referral, status=404, times=99, body='{"error":{"code":"itemNotFound"}}')
    harness.inject_fault(Side.PARTNER_CENTER, gone)
    before = harness.opportunity(deal)
    harness.event(referral)
    assert [due.key for due in harness.retry_entries(Side.PARTNER_CENTER)] == [referral]
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
def test_where_pull_does_not_run_an_event_is_dropped_and_the_sweep_finds_it_later(
    harness: Harness, policy: Policy
) -> None:
    referral = microsoft_sends_deal(harness)
    stopped = harness.instance(policy)
    assert stopped.event(referral) is None
    assert harness.calls() == {}
    before = harness.all_versions()
    stopped.sweep()
    assert harness.all_versions() == before
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert harness.store.cursor("sweep") is None
    harness.sweep(MINUTE)
    assert opportunity_of(harness, referral)
