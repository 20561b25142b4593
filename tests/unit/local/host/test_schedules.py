from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.host.schedules import parse_schedule

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 * * * * *", "2026-11-22T12:01:00"),
        ("* * * * *", "2026-11-22T12:01:00"),
        ("*/20 * * * * *", "2026-11-22T12:00:20"),
        ("0 */15 * * * *", "2026-11-22T12:15:00"),
        ("0 5/25 * * * *", "2026-11-22T12:05:00"),
        ("30 0 3 * * *", "2026-11-23T03:00:30"),
        ("0 0 9-17/4 * * MON-FRI", "2026-11-23T09:00:00"),
        ("0 0 0 1 jan *", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2027-08-13T00:00:00"),
        ("0 0,30 12 * * *", "2026-11-22T12:30:00"),
        ("00:05:00", "2026-11-22T12:05:00"),
        ("1.00:00:00", "2026-11-23T12:00:00"),
    ],
)
def test_the_next_run_of_a_schedule(schedule: str, expected: str) -> None:
    assert parse_schedule(schedule).next_after(NOON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_next_run_after_a_fraction_of_a_second_is_the_next_second() -> None:
    schedule = parse_schedule("* * * * * *")

    assert schedule.next_after(NOON + timedelta(microseconds=1)) == NOON + timedelta(seconds=1)


def test_the_next_run_is_in_utc_for_a_time_in_any_zone() -> None:
    taipei = NOON.astimezone(timezone(timedelta(hours=8)))

    assert parse_schedule("0 30 * * * *").next_after(taipei) == NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ("* * *", "needs six fields"),
        ("60 * * * * *", "second 60 is not between 0 and 59"),
        ("0 0 0 * * 7", "day of week 7 is not between 0 and 6"),
        ("0 0 0 * * MON-SUN", "goes backwards"),
        ("0 */0 * * * *", "minute 0 is not between 1 and 59"),
        ("0 x * * * *", "minute 'x' is not a value"),
        ("0 0 0 31 2 *", "no day ever matches"),
        ("00:00:00", "longer than zero"),
        ("0:0", "not a time span"),
    ],
)
def test_the_error_of_a_wrong_schedule_names_the_field(schedule: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_schedule(schedule)
