"""Which events are of a burst (docs/protocol.md#events)."""

from datetime import UTC, datetime, timedelta

from shared.sync.event_ages import EventAges

NOW = datetime(2026, 12, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_an_old_message_is_of_a_burst_unless_it_is_the_first_for_a_minute() -> None:
    ages = EventAges()
    assert not ages.is_of_burst(NOW - 60 * SECOND, NOW)
    assert ages.is_of_burst(NOW - 60 * SECOND, NOW + SECOND)
    assert not ages.is_of_burst(NOW, NOW + 61 * SECOND)
    assert ages.is_of_burst(NOW, NOW + 62 * SECOND)


def test_a_young_message_or_one_of_unknown_age_is_of_no_burst() -> None:
    ages = EventAges()
    ages.is_of_burst(NOW, NOW)
    assert not ages.is_of_burst(NOW, NOW + 5 * SECOND)
    assert not ages.is_of_burst(None, NOW + 6 * SECOND)
