"""Several adapters on one store: the lock of a pair holds between threads, adapters and runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.foundation.errors import StoreConflict
from shared.store.rows import Insert, Put, Replace, Rows
from tests.conformance.conftest import Store

LINK = "O|006000000000001AAA"


def incremented(rows: Rows, times: int) -> int:
    """Add one to the counter, `times` over; how often another was faster."""
    beaten = 0
    for _ in range(times):
        while True:
            row = rows.get(LINK, "counter")
            assert row is not None
            try:
                rows.write(LINK, [Replace("counter", str(int(row.data) + 1).encode(), row.etag)])
            except StoreConflict:
                beaten += 1
            else:
                break
    return beaten


def at_once[T](*works: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(len(works)) as threads:
        return [each.result() for each in [threads.submit(work) for work in works]]


def test_two_adapters_that_race_lose_no_increment(store: Store) -> None:
    one, other = store.open(), store.open()
    one.write(LINK, [Insert("counter", b"0")])
    beaten = at_once(lambda: incremented(one, store.rounds), lambda: incremented(other, store.rounds))
    row = one.get(LINK, "counter")
    assert row is not None
    assert int(row.data) == 2 * store.rounds
    assert sum(beaten) > 0, "they never met: the race proves nothing"


def test_one_of_many_takes_the_lock(store: Store) -> None:
    adapters = [store.open() for _ in range(4)]

    def take(rows: Rows, name: bytes) -> bytes | None:
        try:
            rows.write(LINK, [Insert("link", name)])
        except StoreConflict:
            return None
        return name

    takers = at_once(*(lambda rows=rows, n=n: take(rows, f"{n}".encode()) for n, rows in enumerate(adapters * 4)))
    winners = [name for name in takers if name is not None]
    row = adapters[0].get(LINK, "link")
    assert row is not None
    assert winners == [row.data]


def test_many_threads_read_one_adapter_at_once(store: Store) -> None:
    rows = store.open()
    for number in range(16):
        rows.write(f"O|{number}", [Put("link", f"{number}".encode() * 1_000)])

    def read(number: int) -> bool:
        found = [rows.get(f"O|{number}", "link") for _ in range(10)]
        return all(row is not None and row.data == f"{number}".encode() * 1_000 for row in found)

    assert all(at_once(*(lambda n=n: read(n) for n in range(16))))


def test_a_later_run_finds_what_an_earlier_one_committed(store: Store) -> None:
    store.open().write(LINK, [Insert("link", b"base"), Insert("a|1", b"line")])
    with pytest.raises(StoreConflict):
        store.open().write(LINK, [Put("a|2", b"line"), Insert("link", b"again")])
    assert {row.key: row.data for row in store.open().list(LINK)} == {"link": b"base", "a|1": b"line"}
