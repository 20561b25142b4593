"""A pair that fails is tried again after growing waits, also if an event or a scan reports it before.

Source: docs/protocol.md#between-runs.
"""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, MINUTE, RESTED, Harness, Instance
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal


def make_unreadable(harness: Harness, referral: str) -> None:
    """From now on, Partner Center fails to read a referral."""
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="GET", path=referral, status=500, times=9999)
    )


@pytest.fixture
def failing_deal(harness: Harness) -> str:
    """An edited opportunity whose referral changed and cannot be read. Its push failed once."""
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2027-01-31T00:00:00Z")
    make_unreadable(harness, referral)
    harness.seller_edits(deal, Amount=1)
    harness.push()
    assert harness.new_calls()["partner_center.failed"]
    return deal


def tries_a_pair(worker: Instance) -> bool:
    """Whether the next run of the minute timer works on a pair."""
    return any(worker.push(MINUTE).results.values())


def test_the_poll_does_not_try_a_failing_pair_before_its_time(harness: Harness, failing_deal: str) -> None:
    worker = harness.new_instance(chance=1.0)
    assert [minute for minute in range(1, 61) if tries_a_pair(worker)] == [1, 3, 7, 15, 31]
    assert harness.only_retry_entry(Side.SALESFORCE).attempts == 5
    harness.clear_faults()
    worker.push(HOUR)
    assert harness.referral_of(failing_deal)["details"]["dealValue"] == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_further_edit_is_tried_at_once_and_keeps_the_count_of_attempts(harness: Harness, failing_deal: str) -> None:
    worker = harness.new_instance(chance=1.0)
    assert [tries_a_pair(worker) for _ in range(4)] == [True, False, True, False]
    harness.seller_edits(failing_deal, Amount=2)
    assert [tries_a_pair(worker) for _ in range(2)] == [True, False]
    assert harness.only_retry_entry(Side.SALESFORCE).attempts == 2


def test_a_pair_that_the_poll_reconciles_leaves_the_retry_queue(harness: Harness, failing_deal: str) -> None:
    harness.clear_faults()
    harness.seller_edits(failing_deal, Amount=2)
    harness.push(RESTED)
    assert harness.referral_of(failing_deal)["details"]["dealValue"] == 2
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_burst_of_events_of_a_failing_referral_does_not_lengthen_its_wait(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    make_unreadable(harness, referral)
    worker = harness.new_instance(chance=1.0)
    for _ in range(10):
        worker.pull_event(referral)
    entry = harness.only_retry_entry(Side.PARTNER_CENTER)
    assert (entry.attempts, (entry.at - harness.now()).total_seconds()) == (0, 60)


def test_the_sweep_does_not_reset_the_attempts_of_a_failing_pair(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    make_unreadable(harness, referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    worker = harness.new_instance(chance=1.0)
    worker.pull_event(referral)
    for _ in range(6):
        worker.push(HOUR)
    before = harness.only_retry_entry(Side.PARTNER_CENTER)
    assert before.attempts == 6
    worker.sweep()
    after = harness.only_retry_entry(Side.PARTNER_CENTER)
    assert (after.attempts, after.since) == (before.attempts, before.since)
    harness.clear_faults()
    worker.push(HOUR)
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_held_opportunity_that_a_slow_save_completes_does_not_wait_for_its_hour(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    harness.salesforce.lag = timedelta(seconds=2 * MINUTE)
    # The stamp of this edit is now, so the cursor of the next poll passes it before it is visible.
    harness.seller_edits(deal, Amount=5)
    harness.push()
    assert harness.our_referrals() == []
    harness.push()
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 5


def test_a_slow_save_of_a_failing_pair_is_found_at_its_next_attempt(harness: Harness, failing_deal: str) -> None:
    worker = harness.new_instance(chance=1.0)
    for _ in range(8):
        worker.push(MINUTE)
    harness.salesforce.lag = timedelta(seconds=2 * MINUTE)
    harness.seller_edits(failing_deal, Amount=2)
    assert not any(tries_a_pair(worker) for _ in range(4))
    harness.clear_faults()
    worker.push(HOUR)
    assert harness.referral_of(failing_deal)["details"]["dealValue"] == 2
    assert harness.retry_entries(Side.SALESFORCE) == []
