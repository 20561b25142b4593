import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.context import Mode, Policy
from shared.sync.outcome import RECONCILED
from tests.unit.sync.arrivals import arrived, assert_quiet, opportunities_of, opportunity_of, saves, sent
from tests.unit.sync.bench import HOUR, MINUTE, Bench


@pytest.mark.parametrize("way", ["event", "sweep"])
def test_a_colleagues_edits_arrive_and_are_told_in_one_line(bench: Bench, way: str) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(
        referral,
        details_dealValue=12000,
        details_currency="EUR",
        details_notes="They want more",
        details_closingDateTime="2027-01-31T00:00:00Z",
    )
    if way == "event":
        bench.event(referral)
    else:
        bench.sweep()
    row = bench.row(deal)
    assert (row["Amount"], row["CurrencyIsoCode"]) == (12000, "EUR")
    assert (row["Description"], row["CloseDate"]) == ("They want more", "2027-01-31")
    newest = bench.audit(deal)[0]
    assert newest.startswith("From Partner Center: ")
    for told in ("10000.00 USD → 12000.00 EUR", "2026-12-31 → 2027-01-31", "First call went well. → They want more"):
        assert told in newest
    assert_quiet(bench)


@pytest.mark.parametrize(
    ("substatus", "stage"), [("Won", "Closed Won"), ("Lost", "Closed Lost"), ("Expired", "Closed Lost")]
)
def test_a_deal_closed_in_the_portal_is_closed_in_salesforce(bench: Bench, substatus: str, stage: str) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": substatus})
    bench.event(referral)
    assert bench.row(deal)["StageName"] == stage
    assert_quiet(bench)
    assert bench.partner_center.referral(referral)["substatus"] == substatus


def test_an_unanswered_deal_that_expires_is_closed_lost(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.later(15 * 24 * HOUR)
    bench.sweep()
    assert bench.row(deal)["StageName"] == "Closed Lost"
    assert bench.partner_center.referral(referral)["substatus"] == "Expired"
    assert_quiet(bench)


def test_only_the_changed_columns_are_written_with_status_and_audit(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    seen = saves(bench)
    bench.event(referral)
    assert seen == [{"CloseDate", "Sync_Status__c", "Audit__c"}]


def test_an_edit_of_the_hour_alone_or_of_what_is_not_mapped_writes_nothing(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_closingDateTime="2026-12-31T17:30:00Z", name="Another name")
    seen = saves(bench)
    bench.event(referral)
    assert seen == []
    bench.calls()
    bench.event(referral)
    assert bench.calls() == {"partner_center.get": 1}


def test_a_stage_with_the_same_meaning_is_left_alone(bench: Bench) -> None:
    deal = bench.shared(StageName="Negotiation/Review")
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.event(referral)
    assert bench.row(deal)["StageName"] == "Negotiation/Review"


def test_an_echo_costs_one_read_and_writes_nothing(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, Amount=11000)
    bench.push()
    bench.calls()
    before = bench.stamps()
    bench.event(referral)
    assert bench.calls() == {"partner_center.get": 1}
    assert bench.stamps() == before


def test_an_event_played_again_changes_nothing(bench: Bench) -> None:
    referral, deal = arrived(bench)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.event(referral)
    before, told = bench.stamps(), bench.audit(deal)
    for _ in range(3):
        assert bench.event(referral) == RECONCILED
    assert bench.stamps() == before
    assert bench.audit(deal) == told
    assert len(opportunities_of(bench, referral)) == 1


def test_events_doubled_late_and_out_of_order_end_where_the_referral_is(bench: Bench) -> None:
    first, second = sent(bench), sent(bench)
    bench.event(second)
    bench.colleague_edits(second, status="Active", substatus="Accepted")
    bench.colleague_edits(first, status="Active", substatus="Accepted")
    bench.event(second)  # the update before the creation of the other
    bench.event(first)
    bench.colleague_edits(first, details_dealValue=1)
    bench.colleague_edits(first, details_dealValue=2)
    for referral in (first, second, first, first, second):
        bench.event(referral)
    bench.later(HOUR)
    bench.event(second)
    bench.event(first)
    assert opportunity_of(bench, first)["Amount"] == 2
    assert [opportunity_of(bench, referral)["StageName"] for referral in (first, second)] == ["Qualification"] * 2
    assert_quiet(bench)


def test_a_deleted_opportunity_stays_deleted_and_its_referral_stays_as_it_is(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.salesforce.delete("Opportunity", deal)
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.event(referral)
    bench.rounds()
    assert {"opportunity_id": deal} in bench.one.log.of("opportunity_missing")
    assert bench.salesforce.records("Opportunity") == []
    assert bench.partner_center.referral(referral)["status"] == "Active"
    bench.salesforce.undelete("Opportunity", deal)
    bench.rounds()
    assert bench.row(deal)["Amount"] == 12000


def test_a_linked_referral_that_is_no_longer_visible_is_due_and_its_opportunity_stays(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    gone = Fault(FaultKind.ANSWER, path=referral, status=404, times=99, body='{"error":{"code":"itemNotFound"}}')
    bench.fault(Side.PARTNER_CENTER, gone)
    before = bench.row(deal)
    bench.event(referral)
    assert [due.key for due in bench.due(Side.PARTNER_CENTER)] == [referral]
    bench.push(HOUR)
    assert bench.row(deal) == before
    bench.mend()
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.push(HOUR)
    assert bench.row(deal)["Amount"] == 12000


@pytest.mark.parametrize(
    "policy",
    [Policy(mode=Mode.OFF), Policy(mode=Mode.PREVIEW), Policy(paused=frozenset({"pull"}))],
    ids=["off", "preview", "paused"],
)
def test_where_pull_does_not_run_an_event_is_dropped_and_the_sweep_finds_it_later(bench: Bench, policy: Policy) -> None:
    referral = sent(bench)
    stopped = bench.instance(policy)
    assert stopped.event(referral) is None
    assert bench.calls() == {}
    before = bench.stamps()
    stopped.sweep()
    assert bench.stamps() == before
    assert bench.due(Side.PARTNER_CENTER) == []
    assert bench.store.cursor("sweep") is None
    bench.sweep(MINUTE)
    assert opportunity_of(bench, referral)
