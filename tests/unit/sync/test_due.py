from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.store.link_store import LinkStore
from shared.sync.ports import RetryEntry
from shared.sync.retry.retry_queue import queue_poisoned_event
from tests.unit.sync.arrivals import assert_quiet, opportunities_of, opportunity_of, sent
from tests.unit.sync.bench import HOUR, MINUTE, Bench

BROKEN = partial(Fault, FaultKind.ANSWER, method="GET", status=500, times=999)


def only(bench: Bench) -> RetryEntry:
    """The one due row of Partner Center's side."""
    (row,) = bench.due(Side.PARTNER_CENTER)
    return row


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_distance_grows_with_jitter_up_to_an_hour(bench: Bench, chance: float) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    worker = bench.instance(chance=chance)
    worker.event(referral)
    distances = []
    for attempt in range(9):
        row = only(bench)
        assert row.attempts == attempt
        distances.append((row.at - bench.now()).total_seconds())
        worker.push((row.at - bench.now()).total_seconds())
    assert all(0 < before <= after <= 3600 for before, after in pairwise(distances))
    assert distances[-1] == 60 + (3600 - 60) * chance


def test_before_its_time_a_due_row_costs_nothing(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    worker = bench.instance(chance=1.0)
    worker.event(referral)
    worker.push(HOUR)
    worker.push(HOUR)
    bench.calls()
    worker.push(MINUTE)
    assert bench.calls() == {"salesforce.query": 1}


def test_an_outage_of_days_costs_nothing_but_patience(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    bench.event(referral)
    for _ in range(50):
        bench.push(HOUR)
    bench.mend()
    bench.push(HOUR)
    assert opportunity_of(bench, referral)["Amount"] == 25000
    assert bench.due(Side.PARTNER_CENTER) == []
    assert_quiet(bench)


def test_a_row_that_changed_while_it_was_worked_stays(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    bench.event(referral)
    other = LinkStore(bench.rows)
    again = RetryEntry(Side.PARTNER_CENTER, referral, bench.now() + timedelta(hours=3), "another_cause")
    bench.one.life.at("salesforce.create", lambda: other.put_retry_entry(again))
    bench.push(HOUR)
    assert opportunity_of(bench, referral)
    assert (only(bench).cause, only(bench).at) == ("another_cause", again.at)


def test_a_row_is_taken_off_once_its_pair_is_settled(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    bench.event(referral)
    assert only(bench).cause == "Unavailable"
    bench.push(HOUR)
    assert bench.due(Side.PARTNER_CENTER) == []


def test_a_poisoned_message_is_due_and_then_worked(bench: Bench) -> None:
    referral = sent(bench)
    queue_poisoned_event(bench.one.ctx, referral)
    assert only(bench).key == referral
    assert bench.one.log.of("event_poisoned") == [{"referral_id": referral}]
    bench.push(2 * MINUTE)
    assert opportunity_of(bench, referral)
    assert bench.due(Side.PARTNER_CENTER) == []


def test_while_partner_center_is_paused_events_go_to_the_list_unread(bench: Bench) -> None:
    first, second = sent(bench), sent(bench)
    patience = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "900"}, body='{"statusCode": 429}')
    bench.fault(Side.PARTNER_CENTER, patience)
    bench.event(first)
    bench.calls()
    other = bench.instance()
    other.event(second)
    assert bench.calls() == {}
    due = {row.key: row for row in bench.due(Side.PARTNER_CENTER)}
    assert set(due) == {first, second}
    assert due[second].cause == "side_paused"
    assert (due[second].at - bench.now()).total_seconds() == pytest.approx(900, abs=5)
    bench.push(950)
    bench.push(950)
    assert all(len(opportunities_of(bench, referral)) == 1 for referral in (first, second))
    assert bench.due(Side.PARTNER_CENTER) == []


def test_a_failed_sign_in_pauses_the_side_and_the_probe_after_a_quarter_ends_it(bench: Bench) -> None:
    referral = sent(bench)
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=403, body="{}"))
    bench.event(referral)
    assert bench.store.side_state(Side.PARTNER_CENTER).reason == "sign_in"
    bench.calls()
    bench.push(10 * MINUTE)
    assert not bench.calls()["partner_center.get"]
    bench.push(6 * MINUTE)
    bench.push(HOUR)
    assert opportunity_of(bench, referral)
    assert bench.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_many_due_pairs_are_read_together(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(30)]
    bench.quiet()
    for deal in deals:
        referral = bench.referral_of(deal)["id"]
        bench.colleague_edits(referral, details_dealValue=12000)
        queue_poisoned_event(bench.one.ctx, referral)
    bench.push(HOUR)
    calls = bench.calls()
    assert (calls["partner_center.get"], calls["salesforce.query"], calls["salesforce.conditional"]) == (30, 2, 2)
    assert {row["Amount"] for row in bench.salesforce.records("Opportunity")} == {12000}
    assert bench.due(Side.PARTNER_CENTER) == []
