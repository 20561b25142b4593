from datetime import datetime, timedelta

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.context import Policy
from tests.unit.sync.arrivals import assert_quiet, opportunities_of, opportunity_of, sent
from tests.unit.sync.bench import HOUR, MINUTE, Bench


def newest(bench: Bench) -> datetime:
    return max(datetime.fromisoformat(referral["updatedDateTime"]) for referral in bench.partner_center.referrals())


def test_the_newest_stamp_of_the_first_page_becomes_the_cursor(bench: Bench) -> None:
    for number in range(3):
        sent(bench, name=f"Deal {number}")
        bench.later(MINUTE)
    bench.sweep()
    assert bench.store.cursor("sweep") == newest(bench)


def test_without_any_referral_the_cursor_stays(bench: Bench) -> None:
    bench.sweep()
    assert bench.store.cursor("sweep") is None
    assert bench.store.cursor("sweep_done") == bench.now()


def test_it_reads_again_what_became_visible_late(bench: Bench) -> None:
    bench.partner_center.switches.list_lag = 1200.0
    late = sent(bench)
    bench.partner_center.switches.list_lag = 0.0
    prompt = sent(bench)
    bench.sweep()
    assert (len(opportunities_of(bench, late)), len(opportunities_of(bench, prompt))) == (0, 1)
    bench.later(1200)
    bench.sweep()
    assert opportunity_of(bench, late)


def test_it_begins_at_the_beginning_and_not_before() -> None:
    with Bench(begin=timedelta(minutes=30)) as bench:
        old = sent(bench)
        bench.later(HOUR)
        new = sent(bench)
        bench.sweep()
        bench.event(old)
        assert (len(opportunities_of(bench, old)), len(opportunities_of(bench, new))) == (0, 1)


def test_an_old_referral_touched_after_the_beginning_is_dropped_without_a_read() -> None:
    with Bench(begin=timedelta(minutes=30)) as bench:
        old = sent(bench)
        bench.later(HOUR)
        bench.colleague_edits(old, status="Active", substatus="Accepted")
        bench.sweep()
        assert bench.calls() == {"partner_center.list": 1}


def test_what_is_not_ours_is_dropped_without_a_read(bench: Bench) -> None:
    sent(bench)
    bench.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    bench.sweep()
    assert bench.calls()["partner_center.get"] == 1  # ours alone, of three


def test_where_the_filter_is_refused_it_pages_back_to_the_cursor(bench: Bench) -> None:
    bench.partner_center.switches.unfilterable = ("updatedDateTime",)
    bench.partner_center.switches.page_size = 2
    referrals = [sent(bench, name=f"Deal {number}") for number in range(4)]
    bench.sweep()
    assert all(len(opportunities_of(bench, referral)) == 1 for referral in referrals)
    for referral in referrals[:2]:
        bench.later(HOUR)
        bench.colleague_edits(referral, status="Active", substatus="Accepted")
        bench.calls()
        bench.sweep()
        assert opportunity_of(bench, referral)["StageName"] == "Qualification"
    assert bench.calls()["partner_center.list"] == 2


def test_a_page_that_cannot_be_read_ends_the_run_and_leaves_the_cursor(bench: Bench) -> None:
    bench.partner_center.switches.page_size = 2
    referrals = [sent(bench, name=f"Deal {number}") for number in range(3)]
    broken = Fault(FaultKind.ANSWER, path="referrals$", method="GET", skip=1, times=9, status=502, body="<html>")
    bench.fault(Side.PARTNER_CENTER, broken)
    bench.sweep()
    assert len(bench.salesforce.records("Opportunity")) == 1  # what the first page named is worked all the same
    assert bench.store.cursor("sweep") is None
    assert bench.one.log.of("run_failed") == [{"run": "sweep", "error": "Unavailable"}]
    bench.mend()
    bench.sweep()
    assert all(len(opportunities_of(bench, referral)) == 1 for referral in referrals)
    assert bench.store.cursor("sweep") == newest(bench)


def test_a_pair_that_is_due_holds_no_cursor_back(bench: Bench) -> None:
    lame, sound = sent(bench), sent(bench)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=lame, status=500, times=3))
    bench.sweep()
    assert opportunity_of(bench, sound)
    assert bench.store.cursor("sweep") == newest(bench)
    assert [due.key for due in bench.due(Side.PARTNER_CENTER)] == [lame]
    bench.push(HOUR)
    assert opportunity_of(bench, lame)
    assert bench.due(Side.PARTNER_CENTER) == []


def test_it_takes_no_new_page_after_four_fifths_of_its_time_and_goes_on_next_time(bench: Bench) -> None:
    bench.partner_center.switches.page_size = 1
    referrals = [sent(bench, name=f"Deal {number}") for number in range(3)]
    hasty = bench.instance(Policy(run_time=timedelta(seconds=10), batch=1))
    hasty.life.at("salesforce.create", lambda: bench.later(9))
    hasty.sweep()
    assert sum(len(opportunities_of(bench, referral)) for referral in referrals) == 1
    assert bench.store.cursor("sweep") is None
    hasty.sweep()
    assert sum(len(opportunities_of(bench, referral)) for referral in referrals) == 3
    assert bench.store.cursor("sweep") == newest(bench)


def test_stamps_nobody_foresaw_stop_nothing(bench: Bench) -> None:
    odd, sound = sent(bench), sent(bench)
    strange = {"/target": ["msft", None], "/externalReferenceId": 7, "/updatedDateTime": None, "/createdDateTime": 1}
    bench.partner_center.raw_patch(odd, strange, touch=False)
    bench.sweep()
    assert opportunity_of(bench, sound)
    assert not bench.one.log.of("run_failed")
    assert opportunities_of(bench, odd) == []
    assert [due.key for due in bench.due(Side.PARTNER_CENTER)] == [odd]


def test_a_change_made_while_it_pages_is_found_by_the_next_sweep(bench: Bench) -> None:
    bench.partner_center.switches.page_size = 1
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.quiet()
    ids = [bench.referral_of(deal)["id"] for deal in deals]
    for referral in ids:
        bench.colleague_edits(referral, details_dealValue=5)
    bench.one.life.at("partner_center.get", lambda: bench.colleague_edits(ids[0], details_dealValue=6))
    bench.sweep()
    bench.sweep()
    assert [bench.row(deal)["Amount"] for deal in deals] == [6, 5, 5]
    assert_quiet(bench)


def test_while_partner_center_is_paused_it_rests(bench: Bench) -> None:
    referral = sent(bench)
    patience = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "600"}, body='{"statusCode": 429}', times=9)
    bench.fault(Side.PARTNER_CENTER, patience)
    bench.sweep()
    bench.calls()
    bench.mend()
    bench.sweep()
    bench.push()
    assert bench.calls() == {}
    bench.later(600)
    bench.sweep()
    assert opportunity_of(bench, referral)


def test_while_salesforce_is_paused_what_it_finds_is_due(bench: Bench) -> None:
    referral = sent(bench)
    allowance, bench.salesforce.rest.max_requests = bench.salesforce.rest.max_requests, 0
    bench.sweep()
    bench.sweep()
    bench.salesforce.rest.max_requests = allowance
    assert [due.key for due in bench.due(Side.PARTNER_CENTER)] == [referral]
    bench.later(HOUR)
    bench.push()
    assert opportunity_of(bench, referral)
