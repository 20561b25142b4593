from datetime import datetime, timedelta

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.context import Policy
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of


def newest(harness: Harness) -> datetime:
    return max(datetime.fromisoformat(referral["updatedDateTime"]) for referral in harness.partner_center.referrals())


def test_the_newest_stamp_of_the_first_page_becomes_the_cursor(harness: Harness) -> None:
    for number in range(3):
        microsoft_sends_deal(harness, name=f"Deal {number}")
        harness.later(MINUTE)
    harness.sweep()
    assert harness.store.cursor("sweep") == newest(harness)


def test_without_any_referral_the_cursor_stays(harness: Harness) -> None:
    harness.sweep()
    assert harness.store.cursor("sweep") is None
    assert harness.store.cursor("sweep_done") == harness.now()


def test_it_reads_again_what_became_visible_late(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 1200.0
    late = microsoft_sends_deal(harness)
    harness.partner_center.switches.list_lag = 0.0
    prompt = microsoft_sends_deal(harness)
    harness.sweep()
    assert (len(opportunities_of(harness, late)), len(opportunities_of(harness, prompt))) == (0, 1)
    harness.later(1200)
    harness.sweep()
    assert opportunity_of(harness, late)


def test_it_begins_at_the_beginning_and_not_before() -> None:
    with Harness(begin=timedelta(minutes=30)) as harness:
        old = microsoft_sends_deal(harness)
        harness.later(HOUR)
        new = microsoft_sends_deal(harness)
        harness.sweep()
        harness.event(old)
        assert (len(opportunities_of(harness, old)), len(opportunities_of(harness, new))) == (0, 1)


def test_an_old_referral_touched_after_the_beginning_is_dropped_without_a_read() -> None:
    with Harness(begin=timedelta(minutes=30)) as harness:
        old = microsoft_sends_deal(harness)
        harness.later(HOUR)
        harness.colleague_edits(old, status="Active", substatus="Accepted")
        harness.sweep()
        assert harness.calls() == {"partner_center.list": 1}


def test_what_is_not_ours_is_dropped_without_a_read(harness: Harness) -> None:
    microsoft_sends_deal(harness)
    harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    harness.sweep()
    assert harness.calls()["partner_center.get"] == 1  # ours alone, of three


def test_where_the_filter_is_refused_it_pages_back_to_the_cursor(harness: Harness) -> None:
    harness.partner_center.switches.unfilterable = ("updatedDateTime",)
    harness.partner_center.switches.page_size = 2
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(4)]
    harness.sweep()
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in referrals)
    for referral in referrals[:2]:
        harness.later(HOUR)
        harness.colleague_edits(referral, status="Active", substatus="Accepted")
        harness.calls()
        harness.sweep()
        assert opportunity_of(harness, referral)["StageName"] == "Qualification"
    assert harness.calls()["partner_center.list"] == 2


def test_a_page_that_cannot_be_read_ends_the_run_and_leaves_the_cursor(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 2
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    broken = Fault(FaultKind.ANSWER, path="referrals$", method="GET", skip=1, times=9, status=502, body="<html>")
    harness.inject_fault(Side.PARTNER_CENTER, broken)
    harness.sweep()
    assert len(harness.salesforce.records("Opportunity")) == 1  # what the first page named is worked all the same
    assert harness.store.cursor("sweep") is None
    assert harness.one.log.of("run_failed") == [{"run": "sweep", "error": "Unavailable"}]
    harness.clear_faults()
    harness.sweep()
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in referrals)
    assert harness.store.cursor("sweep") == newest(harness)


def test_a_pair_that_is_due_holds_no_cursor_back(harness: Harness) -> None:
    lame, sound = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=lame, status=500, times=3))
    harness.sweep()
    assert opportunity_of(harness, sound)
    assert harness.store.cursor("sweep") == newest(harness)
    assert [due.key for due in harness.retry_entries(Side.PARTNER_CENTER)] == [lame]
    harness.push(HOUR)
    assert opportunity_of(harness, lame)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_it_takes_no_new_page_after_four_fifths_of_its_time_and_goes_on_next_time(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 1
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    hasty = harness.instance(Policy(run_time=timedelta(seconds=10), batch=1))
    hasty.life.at("salesforce.create", lambda: harness.later(9))
    hasty.sweep()
    assert sum(len(opportunities_of(harness, referral)) for referral in referrals) == 1
    assert harness.store.cursor("sweep") is None
    hasty.sweep()
    assert sum(len(opportunities_of(harness, referral)) for referral in referrals) == 3
    assert harness.store.cursor("sweep") == newest(harness)


def test_stamps_nobody_foresaw_stop_nothing(harness: Harness) -> None:
    odd, sound = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    strange = {"/target": ["msft", None], "/externalReferenceId": 7, "/updatedDateTime": None, "/createdDateTime": 1}
    harness.partner_center.raw_patch(odd, strange, touch=False)
    harness.sweep()
    assert opportunity_of(harness, sound)
    assert not harness.one.log.of("run_failed")
    assert opportunities_of(harness, odd) == []
    assert [due.key for due in harness.retry_entries(Side.PARTNER_CENTER)] == [odd]


def test_a_change_made_while_it_pages_is_found_by_the_next_sweep(harness: Harness) -> None:
    harness.partner_center.switches.page_size = 1
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.quiet()
    ids = [harness.referral_of(deal)["id"] for deal in deals]
    for referral in ids:
        harness.colleague_edits(referral, details_dealValue=5)
    harness.one.life.at("partner_center.get", lambda: harness.colleague_edits(ids[0], details_dealValue=6))
    harness.sweep()
    harness.sweep()
    assert [harness.opportunity(deal)["Amount"] for deal in deals] == [6, 5, 5]
    assert_quiet(harness)


def test_while_partner_center_is_paused_it_rests(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    patience = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "600"}, body='{"statusCode": 429}', times=9)
    harness.inject_fault(Side.PARTNER_CENTER, patience)
    harness.sweep()
    harness.calls()
    harness.clear_faults()
    harness.sweep()
    harness.push()
    assert harness.calls() == {}
    harness.later(600)
    harness.sweep()
    assert opportunity_of(harness, referral)


def test_while_salesforce_is_paused_what_it_finds_is_due(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    allowance, harness.salesforce.rest.max_requests = harness.salesforce.rest.max_requests, 0
    harness.sweep()
    harness.sweep()
    harness.salesforce.rest.max_requests = allowance
    assert [due.key for due in harness.retry_entries(Side.PARTNER_CENTER)] == [referral]
    harness.later(HOUR)
    harness.push()
    assert opportunity_of(harness, referral)
