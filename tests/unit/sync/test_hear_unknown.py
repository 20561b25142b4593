"""Records that lead to no deal of this environment, or not yet (docs/protocol.md#news-from-microsoft)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.heard_deals import (
    GET,
    LIST,
    STATUS,
    accept,
    asked_deal,
    hear,
    hear_event,
    heard_deal,
    shown_news,
)
from tests.unit.sync.helped_deals import linked_deal
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

ELSEWHERE = {"externalReferenceId": "TEST:006000000000001AAA"}


def deal_of_another_environment(harness: Harness) -> str:
    """Microsoft's record of a deal that another environment of the tenant has. Returns its id."""
    referral = harness.partner_center.portal_creates(ELSEWHERE)
    return str(harness.partner_center.portal_asks_for_help(referral)["id"])


def calls_of_two_sweeps(harness: Harness, instance: Instance) -> list[dict[str, int]]:
    """The calls of each of two sweeps."""
    calls = list[dict[str, int]]()
    for _ in range(2):
        harness.forget_calls()
        harness.advance_time(15 * MINUTE)
        instance.sweep()
        calls.append(harness.new_calls())
    return calls


def test_an_engagement_without_a_deal_of_ours_is_listed_once(harness: Harness) -> None:
    for _ in range(3):
        deal_of_another_environment(harness)
    assert calls_of_two_sweeps(harness, harness.first) == [{LIST: 4}, {LIST: 1}]


def test_an_engagement_that_an_event_has_named_in_vain_is_not_listed_by_the_sweep(harness: Harness) -> None:
    hear_event(harness.first, deal_of_another_environment(harness))
    assert calls_of_two_sweeps(harness, harness.first) == [{LIST: 1}, {LIST: 1}]


def test_a_new_version_of_a_foreign_record_is_looked_at_again(harness: Harness) -> None:
    theirs = deal_of_another_environment(harness)
    harness.sweep()
    harness.partner_center.raw_patch(theirs, {"/status": "Active"})
    assert calls_of_two_sweeps(harness, harness.first) == [{LIST: 2}, {LIST: 1}]


def test_staging_lists_no_engagement_that_it_does_not_know() -> None:
    with Harness(tag="STAGING") as harness:
        referral = harness.partner_center.portal_creates({"externalReferenceId": "006000000000001AAA"})
        theirs = harness.partner_center.portal_asks_for_help(referral)["id"]
        assert calls_of_two_sweeps(harness, harness.first) == [{LIST: 1}, {LIST: 1}]
        harness.forget_calls()
        hear_event(harness.first, theirs)
        assert harness.new_calls() == {GET: 1}


def test_staging_hears_of_its_own_deals_by_an_event_about_our_referral() -> None:
    with Harness(tag="STAGING") as harness:
        deal = asked_deal(harness)
        hear_event(harness.first, str(harness.referral_of(deal)["id"]))
        assert harness.opportunity(deal)[STATUS] == "Asked"
        accept(harness, deal)
        harness.sweep()
        assert harness.opportunity(deal)[STATUS] == "Accepted"


def test_microsofts_record_of_a_deal_that_arrives_late_is_heard_after_the_arrival(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=99))
    harness.sweep()
    for _ in range(3):
        harness.push(HOUR)
        deal_of_another_environment(harness)  # the cursor moves on, beyond Microsoft's record
        harness.sweep()
    assert harness.salesforce.records("Opportunity") == []
    harness.clear_faults()
    harness.push(HOUR)
    for _ in range(2):
        harness.push(2 * HOUR)
    assert opportunity_of(harness, referral)[STATUS] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


@pytest.mark.parametrize("get", ["not_found", "denied"])
def test_a_record_that_lists_alone_show_is_heard_once_its_deal_has_arrived(harness: Harness, get: str) -> None:
    """The daily compare lists no engagement of a deal that has ended: nothing else would return to the record."""
    harness.partner_center.switches.related_get = get
    referral = microsoft_sends_deal(harness)
    harness.colleague_edits(referral, status="Closed", substatus="Declined", statusReason="Others")
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=404))
    harness.sweep()
    harness.push(HOUR)
    harness.clear_faults()
    harness.push(HOUR)
    harness.push(HOUR)
    assert harness.opportunity(opportunity_of(harness, referral)["Id"])[STATUS] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


@pytest.mark.parametrize("get", ["not_found", "denied"])
def test_a_record_that_an_event_read_and_that_is_hidden_later_is_heard_once_its_deal_has_arrived(
    harness: Harness, get: str
) -> None:
    referral = microsoft_sends_deal(harness)
    record = harness.partner_center.microsoft_record(harness.partner_center.referral(referral)["engagementId"])
    hear_event(harness.first, record["id"])
    harness.partner_center.switches.related_get = get
    hear_event(harness.first, record["id"])
    harness.pull_event(referral)
    harness.push(HOUR)
    assert opportunity_of(harness, referral)[STATUS] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def record_of_a_deal_that_cannot_arrive(harness: Harness) -> tuple[str, str]:
    """A deal of Microsoft's that is not shown by its id for now. Returns its id, and that of Microsoft's record."""
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=404, times=99))
    engagement = harness.partner_center.referral(referral)["engagementId"]
    return referral, harness.partner_center.microsoft_record(engagement)["id"]


