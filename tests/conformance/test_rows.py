"""Every adapter of the store behaves as the port promises."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.foundation.errors import StoreConflict
from shared.store.limits import MAX_ROW_BYTES
from shared.store.rows import Delete, Insert, Put, Replace, Row, RowChange, Rows

LINK = "O|006000000000001AAA"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write_one(rows: Rows, partition: str, change: RowChange) -> str:
    (etag,) = rows.write(partition, [change])
    assert etag is not None
    return etag


def read_row(rows: Rows, partition: str, key: str) -> Row:
    row = rows.get(partition, key)
    assert row is not None
    return row


def test_a_row_that_was_never_written_is_none(rows: Rows) -> None:
    assert rows.get(LINK, "link") is None
    assert rows.list(LINK) == []
    assert list(rows.scan("O|", "link")) == []


def test_an_inserted_row_is_read_back_whole(rows: Rows) -> None:
    etag = write_one(rows, LINK, Insert("link", b"base", at=NOON))
    row = read_row(rows, LINK, "link")
    assert (row.partition, row.key, row.data, row.at, row.etag) == (LINK, "link", b"base", NOON, etag)


def test_a_second_insert_of_a_row_conflicts_and_changes_nothing(rows: Rows) -> None:
    etag = write_one(rows, LINK, Insert("link", b"first"))
    with pytest.raises(StoreConflict):
        rows.write(LINK, [Insert("link", b"second")])
    row = read_row(rows, LINK, "link")
    assert (row.data, row.etag) == (b"first", etag)


def test_a_row_is_replaced_under_its_etag_and_gets_a_new_etag(rows: Rows) -> None:
    first = write_one(rows, LINK, Insert("link", b"1", at=NOON))
    second = write_one(rows, LINK, Replace("link", b"2", first))
    row = read_row(rows, LINK, "link")
    assert second != first
    assert (row.data, row.at, row.etag) == (b"2", None, second)


def test_a_stale_etag_changes_nothing(rows: Rows) -> None:
    stale = write_one(rows, LINK, Insert("link", b"1"))
    etag = write_one(rows, LINK, Replace("link", b"2", stale))
    for change in (Replace("link", b"3", stale), Delete("link", stale)):
        with pytest.raises(StoreConflict):
            rows.write(LINK, [change])
    row = read_row(rows, LINK, "link")
    assert (row.data, row.etag) == (b"2", etag)


def test_a_deleted_row_can_neither_be_replaced_nor_deleted_again(rows: Rows) -> None:
    etag = write_one(rows, LINK, Insert("link", b"1"))
    assert rows.write(LINK, [Delete("link", etag)]) == [None]
    assert rows.get(LINK, "link") is None
    for change in (Replace("link", b"2", etag), Delete("link", etag)):
        with pytest.raises(StoreConflict):
            rows.write(LINK, [change])
    assert rows.get(LINK, "link") is None


def test_the_etag_of_a_deleted_row_is_stale_for_a_new_row_with_its_key(rows: Rows) -> None:
    stale = write_one(rows, LINK, Insert("link", b"1"))
    rows.write(LINK, [Delete("link", stale)])
    write_one(rows, LINK, Insert("link", b"1"))
    with pytest.raises(StoreConflict):
        rows.write(LINK, [Replace("link", b"2", stale)])


def test_put_creates_a_row_and_overwrites_it(rows: Rows) -> None:
    first = write_one(rows, "cursors", Put("push", b"long ago", at=NOON))
    second = write_one(rows, "cursors", Put("push", b"now"))
    row = read_row(rows, "cursors", "push")
    assert first != second
    assert (row.data, row.at, row.etag) == (b"now", None, second)


def test_one_conflict_undoes_the_whole_transaction(rows: Rows) -> None:
    etag = write_one(rows, LINK, Insert("link", b"1"))
    write_one(rows, LINK, Insert("old", b"1"))
    changes: list[RowChange] = [
        Replace("link", b"2", etag),
        Put("a|1", b"line"),
        Insert("new", b"1"),
        Insert("old", b"2"),
    ]
    with pytest.raises(StoreConflict):
        rows.write(LINK, changes)
    assert {row.key: row.data for row in rows.list(LINK)} == {"link": b"1", "old": b"1"}
    assert read_row(rows, LINK, "link").etag == etag


def test_a_transaction_returns_the_etags_in_the_order_of_its_changes(rows: Rows) -> None:
    old, gone = rows.write(LINK, [Insert("link", b"1"), Insert("intent", b"1")])
    assert old is not None
    assert gone is not None
    changes: list[RowChange] = [Put("z", b"z"), Delete("intent", gone), Replace("link", b"2", old), Insert("a", b"a")]
    etags = rows.write(LINK, changes)
    standing = {row.key: row.etag for row in rows.list(LINK)}
    assert etags == [standing["z"], None, standing["link"], standing["a"]]


def test_a_transaction_without_changes_is_allowed(rows: Rows) -> None:
    assert list(rows.write(LINK, [])) == []


def test_rows_are_listed_in_the_order_of_their_keys(rows: Rows) -> None:
    keys = ["b", "a|2", "a|10", "B", "a", "Z", "~", " ", "0"]
    for key in keys:
        write_one(rows, LINK, Put(key, b""))
    assert [row.key for row in rows.list(LINK)] == sorted(keys)


def test_a_prefix_lists_only_rows_whose_keys_begin_with_it(rows: Rows) -> None:
    rows.write(LINK, [Put(key, b"") for key in ("a", "a|", "a|1", "a|~~", "a}", "b|1", "A|1")])
    assert [row.key for row in rows.list(LINK, prefix="a|")] == ["a|", "a|1", "a|~~"]
    assert [row.key for row in rows.list(LINK, prefix="a|~")] == ["a|~~"]
    assert [row.key for row in rows.list(LINK, prefix="c")] == []


def test_due_lists_rows_whose_time_has_come_and_no_rows_without_a_time(rows: Rows) -> None:
    second = timedelta(seconds=1)
    moments = {"early": NOON - second, "now": NOON, "late": NOON + second, "never": None, "x|early": NOON - second}
    rows.write("due|salesforce", [Put(key, b"", at=at) for key, at in moments.items()])
    assert [row.key for row in rows.list("due|salesforce", until=NOON)] == ["early", "now", "x|early"]
    assert [row.key for row in rows.list("due|salesforce", until=NOON, prefix="x|")] == ["x|early"]
    assert rows.list("due|salesforce", until=NOON - timedelta(microseconds=1, seconds=1)) == []


def test_a_time_keeps_its_microseconds_and_is_read_in_utc(rows: Rows) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    write_one(rows, "due|salesforce", Put("x", b"", at=moment))
    at = read_row(rows, "due|salesforce", "x").at
    assert at == moment
    assert at.utcoffset() == timedelta()


def test_a_limit_lists_the_first_rows(rows: Rows) -> None:
    rows.write(LINK, [Put(f"a|{n}", b"") for n in range(5)])
    assert [row.key for row in rows.list(LINK, prefix="a|", limit=2)] == ["a|0", "a|1"]
    assert rows.list(LINK, limit=0) == []
    assert len(rows.list(LINK, limit=50)) == 5


def test_a_scan_reads_one_key_in_many_partitions(rows: Rows) -> None:
    for partition in ("O|2", "O|1", "O|1x", "R|1", "O}"):
        rows.write(partition, [Put("link", partition.encode()), Put("a|1", b"")])
    assert [(row.partition, row.data) for row in rows.scan("O|", "link")] == [
        ("O|1", b"O|1"),
        ("O|1x", b"O|1x"),
        ("O|2", b"O|2"),
    ]
    assert len(list(rows.scan("", "link"))) == 5
    assert [row.partition for row in rows.scan("O|", "link", after="O|1")] == ["O|1x", "O|2"]


def test_a_row_may_be_written_during_a_scan(rows: Rows) -> None:
    for number in range(3):
        rows.write(f"O|{number}", [Put("link", b"old")])
    for row in rows.scan("O|", "link"):
        rows.write(row.partition, [Replace("link", b"new", row.etag)])
    assert [row.data for row in rows.scan("O|", "link")] == [b"new"] * 3


@pytest.mark.parametrize("size", [0, 1, 60 * 1024, 60 * 1024 + 1, MAX_ROW_BYTES])
def test_data_of_every_size_is_read_byte_for_byte(rows: Rows, size: int) -> None:
    data = random.Random(size).randbytes(size)  # noqa: S311 - the same bytes each time
    etag = write_one(rows, LINK, Insert("link", data))
    assert read_row(rows, LINK, "link").data == data
    write_one(rows, LINK, Replace("link", b"short", etag))
    assert read_row(rows, LINK, "link").data == b"short"


@pytest.mark.parametrize(
    "key", ["a|2026-03-01T12:00:00Z|1", "it's", "100%", "%2F", "a+b c", "..", "~", "(@x)='&$;,\"<>"]
)
def test_a_key_may_contain_every_legal_character(rows: Rows, key: str) -> None:
    etag = write_one(rows, key, Insert(key, b"1"))
    write_one(rows, key, Replace(key, b"2", etag))
    etag = write_one(rows, key, Put(key, b"3"))
    assert read_row(rows, key, key).data == b"3"
    assert [row.key for row in rows.list(key, prefix=key)] == [key]
    assert [row.partition for row in rows.scan(key, key)] == [key]
    assert rows.write(key, [Delete(key, etag)]) == [None]
    assert rows.get(key, key) is None


def test_keys_differ_by_case(rows: Rows) -> None:
    rows.write("A|x", [Insert("k", b"1"), Insert("K", b"2")])
    assert read_row(rows, "A|x", "k").data == b"1"
    assert rows.get("a|x", "k") is None


def test_the_age_of_a_row_is_the_time_since_its_last_change(rows: Rows) -> None:
    etag = write_one(rows, LINK, Insert("link", b""))
    first = read_row(rows, LINK, "link")
    write_one(rows, LINK, Replace("link", b"", etag))
    second = read_row(rows, LINK, "link")
    assert first.changed < second.changed
    # The date of the reply has whole seconds, so a new row may seem to be written in the future.
    assert timedelta(seconds=-1) <= second.age < timedelta(seconds=5)
    assert second.changed.utcoffset() == second.read.utcoffset() == timedelta()


def test_listed_rows_have_ages_too(rows: Rows) -> None:
    write_one(rows, LINK, Insert("link", b""))
    for row in (*rows.list(LINK), *rows.scan("O|", "link")):
        assert timedelta(seconds=-1) <= row.age < timedelta(seconds=5)


def test_rows_of_several_pages_are_listed_in_order(rows: Rows) -> None:
    for hundred in range(11):
        rows.write("due|salesforce", [Put(f"{hundred:02}|{n:02}", b"", at=NOON) for n in range(100)])
    listed = [row.key for row in rows.list("due|salesforce")]
    assert len(listed) == 1_100
    assert listed == sorted(listed)
    assert [row.key for row in rows.list("due|salesforce", until=NOON, limit=1_050)] == listed[:1_050]


def test_a_transaction_may_have_a_hundred_changes(rows: Rows) -> None:
    etags = rows.write(LINK, [Insert(f"a|{n:03}", b"line") for n in range(100)])
    assert [row.etag for row in rows.list(LINK)] == etags
    with pytest.raises(StoreConflict):
        rows.write(LINK, [Insert(f"b|{n:03}", b"line") for n in range(99)] + [Insert("a|000", b"")])
    assert rows.list(LINK, prefix="b|") == []


def test_a_transaction_may_be_almost_as_large_as_a_request(rows: Rows) -> None:
    large = bytes(MAX_ROW_BYTES)
    rows.write(LINK, [Put(f"{n}", large) for n in range(4)])
    assert [len(row.data) for row in rows.list(LINK)] == [MAX_ROW_BYTES] * 4


def test_an_impossible_transaction_is_refused_before_anything_is_written(rows: Rows) -> None:
    impossible: list[list[RowChange]] = [
        [Put(f"{n}", b"") for n in range(101)],
        [Put("x", b"1"), Put("x", b"2")],
        [Put("x", bytes(MAX_ROW_BYTES + 1))],
        [Put(f"{n}", bytes(MAX_ROW_BYTES)) for n in range(5)],
        [Put("", b"")],
        [Put("a/b", b"")],
        [Put("x", b"", at=datetime(2026, 1, 1))],  # noqa: DTZ001 - the point of the case
    ]
    for changes in impossible:
        with pytest.raises(ValueError, match=r"\w"):
            rows.write(LINK, changes)
    assert rows.list(LINK) == []
