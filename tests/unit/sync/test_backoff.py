"""A pair that fails is tried at growing distances, whoever meets it meanwhile (protocol.md section 9)."""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal


def only(harness: Harness, side: Side = Side.SALESFORCE) -> RetryEntry:
    """The one due row of a side."""
    (row,) = harness.retry_entries(side)
    return row


def broken(harness: Harness, referral: str) -> None:
    """Partner Center cannot read a referral any more."""
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="GET", path=referral, status=500, times=9999)
    )


@pytest.fixture
def failing(harness: Harness) -> str:
    """An opportunity of a referral that changed and cannot be read; its push was tried once."""
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    broken(harness, referral)
    harness.seller_edits(deal, Amount=1)
    harness.push()
    assert harness.calls()["partner_center.failed"]
    return deal


def tried(worker: Instance) -> bool:
    """Whether a minute's run tries a pair."""
    return any(worker.push(MINUTE).results.values())


def test_the_poll_does_not_try_a_failing_pair_again_before_its_time(harness: Harness, failing: str) -> None:
    worker = harness.instance(chance=1.0)
    assert [minute for minute in range(1, 61) if tried(worker)] == [1, 3, 7, 15, 31]
    assert only(harness).attempts == 5
    harness.clear_faults()
    worker.push(HOUR)
    assert harness.referral_of(failing)["details"]["dealValue"] == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_what_the_seller_changes_meanwhile_is_tried_at_once_and_the_count_stays(harness: Harness, failing: str) -> None:
    worker = harness.instance(chance=1.0)
    assert [tried(worker) for _ in range(4)] == [True, False, True, False]
    harness.seller_edits(failing, Amount=2)
    assert [tried(worker) for _ in range(2)] == [True, False]
    assert only(harness).attempts == 2


def test_a_pair_that_the_poll_settles_is_no_longer_due(harness: Harness, failing: str) -> None:
    harness.clear_faults()
    harness.seller_edits(failing, Amount=2)
    harness.push(MINUTE / 4)
    assert harness.referral_of(failing)["details"]["dealValue"] == 2
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_burst_of_events_at_a_failing_referral_does_not_make_it_wait_longer(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    broken(harness, referral)
    worker = harness.instance(chance=1.0)
    for _ in range(10):
        worker.event(referral)
    row = only(harness, Side.PARTNER_CENTER)
    assert (row.attempts, (row.at - harness.now()).total_seconds()) == (0, 60)


def test_the_sweep_does_not_make_a_failing_pair_young_again(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    broken(harness, referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    worker = harness.instance(chance=1.0)
    worker.event(referral)
    for _ in range(6):
        worker.push(HOUR)
    before = only(harness, Side.PARTNER_CENTER)
    assert before.attempts == 6
    worker.sweep()
    after = only(harness, Side.PARTNER_CENTER)
    assert (after.attempts, after.since) == (before.attempts, before.since)
    harness.clear_faults()
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_held_opportunity_that_a_slow_save_mends_does_not_wait_for_its_hour(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.quiet()
    harness.salesforce.lag = timedelta(seconds=2 * MINUTE)
    harness.seller_edits(deal, Amount=5)  # stamped now; the next poll's cursor passes it unseen
    harness.push()
    assert harness.referrals() == []
    harness.push()
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 5


def test_a_slow_save_of_a_failing_pair_is_found_when_its_time_comes(harness: Harness, failing: str) -> None:
    worker = harness.instance(chance=1.0)
    for _ in range(8):
        worker.push(MINUTE)
    harness.salesforce.lag = timedelta(seconds=2 * MINUTE)
    harness.seller_edits(failing, Amount=2)
    assert not any(tried(worker) for _ in range(4))
    harness.clear_faults()
    worker.push(HOUR)
    assert harness.referral_of(failing)["details"]["dealValue"] == 2
    assert harness.retry_entries(Side.SALESFORCE) == []
