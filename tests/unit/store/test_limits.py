from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.store.limits import (
    MAX_CHANGES,
    MAX_ROW_BYTES,
    MAX_TRANSACTION_BYTES,
    after_prefix,
    check_changes,
    check_key,
    check_list,
    check_scan,
    check_time,
    transaction_size,
)
from shared.store.rows import Delete, Put, RowChange

texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=6)


@pytest.mark.parametrize("key", ["x", "O|006000000000001AAA", "a b", "~" * 200])
def test_a_key_of_ordinary_ascii_is_accepted(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["", "a/b", "a\\b", "a#b", "a?b", "a\nb", "a\n", "a\x7f", "é", "~" * 201])
def test_a_key_that_table_storage_forbids_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        check_key(key)


@given(prefix=texts, key=texts)
def test_the_range_of_a_prefix_holds_exactly_the_keys_that_begin_with_it(prefix: str, key: str) -> None:
    assert (prefix <= key < after_prefix(prefix)) == key.startswith(prefix)


def test_a_time_needs_a_zone_and_a_year_that_the_service_accepts() -> None:
    check_time(None)
    check_time(datetime(1601, 1, 1, tzinfo=UTC))
    for moment in (datetime(2026, 1, 1), datetime(1600, 12, 31, tzinfo=UTC)):  # noqa: DTZ001 - the point of the case
        with pytest.raises(ValueError, match="time zone"):
            check_time(moment)


def test_a_transaction_is_limited_in_changes_data_and_size() -> None:
    check_changes("O|1", [Put(f"{n}", b"") for n in range(MAX_CHANGES)])
    check_changes("O|1", [Put(f"{n}", bytes(MAX_ROW_BYTES)) for n in range(4)])
    too_much: list[tuple[list[RowChange], str]] = [
        ([Put(f"{n}", b"") for n in range(MAX_CHANGES + 1)], "at most 100"),
        ([Put("x", b""), Delete("x", "etag")], "once"),
        ([Put("x", bytes(MAX_ROW_BYTES + 1))], "at most 700000"),
        ([Put(f"{n}", bytes(MAX_ROW_BYTES)) for n in range(5)], f"at most {MAX_TRANSACTION_BYTES}"),
    ]
    for changes, reason in too_much:
        with pytest.raises(ValueError, match=reason):
            check_changes("O|1", changes)


def test_the_size_counts_data_as_base64() -> None:
    assert transaction_size([Put("x", bytes(3_000))]) - transaction_size([Put("x", b"")]) == 4_000


def test_the_arguments_of_reads_are_checked() -> None:
    check_list("O|1", "", None, None)
    check_scan("", "link")
    for arguments in (("O|1", "a/", None, None), ("", "", None, None), ("O|1", "", None, -1)):
        with pytest.raises(ValueError, match=r"key|limit"):
            check_list(*arguments)
    for partition, key in (("/", "link"), ("O|", "")):
        with pytest.raises(ValueError, match="key"):
            check_scan(partition, key)
