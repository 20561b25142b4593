"""The sweep finds the changes that no event reported (docs/protocol.md#the-sweep)."""

from datetime import timedelta

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.sighting import RELATED
from shared.domain.sweep_cursor import MARGIN
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of


def own_keys(harness: Harness) -> list[str]:
    """The referrals of ours in the retry queue. Microsoft's own record of a deal waits for its arrival there too."""
    keys = [entry.key for entry in harness.retry_entries(Side.PARTNER_CENTER)]
    return [key for key in keys if not key.startswith(RELATED)]


def test_the_services_time_at_the_first_page_less_a_margin_becomes_the_cursor(harness: Harness) -> None:
    for number in range(3):
        microsoft_sends_deal(harness, name=f"Deal {number}")
        harness.advance_time(HOUR)
    harness.sweep()
    assert harness.store.cursor("sweep") == harness.now() - MARGIN


def test_a_sweep_without_any_referral_moves_the_cursor_too(harness: Harness) -> None:
    harness.sweep()
    assert harness.store.cursor("sweep") == harness.now() - MARGIN
    assert harness.store.cursor("sweep_done") == harness.now()


def test_a_referral_that_becomes_visible_late_is_found_within_the_overlap(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 1200.0
    late = microsoft_sends_deal(harness)
    harness.partner_center.switches.list_lag = 0.0
    immediate = microsoft_sends_deal(harness)
    harness.sweep()
    assert (len(opportunities_of(harness, late)), len(opportunities_of(harness, immediate))) == (0, 1)
    harness.advance_time(1200)
    harness.sweep()
    assert opportunity_of(harness, late)


def test_the_first_sweep_begins_at_sync_from() -> None:
    with Harness(begin=timedelta(minutes=30)) as harness:
        old = microsoft_sends_deal(harness)
        harness.advance_time(HOUR)
        new = microsoft_sends_deal(harness)
        harness.sweep()
        harness.pull_event(old)
        assert (len(opportunities_of(harness, old)), len(opportunities_of(harness, new))) == (0, 1)


def test_a_referral_from_before_sync_from_is_dropped_without_a_read_after_a_change() -> None:
    with Harness(begin=timedelta(minutes=30)) as harness:
        old = microsoft_sends_deal(harness)
        harness.advance_time(HOUR)
        harness.colleague_edits(old, status="Active", substatus="Accepted")
        harness.sweep()
        assert harness.new_calls() == {"partner_center.list": 1}


def test_referrals_of_others_are_dropped_without_a_read(harness: Harness) -> None:
    microsoft_sends_deal(harness)
    harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    harness.sweep()
    assert harness.new_calls()["partner_center.get"] == 1  # of three referrals, only our own is read


def test_a_sweep_whose_filter_is_refused_reads_pages_back_to_the_cursor(harness: Harness) -> None:
    harness.partner_center.switches.unfilterable = ("updatedDateTime",)
    harness.partner_center.switches.page_size = 2
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(4)]
    harness.sweep()
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in referrals)
    for referral in referrals[:2]:
        harness.advance_time(HOUR)
        harness.colleague_edits(referral, status="Active", substatus="Accepted")
        harness.forget_calls()
        harness.sweep()
        assert opportunity_of(harness, referral)["StageName"] == "Qualification"
    assert harness.new_calls()["partner_center.list"] == 2


def test_an_unreadable_page_ends_the_run_and_does_not_move_the_cursor(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 2
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    second_page_fails = Fault(
        FaultKind.ANSWER, path="referrals$", method="GET", skip=1, times=9, status=502, body="<html>"
    )
    harness.inject_fault(Side.PARTNER_CENTER, second_page_fails)
    harness.sweep()
    assert len(harness.salesforce.records("Opportunity")) == 1  # the first page is pulled nevertheless
    assert harness.store.cursor("sweep") is None
    [failed] = harness.first.log.fields_of("run_failed")
    assert (failed["run"], failed["error"], failed["correlation_id"]) == ("sweep", "Unavailable", "run-1")
    harness.clear_faults()
    harness.sweep()
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in referrals)
    assert harness.store.cursor("sweep") == harness.now() - MARGIN


def test_a_pair_in_the_retry_queue_does_not_hold_back_the_cursor(harness: Harness) -> None:
    bad, good = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=bad, status=500, times=3))
    harness.sweep()
    assert opportunity_of(harness, good)
    assert harness.store.cursor("sweep") == harness.now() - MARGIN
    assert own_keys(harness) == [bad]
    harness.push(HOUR)
    assert opportunity_of(harness, bad)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_sweep_takes_no_new_page_after_80_percent_of_its_time_and_continues_next_time(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 1
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    slow = harness.new_instance(Policy(run_time=timedelta(seconds=10), batch=1))
    slow.process.interrupt_at("salesforce.create", lambda: harness.advance_time(9))
    slow.sweep()
    assert sum(len(opportunities_of(harness, referral)) for referral in referrals) == 1
    assert harness.store.cursor("sweep") is None
    slow.sweep()
    assert sum(len(opportunities_of(harness, referral)) for referral in referrals) == 3
    assert harness.store.cursor("sweep") == harness.now() - MARGIN


def test_stamps_with_unexpected_values_do_not_stop_the_sweep(harness: Harness) -> None:
    unreadable, good = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    unexpected = {"/target": ["msft", None], "/externalReferenceId": 7, "/updatedDateTime": None, "/createdDateTime": 1}
    harness.partner_center.raw_patch(unreadable, unexpected, touch=False)
    harness.sweep()
    assert opportunity_of(harness, good)
    assert not harness.first.log.fields_of("run_failed")
    assert opportunities_of(harness, unreadable) == []
    assert own_keys(harness) == [unreadable]


def test_a_change_made_during_a_sweep_is_found_by_the_next_one(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 1
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.push_until_quiet()
    ids = [harness.referral_of(deal)["id"] for deal in deals]
    for referral in ids:
        harness.colleague_edits(referral, details_dealValue=5)
    harness.first.process.interrupt_at(
        "partner_center.get", lambda: harness.colleague_edits(ids[0], details_dealValue=6)
    )
    harness.sweep()
    harness.sweep()
    assert [harness.opportunity(deal)["Amount"] for deal in deals] == [6, 5, 5]
    assert_quiet(harness)


def test_a_sweep_makes_no_call_while_partner_center_is_paused(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    throttling = Fault(
        FaultKind.ANSWER, status=429, headers={"Retry-After": "600"}, body='{"statusCode": 429}', times=9
    )
    harness.inject_fault(Side.PARTNER_CENTER, throttling)
    harness.sweep()
    harness.forget_calls()
    harness.clear_faults()
    harness.sweep()
    harness.push()
    assert harness.new_calls() == {}
    harness.advance_time(600)
    harness.sweep()
    assert opportunity_of(harness, referral)


def test_changes_found_while_salesforce_is_paused_go_to_the_retry_queue(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    request_limit, harness.salesforce.rest.max_requests = harness.salesforce.rest.max_requests, 0
    harness.sweep()
    harness.sweep()
    harness.salesforce.rest.max_requests = request_limit
    theirs = harness.partner_center.microsoft_record(harness.partner_center.referral(referral)["engagementId"])["id"]
    keys = {entry.key for entry in harness.retry_entries(Side.PARTNER_CENTER)}
    assert keys == {referral, f"M|{theirs}"}
    harness.advance_time(HOUR)
    harness.push()
    assert opportunity_of(harness, referral)["Microsoft_Status__c"] == "Accepted"
