"""The machine's clock goes by the store's where the two differ."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.foundation.clock import SystemClock

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_clock_goes_by_the_stores_until_the_machine_is_right_again(caplog: pytest.LogCaptureFixture) -> None:
    machine = [NOON]
    clock = SystemClock(lambda: machine[0])
    clock.compare(NOON - timedelta(minutes=2))
    assert clock.now() == NOON, "such a difference may be the time that the reply took"
    clock.compare(NOON - HOUR)
    clock.compare(NOON - HOUR + timedelta(minutes=1))
    machine[0] += timedelta(seconds=7)
    assert clock.now() == NOON - HOUR + timedelta(seconds=7)
    machine[0] = NOON - HOUR
    clock.compare(NOON - HOUR)
    assert clock.now() == NOON - HOUR
    assert [record.getMessage() for record in caplog.records] == [
        '{"event": "clock_differs", "seconds": 3600}',
        '{"event": "clock_differs", "seconds": 0}',
    ]


def test_a_machine_whose_clock_is_right_is_asked_directly() -> None:
    clock = SystemClock()
    clock.compare(datetime.now(UTC))
    assert clock.now is SystemClock.now