def assert_heard_once_the_deal_has_arrived(harness: Harness, referral: str, hidden: str) -> None:
    """By the next try Partner Center does not show Microsoft's record by its id; the deal arrives after that try."""
    harness.partner_center.switches.related_get = hidden
    for _ in range(3):
        harness.push(HOUR)
    harness.clear_faults()
    harness.pull_event(referral)
    for _ in range(4):
        harness.push(HOUR)
    assert opportunity_of(harness, referral)[STATUS] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


HIDDEN = pytest.mark.parametrize("hidden", ["not_found", "denied"])


@HIDDEN
def test_a_record_that_a_list_named_while_its_deal_was_being_linked_is_heard_after_that(
    harness: Harness, hidden: str
) -> None:
    referral = microsoft_sends_deal(harness)
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.query", worker.process.crash)
    assert worker.crashes_during(lambda one: one.pull_event(referral))
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=404, times=99))
    harness.sweep(1.0)
    assert "StoreConflict" in {entry.cause for entry in harness.retry_entries(Side.PARTNER_CENTER)}
    assert_heard_once_the_deal_has_arrived(harness, referral, hidden)


@HIDDEN
def test_a_record_that_an_event_could_not_read_is_heard_once_its_deal_has_arrived(
    harness: Harness, hidden: str
) -> None:
    referral, record = record_of_a_deal_that_cannot_arrive(harness)
    failure = Fault(FaultKind.ANSWER, path=record, status=500, times=9)
    harness.inject_fault(Side.PARTNER_CENTER, failure)
    hear_event(harness.first, record)
    failure.times = 0
    harness.sweep(1.0)
    assert_heard_once_the_deal_has_arrived(harness, referral, hidden)


@HIDDEN
def test_a_record_whose_engagement_could_not_be_listed_is_heard_once_its_deal_has_arrived(
    harness: Harness, hidden: str
) -> None:
    referral, record = record_of_a_deal_that_cannot_arrive(harness)
    listing = Fault(FaultKind.ANSWER, method="GET", path="referrals$", status=500, times=9)
    harness.inject_fault(Side.PARTNER_CENTER, listing)
    hear_event(harness.first, record)
    listing.times = 0
    assert_heard_once_the_deal_has_arrived(harness, referral, hidden)


def test_microsofts_record_waits_for_an_arrival_that_nothing_reports_for_hours(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    engagement = harness.partner_center.referral(referral)["engagementId"]
    hear_event(harness.first, harness.partner_center.microsoft_record(engagement)["id"])
    for _ in range(5):
        harness.push(HOUR)
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)[STATUS] is None
    harness.push(HOUR)
    assert opportunity_of(harness, referral)[STATUS] == "Accepted"
    assert_quiet(harness)


def test_a_deal_that_waits_for_its_arrival_costs_an_idle_sweep_one_call(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    harness.sweep()
    harness.forget_calls()
    harness.partner_center.raw_patch(referral, {"/customerProfile/name": ""}, touch=False)
    harness.advance_time(MINUTE)
    harness.sweep()
    assert harness.new_calls()[LIST] == 1


def test_a_list_that_lacks_our_own_referral_is_tried_again(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = HOUR
    deal = linked_deal(harness)
    theirs = str(harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"])["id"])
    hear_event(harness.first, theirs)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "not_shown"
    harness.push(HOUR)
    assert harness.opportunity(deal)[STATUS] == "Asked"


def test_a_list_of_an_engagement_that_is_refused_once_is_tried_again(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"])
    refusal = Fault(FaultKind.ANSWER, method="GET", path="referrals$", skip=1, status=400, body='{"code": "invalid"}')
    harness.inject_fault(Side.PARTNER_CENTER, refusal)
    harness.sweep()
    assert harness.opportunity(deal)[STATUS] is None
    harness.push(HOUR)
    assert harness.opportunity(deal)[STATUS] == "Asked"


def test_a_record_that_was_read_is_heard_though_no_list_shows_it(harness: Harness) -> None:
    deal = asked_deal(harness)
    harness.partner_center.switches.related_lists = "never"
    accept(harness, deal)
    hear(harness, deal)
    assert harness.new_calls()[LIST] == 1
    assert shown_news(harness, deal)[:2] == ("Accepted", "7-1")
    assert_quiet(harness)


def test_an_event_about_our_referral_reads_microsofts_known_record_where_no_list_shows_it(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.switches.related_event_names = "ours"
    harness.partner_center.switches.related_lists = "never"
    accept(harness, deal)
    harness.forget_calls()
    hear(harness, deal)
    assert (harness.new_calls()[GET], shown_news(harness, deal)[0]) == (1, "Accepted")
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
