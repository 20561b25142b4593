"""A side's due list is read once a minute: for what is to be worked and for what is told of it."""

from datetime import timedelta

from shared.domain.deal import Side
from shared.sync.context import Policy
from shared.sync.ports import RetryEntry
from shared.sync.retry.retry_queue import queued_entries, ready_entries
from tests.unit.sync.bench import MINUTE, Bench

LATER = timedelta(hours=1)


def waiting(bench: Bench, key: str, after: timedelta, cause: str = "Unavailable") -> None:
    at = bench.now() + after
    bench.store.put_retry_entry(RetryEntry(Side.SALESFORCE, key, at, cause, since=bench.now()))


def test_of_a_short_list_those_have_come_due_whose_time_is_up(bench: Bench) -> None:
    for key, after in (("now", timedelta()), ("later", LATER)):
        waiting(bench, key, after)
    listed = queued_entries(bench.one.ctx, Side.SALESFORCE)
    assert {row.key for row in listed} == {"now", "later"}
    assert set(ready_entries(bench.one.ctx, Side.SALESFORCE, listed)) == {"now"}


def test_what_waits_for_long_never_hides_what_is_due_on_a_list_longer_than_one_look(bench: Bench) -> None:
    for number in range(3):
        waiting(bench, f"a-{number}", LATER)
    waiting(bench, "b", timedelta())
    short_sighted = bench.instance(Policy(batch=3)).ctx
    listed = queued_entries(short_sighted, Side.SALESFORCE)
    assert "b" not in {row.key for row in listed}
    assert set(ready_entries(short_sighted, Side.SALESFORCE, listed)) == {"b"}


def test_the_backlog_is_told_as_it_stands_after_the_work(bench: Bench) -> None:
    deal = bench.seller_creates()
    waiting(bench, deal, timedelta())
    waiting(bench, "006000000000099AAA", LATER)
    waiting(bench, "006000000000098AAA", LATER, cause="held")
    bench.push(MINUTE)
    told = bench.one.log.of("unsynced")[-1]
    assert (told["count"], told["oldest_seconds"]) == (1, 60)
