"""Several adapters use one store: the lock of a pair holds between threads, adapters and runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.foundation.errors import StoreConflict
from shared.store.rows import Insert, Put, Replace, Rows
from tests.conformance.conftest import Store

LINK = "O|006000000000001AAA"


def increment_counter(rows: Rows, times: int, meeting: Barrier) -> int:
    """Add one to the counter `times` times; returns the number of conflicts with another writer.

    All writers have read the same row before the first of them writes, so that they are in conflict on any machine.
    """
    conflicts, has_met = 0, False
    for _ in range(times):
        while True:
            row = rows.get(LINK, "counter")
            assert row is not None
            if not has_met:
                meeting.wait(timeout=60)
                has_met = True
            try:
                rows.write(LINK, [Replace("counter", str(int(row.data) + 1).encode(), row.etag)])
            except StoreConflict:
                conflicts += 1
            else:
                break
    return conflicts


def run_in_threads[T](*works: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(len(works)) as threads:
        return [each.result() for each in [threads.submit(work) for work in works]]


def test_two_adapters_that_write_at_once_lose_no_increment(store: Store) -> None:
    one, other = store.open_adapter(), store.open_adapter()
    one.write(LINK, [Insert("counter", b"0")])
    meeting = Barrier(2)
    beaten = run_in_threads(
        lambda: increment_counter(one, store.rounds, meeting), lambda: increment_counter(other, store.rounds, meeting)
    )
    row = one.get(LINK, "counter")
    assert row is not None
    assert int(row.data) == 2 * store.rounds
    assert sum(beaten) > 0


def test_only_one_of_many_acquires_the_lock(store: Store) -> None:
    adapters = [store.open_adapter() for _ in range(4)]

    def try_to_acquire(rows: Rows, name: bytes) -> bytes | None:
        try:
            rows.write(LINK, [Insert("link", name)])
        except StoreConflict:
            return None
        return name

    outcomes = run_in_threads(
        *(lambda rows=rows, n=n: try_to_acquire(rows, f"{n}".encode()) for n, rows in enumerate(adapters * 4))
    )
    winners = [name for name in outcomes if name is not None]
    row = adapters[0].get(LINK, "link")
    assert row is not None
    assert winners == [row.data]


def test_many_threads_read_one_adapter_at_once(store: Store) -> None:
    rows = store.open_adapter()
    for number in range(16):
        rows.write(f"O|{number}", [Put("link", f"{number}".encode() * 1_000)])

    def reads_its_row(number: int) -> bool:
        rows_read = [rows.get(f"O|{number}", "link") for _ in range(10)]
        return all(row is not None and row.data == f"{number}".encode() * 1_000 for row in rows_read)

    assert all(run_in_threads(*(lambda n=n: reads_its_row(n) for n in range(16))))


def test_a_later_run_finds_the_rows_that_an_earlier_one_committed(store: Store) -> None:
    store.open_adapter().write(LINK, [Insert("link", b"base"), Insert("a|1", b"line")])
    with pytest.raises(StoreConflict):
        store.open_adapter().write(LINK, [Put("a|2", b"line"), Insert("link", b"again")])
    assert {row.key: row.data for row in store.open_adapter().list(LINK)} == {"link": b"base", "a|1": b"line"}
