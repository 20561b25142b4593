"""A pair that fails is tried at growing distances, whoever meets it meanwhile (protocol.md section 9)."""

from datetime import timedelta

import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.unit.sync.arrivals import arrived, assert_quiet, sent
from tests.unit.sync.bench import HOUR, MINUTE, Bench, Instance


def only(bench: Bench, side: Side = Side.SALESFORCE) -> RetryEntry:
    """The one due row of a side."""
    (row,) = bench.due(side)
    return row


def broken(bench: Bench, referral: str) -> None:
    """Partner Center cannot read a referral any more."""
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="GET", path=referral, status=500, times=9999))


@pytest.fixture
def failing(bench: Bench) -> str:
    """An opportunity of a referral that changed and cannot be read; its push was tried once."""
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    broken(bench, referral)
    bench.seller_edits(deal, Amount=1)
    bench.push()
    assert bench.calls()["partner_center.failed"]
    return deal


def tried(worker: Instance) -> bool:
    """Whether a minute's run tries a pair."""
    return any(worker.push(MINUTE).results.values())


def test_the_poll_does_not_try_a_failing_pair_again_before_its_time(bench: Bench, failing: str) -> None:
    worker = bench.instance(chance=1.0)
    assert [minute for minute in range(1, 61) if tried(worker)] == [1, 3, 7, 15, 31]
    assert only(bench).attempts == 5
    bench.mend()
    worker.push(HOUR)
    assert bench.referral_of(failing)["details"]["dealValue"] == 1
    assert bench.due(Side.SALESFORCE) == []


def test_what_the_seller_changes_meanwhile_is_tried_at_once_and_the_count_stays(bench: Bench, failing: str) -> None:
    worker = bench.instance(chance=1.0)
    assert [tried(worker) for _ in range(4)] == [True, False, True, False]
    bench.seller_edits(failing, Amount=2)
    assert [tried(worker) for _ in range(2)] == [True, False]
    assert only(bench).attempts == 2


def test_a_pair_that_the_poll_settles_is_no_longer_due(bench: Bench, failing: str) -> None:
    bench.mend()
    bench.seller_edits(failing, Amount=2)
    bench.push(MINUTE / 4)
    assert bench.referral_of(failing)["details"]["dealValue"] == 2
    assert bench.due(Side.SALESFORCE) == []


def test_a_burst_of_events_at_a_failing_referral_does_not_make_it_wait_longer(bench: Bench) -> None:
    referral = sent(bench)
    broken(bench, referral)
    worker = bench.instance(chance=1.0)
    for _ in range(10):
        worker.event(referral)
    row = only(bench, Side.PARTNER_CENTER)
    assert (row.attempts, (row.at - bench.now()).total_seconds()) == (0, 60)


def test_the_sweep_does_not_make_a_failing_pair_young_again(bench: Bench) -> None:
    referral, deal = arrived(bench)
    broken(bench, referral)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    worker = bench.instance(chance=1.0)
    worker.event(referral)
    for _ in range(6):
        worker.push(HOUR)
    before = only(bench, Side.PARTNER_CENTER)
    assert before.attempts == 6
    worker.sweep()
    after = only(bench, Side.PARTNER_CENTER)
    assert (after.attempts, after.since) == (before.attempts, before.since)
    bench.mend()
    bench.rounds()
    assert bench.differences(deal) == []
    assert_quiet(bench)


def test_a_held_opportunity_that_a_slow_save_mends_does_not_wait_for_its_hour(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    bench.salesforce.lag = timedelta(seconds=2 * MINUTE)
    bench.seller_edits(deal, Amount=5)  # stamped now; the next poll's cursor passes it unseen
    bench.push()
    assert bench.referrals() == []
    bench.push()
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 5


def test_a_slow_save_of_a_failing_pair_is_found_when_its_time_comes(bench: Bench, failing: str) -> None:
    worker = bench.instance(chance=1.0)
    for _ in range(8):
        worker.push(MINUTE)
    bench.salesforce.lag = timedelta(seconds=2 * MINUTE)
    bench.seller_edits(failing, Amount=2)
    assert not any(tried(worker) for _ in range(4))
    bench.mend()
    worker.push(HOUR)
    assert bench.referral_of(failing)["details"]["dealValue"] == 2
    assert bench.due(Side.SALESFORCE) == []
