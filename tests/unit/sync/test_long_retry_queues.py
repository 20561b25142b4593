"""A side's due list is read once a minute: for what is to be worked and for what is told of it."""

from datetime import timedelta

from shared.domain.deal import Side
from shared.sync.context import Policy
from shared.sync.ports import RetryEntry
from shared.sync.retry.retry_queue import queued_entries, ready_entries
from tests.unit.sync.harness import MINUTE, Harness

LATER = timedelta(hours=1)


def waiting(harness: Harness, key: str, after: timedelta, cause: str = "Unavailable") -> None:
    at = harness.now() + after
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, key, at, cause, since=harness.now()))


def test_of_a_short_list_those_have_come_due_whose_time_is_up(harness: Harness) -> None:
    for key, after in (("now", timedelta()), ("later", LATER)):
        waiting(harness, key, after)
    listed = queued_entries(harness.one.ctx, Side.SALESFORCE)
    assert {row.key for row in listed} == {"now", "later"}
    assert set(ready_entries(harness.one.ctx, Side.SALESFORCE, listed)) == {"now"}


def test_what_waits_for_long_never_hides_what_is_due_on_a_list_longer_than_one_look(harness: Harness) -> None:
    for number in range(3):
        waiting(harness, f"a-{number}", LATER)
    waiting(harness, "b", timedelta())
    short_sighted = harness.instance(Policy(batch=3)).ctx
    listed = queued_entries(short_sighted, Side.SALESFORCE)
    assert "b" not in {row.key for row in listed}
    assert set(ready_entries(short_sighted, Side.SALESFORCE, listed)) == {"b"}


def test_the_backlog_is_told_as_it_stands_after_the_work(harness: Harness) -> None:
    deal = harness.seller_creates()
    waiting(harness, deal, timedelta())
    waiting(harness, "006000000000099AAA", LATER)
    waiting(harness, "006000000000098AAA", LATER, cause="held")
    harness.push(MINUTE)
    told = harness.one.log.of("unsynced")[-1]
    assert (told["count"], told["oldest_seconds"]) == (1, 60)
