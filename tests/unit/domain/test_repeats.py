"""What was done again and again for one pair: unreadable refusals, and writes of a value that something sets back."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import Change, Side, fingerprint
from shared.domain.link import Link
from shared.domain.ping_pong import FORGOTTEN, WITHIN, is_set_back, report_key, standing_reports, with_writes
from shared.domain.repeats import (
    MOST_TRIES,
    SHORTEST,
    UNREADABLE,
    Repeats,
    Tries,
    Writes,
    lasting_refusal,
    with_unreadable,
    without_unreadable,
)
from shared.domain.sentences import cause

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
KEY, VALUE = "partner_center.notes", fingerprint("new")
NOTES = Change("notes", "Notes", "old", "new")


# --- refusals that cannot be read


def test_each_unreadable_refusal_of_a_side_is_counted_from_the_first_on() -> None:
    first = with_unreadable(None, OURS, NOW)
    assert first == Repeats({OURS: Tries(1, NOW)})
    both = with_unreadable(with_unreadable(first, OURS, NOW + SECOND), THEIRS, NOW + SECOND)
    assert both == Repeats({OURS: Tries(2, NOW), THEIRS: Tries(1, NOW + SECOND)})
    assert (both.tries(OURS), both.tries(THEIRS), Repeats().tries(OURS)) == (2, 1, 0)


def test_they_are_forgotten_once_the_side_has_taken_all() -> None:
    both = Repeats({OURS: Tries(2, NOW), THEIRS: Tries(1, NOW)})
    assert without_unreadable(both, OURS) == Repeats({THEIRS: Tries(1, NOW)})
    assert without_unreadable(Repeats({OURS: Tries(2, NOW)}), OURS) is None
    assert without_unreadable(Repeats({THEIRS: Tries(2, NOW)}), OURS) == Repeats({THEIRS: Tries(2, NOW)})
    assert without_unreadable(None, OURS) is None


@pytest.mark.parametrize(
    ("count", "age", "lasts"),
    [
        (MOST_TRIES, SHORTEST, True),
        (MOST_TRIES, SHORTEST - SECOND, False),
        (MOST_TRIES - 1, SHORTEST, False),
    ],
)
def test_a_value_is_parked_after_many_unreadable_refusals_over_a_long_time(
    count: int, age: timedelta, *, lasts: bool
) -> None:
    known = Repeats({THEIRS: Tries(count, NOW - age)})
    expected = cause(UNREADABLE, None, system="Partner Center") if lasts else None
    assert lasting_refusal(known, THEIRS, NOW) == expected
    assert lasting_refusal(known, OURS, NOW) is None
    assert lasting_refusal(None, THEIRS, NOW) is None


# --- writes of a value that something sets back


def after(*minutes: int, changes: tuple[Change, ...] = (NOTES,)) -> Repeats | None:
    """What is known after a write at each of these minutes."""
    known: Repeats | None = None
    for minute in minutes:
        known = with_writes(known, THEIRS, changes, NOW + timedelta(minutes=minute))
    return known


def written(*minutes: int, is_stopped: bool = False) -> Repeats:
    times = tuple(NOW + timedelta(minutes=minute) for minute in minutes)
    return Repeats(written={KEY: Writes(VALUE, times, is_stopped)})


def test_a_value_that_is_written_three_times_within_an_hour_is_stopped() -> None:
    assert after(0) == written(0)
    assert after(0, 20) == written(0, 20)
    assert after(0, 20, 59) == written(0, 20, 59, is_stopped=True)
    assert after(0, 20, 60) == written(20, 60)
    assert after(0, 20, 59, 80, 121) == written(80, 121, is_stopped=True)


def test_another_value_begins_anew_and_a_write_is_forgotten_after_two_hours() -> None:
    other = with_writes(after(0, 20), THEIRS, [replace(NOTES, new="newer")], NOW + timedelta(minutes=30))
    assert other == Repeats(written={KEY: Writes(fingerprint("newer"), (NOW + timedelta(minutes=30),))})
    assert with_writes(after(0), THEIRS, [], NOW + FORGOTTEN - SECOND) == written(0)
    assert with_writes(after(0), THEIRS, [], NOW + FORGOTTEN) is None


def test_what_else_is_known_of_a_pair_stays() -> None:
    known = Repeats({OURS: Tries(1, NOW)}, unknown={"k": 1})
    assert with_writes(known, THEIRS, [NOTES], NOW) == replace(known, written=written(0).written)


def test_a_stopped_value_is_not_written_again_for_an_hour() -> None:
    stopped = written(0, is_stopped=True)
    assert is_set_back(stopped, KEY, "new", NOW + WITHIN - SECOND)
    assert not is_set_back(stopped, KEY, "new", NOW + WITHIN)
    assert not is_set_back(stopped, KEY, "newer", NOW)
    assert not is_set_back(stopped, "salesforce.notes", "new", NOW)
    assert not is_set_back(written(0), KEY, "new", NOW)
    assert is_set_back(written(-90, 0, is_stopped=True), KEY, "new", NOW)


def test_a_stopped_value_that_was_told_stays_told() -> None:
    told = report_key(KEY, VALUE)
    assert told == f"ping_pong:{KEY}:{VALUE}"
    link = Link("006", repeats=written(0, is_stopped=True), reported=(told, "x"))
    assert standing_reports(link) == [told]
    assert standing_reports(replace(link, reported=("x",))) == []
    assert standing_reports(replace(link, repeats=written(0))) == []
    assert standing_reports(replace(link, repeats=None)) == []
