from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.store.link_store import LinkStore
from shared.sync.ports import RetryEntry
from shared.sync.retry.retry_queue import queue_poisoned_event
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of

BROKEN = partial(Fault, FaultKind.ANSWER, method="GET", status=500, times=999)


def only(harness: Harness) -> RetryEntry:
    """The one due row of Partner Center's side."""
    (row,) = harness.retry_entries(Side.PARTNER_CENTER)
    return row


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_distance_grows_with_jitter_up_to_an_hour(harness: Harness, chance: float) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    worker = harness.instance(chance=chance)
    worker.event(referral)
    distances = []
    for attempt in range(9):
        row = only(harness)
        assert row.attempts == attempt
        distances.append((row.at - harness.now()).total_seconds())
        worker.push((row.at - harness.now()).total_seconds())
    assert all(0 < before <= after <= 3600 for before, after in pairwise(distances))
    assert distances[-1] == 60 + (3600 - 60) * chance


def test_before_its_time_a_due_row_costs_nothing(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    worker = harness.instance(chance=1.0)
    worker.event(referral)
    worker.push(HOUR)
    worker.push(HOUR)
    harness.calls()
    worker.push(MINUTE)
    assert harness.calls() == {"salesforce.query": 1}


def test_an_outage_of_days_costs_nothing_but_patience(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, BROKEN(path=referral))
    harness.event(referral)
    for _ in range(50):
        harness.push(HOUR)
    harness.clear_faults()
    harness.push(HOUR)
    assert opportunity_of(harness, referral)["Amount"] == 25000
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_row_that_changed_while_it_was_worked_stays(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    harness.event(referral)
    other = LinkStore(harness.rows)
    again = RetryEntry(Side.PARTNER_CENTER, referral, harness.now() + timedelta(hours=3), "another_cause")
    harness.one.life.at("salesforce.create", lambda: other.put_retry_entry(again))
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    assert (only(harness).cause, only(harness).at) == ("another_cause", again.at)


def test_a_row_is_taken_off_once_its_pair_is_settled(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=500, times=3))
    harness.event(referral)
    assert only(harness).cause == "Unavailable"
    harness.push(HOUR)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_poisoned_message_is_due_and_then_worked(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    queue_poisoned_event(harness.one.ctx, referral)
    assert only(harness).key == referral
    assert harness.one.log.of("event_poisoned") == [{"referral_id": referral}]
    harness.push(2 * MINUTE)
    assert opportunity_of(harness, referral)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_while_partner_center_is_paused_events_go_to_the_list_unread(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    patience = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "900"}, body='{"statusCode": 429}')
    harness.inject_fault(Side.PARTNER_CENTER, patience)
    harness.event(first)
    harness.calls()
    other = harness.instance()
    other.event(second)
    assert harness.calls() == {}
    due = {row.key: row for row in harness.retry_entries(Side.PARTNER_CENTER)}
    assert set(due) == {first, second}
    assert due[second].cause == "side_paused"
    assert (due[second].at - harness.now()).total_seconds() == pytest.approx(900, abs=5)
    harness.push(950)
    harness.push(950)
    assert all(len(opportunities_of(harness, referral)) == 1 for referral in (first, second))
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_failed_sign_in_pauses_the_side_and_the_probe_after_a_quarter_ends_it(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=403, body="{}"))
    harness.event(referral)
    assert harness.store.side_state(Side.PARTNER_CENTER).reason == "sign_in"
    harness.calls()
    harness.push(10 * MINUTE)
    assert not harness.calls()["partner_center.get"]
    harness.push(6 * MINUTE)
    harness.push(HOUR)
    assert opportunity_of(harness, referral)
    assert harness.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_many_due_pairs_are_read_together(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(30)]
    harness.quiet()
    for deal in deals:
        referral = harness.referral_of(deal)["id"]
        harness.colleague_edits(referral, details_dealValue=12000)
        queue_poisoned_event(harness.one.ctx, referral)
    harness.push(HOUR)
    calls = harness.calls()
    assert (calls["partner_center.get"], calls["salesforce.query"], calls["salesforce.conditional"]) == (30, 2, 2)
    assert {row["Amount"] for row in harness.salesforce.records("Opportunity")} == {12000}
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
