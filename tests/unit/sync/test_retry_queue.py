"""The retry queue: growing waits, and entries that stay until their pair is done (docs/protocol.md#the-retry-queue)."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.store.link_store import LinkStore
from shared.sync.ports import RetryEntry
from shared.sync.retry_queue import queue_poisoned_event
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.heard_deals import accept, heard_deal, microsofts
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of

UNREADABLE = partial(Fault, FaultKind.ANSWER, method="GET", status=500, times=999)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_wait_between_attempts_grows_with_jitter_up_to_an_hour(harness: Harness, chance: float) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, UNREADABLE(path=referral))
    worker = harness.new_instance(chance=chance)
    worker.pull_event(referral)
    waits = []
    for attempt in range(9):
        entry = harness.only_retry_entry(Side.PARTNER_CENTER)
        assert entry.attempts == attempt
        waits.append((entry.at - harness.now()).total_seconds())
        worker.push((entry.at - harness.now()).total_seconds())
    assert all(0 < before <= after <= 3600 for before, after in pairwise(waits))
    assert waits[-1] == 60 + (3600 - 60) * chance


def test_a_retry_entry_costs_no_call_before_its_time(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, UNREADABLE(path=referral))
    worker = harness.new_instance(chance=1.0)
    worker.pull_event(referral)
    worker.push(HOUR)
    worker.push(HOUR)
    harness.forget_calls()
    worker.push(MINUTE)
    assert harness.new_calls() == {"salesforce.query": 1}


def test_a_pair_is_synced_after_an_outage_of_days(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, UNREADABLE(path=referral))
    harness.pull_event(referral)
    for _ in range(50):
        harness.push(HOUR)
    harness.clear_faults()
    harness.push(HOUR)
    assert opportunity_of(harness, referral)["Amount"] == 25000
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_retry_entry_that_changed_during_the_work_stays(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    harness.pull_event(referral)
    second_store = LinkStore(harness.rows)
    newer_entry = RetryEntry(Side.PARTNER_CENTER, referral, harness.now() + timedelta(hours=3), "another_cause")
    harness.first.process.interrupt_at("salesforce.create", lambda: second_store.put_retry_entry(newer_entry))
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    entry = harness.only_retry_entry(Side.PARTNER_CENTER)
    assert (entry.cause, entry.at) == ("another_cause", newer_entry.at)


def test_a_retry_entry_is_removed_once_its_pair_is_reconciled(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    harness.pull_event(referral)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "Unavailable"
    harness.push(HOUR)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_poisoned_event_is_queued_and_then_pulled(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    queue_poisoned_event(harness.first.ctx, referral, "the event")
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == referral
    assert harness.first.log.fields_of("event_poisoned") == [{"event_id": "the event", "referral_id": referral}]
    assert harness.first.log.fields_of("pair_due")[-1]["correlation_id"] == "the event"
    harness.push(2 * MINUTE)
    assert opportunity_of(harness, referral)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_poisoned_event_about_a_related_referral_is_queued_and_then_heard(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    theirs = microsofts(harness, deal)["id"]
    queue_poisoned_event(harness.first.ctx, theirs, is_related=True)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == f"M|{theirs}"
    harness.push(2 * MINUTE)
    assert harness.opportunity(deal)["Microsoft_Status__c"] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_events_are_queued_without_a_read_while_partner_center_is_paused(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    throttling = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "900"}, body='{"statusCode": 429}')
    harness.inject_fault(Side.PARTNER_CENTER, throttling)
    harness.pull_event(first)
    harness.forget_calls()
    other = harness.new_instance()
    other.pull_event(second, after=1.0)
    assert harness.new_calls() == {}
    entries = {entry.key: entry for entry in harness.retry_entries(Side.PARTNER_CENTER)}
    assert set(entries) == {first, second}
    assert entries[second].cause == "side_paused"
    assert (entries[second].at - harness.now()).total_seconds() == pytest.approx(900, abs=5)
    harness.push(950)
    harness.push(950)
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in (first, second))
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_failed_sign_in_pauses_the_side_until_a_probe_after_15_minutes_succeeds(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=403, body="{}"))
    harness.pull_event(referral)
    assert harness.store.side_state(Side.PARTNER_CENTER).reason == "sign_in"
    harness.forget_calls()
    harness.push(10 * MINUTE)
    assert not harness.new_calls()["partner_center.get"]
    harness.push(6 * MINUTE)
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    assert harness.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_many_retry_entries_are_read_and_written_in_batches(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(30)]
    harness.push_until_quiet()
    for deal in deals:
        referral = harness.referral_of(deal)["id"]
        harness.colleague_edits(referral, details_dealValue=12000)
        queue_poisoned_event(harness.first.ctx, referral)
    harness.push(HOUR)
    calls = harness.new_calls()
    # The poll, the pull, and a look at the creates, whose rows of own writes are too old after an hour.
    assert (calls["partner_center.get"], calls["salesforce.query"], calls["salesforce.conditional"]) == (30, 3, 2)
    assert {record["Amount"] for record in harness.salesforce.records("Opportunity")} == {12000}
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
