"""Each minute, one read of a side's retry queue gives the entries to work on and the backlog for the log.

Source: docs/protocol.md#the-retry-queue.
"""

from datetime import timedelta

from shared.domain.deal import Side
from shared.sync.ports import Policy, RetryEntry
from shared.sync.read_queue import read_retry_queue
from tests.unit.sync.harness import MINUTE, Harness

LATER = timedelta(hours=1)


def put_entry(harness: Harness, key: str, after: timedelta, cause: str = "Unavailable") -> None:
    at = harness.now() + after
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, key, at, cause, since=harness.now()))


def test_entries_are_ready_once_their_time_has_come(harness: Harness) -> None:
    for key, after in (("now", timedelta()), ("later", LATER)):
        put_entry(harness, key, after)
    queue = read_retry_queue(harness.first.ctx, Side.SALESFORCE)[Side.SALESFORCE]
    assert {entry.key for entry in queue.entries} == {"now", "later"}
    assert set(queue.ready) == {"now"}


def test_a_ready_entry_is_found_behind_later_ones_in_a_queue_longer_than_one_read(harness: Harness) -> None:
    for number in range(3):
        put_entry(harness, f"a-{number}", LATER)
    put_entry(harness, "b", timedelta())
    small_reads = harness.new_instance(Policy(batch=3)).ctx
    queue = read_retry_queue(small_reads, Side.SALESFORCE)[Side.SALESFORCE]
    assert "b" not in {entry.key for entry in queue.entries}
    assert set(queue.ready) == {"b"}


def test_the_logged_backlog_is_counted_after_the_work(harness: Harness) -> None:
    deal = harness.seller_creates()
    put_entry(harness, deal, timedelta())
    put_entry(harness, "006000000000099AAA", LATER)
    put_entry(harness, "006000000000098AAA", LATER, cause="held")
    harness.push(MINUTE)
    backlog = harness.first.log.fields_of("unsynced")[-1]
    assert (backlog["count"], backlog["oldest_seconds"]) == (1, 60)
