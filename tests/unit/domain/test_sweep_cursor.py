"""Where the next sweep begins (docs/protocol.md#the-sweep)."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.sweep_cursor import MARGIN, Scan, first_bound

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
BEGIN = NOW - timedelta(days=30)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def next_cursor(
    cursor: datetime | None = None, answered: datetime | None = None, newest: datetime | None = None
) -> datetime | None:
    return Scan(cursor, answered, newest).next_cursor(BEGIN, NOW)


@pytest.mark.parametrize("newest", [None, NOW - 9 * HOUR, NOW - SECOND, NOW + HOUR])
def test_the_date_of_the_answer_counts_and_not_the_newest_stamp(newest: datetime | None) -> None:
    assert next_cursor(NOW - HOUR, NOW, newest) == NOW - MARGIN


def test_a_date_in_the_future_of_our_clock_counts_as_our_time() -> None:
    assert next_cursor(NOW - HOUR, NOW + 9 * HOUR) == NOW - MARGIN


def test_a_date_behind_our_clock_counts() -> None:
    assert next_cursor(NOW - 9 * HOUR, NOW - HOUR) == NOW - HOUR - MARGIN


def test_without_a_date_the_newest_stamp_counts() -> None:
    assert next_cursor(NOW - 9 * HOUR, None, NOW - HOUR) == NOW - HOUR


def test_without_a_date_a_stamp_in_the_future_counts_as_our_time() -> None:
    assert next_cursor(NOW - HOUR, None, NOW + HOUR) == NOW


def test_without_a_date_and_a_stamp_the_cursor_stays() -> None:
    assert next_cursor(NOW - HOUR) is None


@pytest.mark.parametrize("cursor", [NOW - HOUR, None])
def test_a_date_from_long_ago_is_as_none(cursor: datetime | None) -> None:
    absurd = datetime(1970, 1, 1, tzinfo=UTC)
    assert next_cursor(cursor, absurd, NOW - SECOND) == NOW - SECOND
    assert next_cursor(cursor, absurd) is None


@pytest.mark.parametrize(("answered", "newest"), [(NOW - SECOND, None), (None, NOW - HOUR), (NOW, NOW - HOUR)])
def test_the_cursor_never_moves_back(answered: datetime | None, newest: datetime | None) -> None:
    assert next_cursor(NOW - SECOND, answered, newest) == NOW - SECOND


def test_a_cursor_in_the_future_comes_back_and_hides_nothing() -> None:
    assert first_bound(NOW + 9 * HOUR, NOW) == NOW
    assert next_cursor(NOW + 9 * HOUR, NOW) == NOW


def test_the_first_cursor_is_not_before_the_start_of_the_sync() -> None:
    assert Scan(None, NOW).next_cursor(NOW - SECOND, NOW) == NOW - SECOND
