"""The end of an unanswered deal, and the warnings before it (docs/protocol.md#clocks-of-a-deal)."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.answer_clock import AnswerTime, answer_time, must_be_read
from shared.domain.deal import Deal, Status
from shared.domain.records import Referral

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
END = NOW + timedelta(days=14)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def referral(status: str = "New", created: datetime | None = NOW, expires: datetime | None = None) -> Referral:
    """A referral with these dates."""
    return Referral("r", '"1"', Deal(), NOW, Status(status, "Pending"), created=created, expires=expires)


@pytest.mark.parametrize(
    ("left", "warned", "due"),
    [
        (3 * DAY + SECOND, 0, 0), (3 * DAY, 0, 3), (3 * DAY, 3, 0), (DAY + SECOND, 0, 3), (DAY + SECOND, 3, 0),
        (DAY, 0, 1), (DAY, 3, 1), (DAY, 1, 0), (SECOND, 3, 1), (SECOND, 1, 0), (timedelta(), 0, 0), (-DAY, 3, 0),
    ],
)  # fmt: skip
def test_a_warning_is_due_from_its_time_on_and_the_later_one_replaces_the_first(
    left: timedelta, warned: int, due: int
) -> None:
    known = AnswerTime(END, warned)
    assert known.due_warning(END - left) == due
    assert must_be_read(known, END - left) == (due > 0)


def test_the_next_warning_is_the_earliest_that_is_to_come() -> None:
    known = AnswerTime(END)
    assert known.next_warning(NOW) == END - 3 * DAY
    assert known.next_warning(END - 3 * DAY) == END - DAY
    assert known.next_warning(END - DAY) is None


def test_the_end_is_that_of_the_referral_or_14_days_after_its_creation_in_whole_seconds() -> None:
    exact = NOW + timedelta(days=9, microseconds=700)
    assert answer_time(referral(expires=exact), None) == AnswerTime(NOW + timedelta(days=9))
    assert answer_time(referral(), None) == AnswerTime(END)
    assert answer_time(referral(created=None), None) is None


def test_a_referral_that_was_taken_from_the_base_keeps_the_known_end_while_it_is_unanswered() -> None:
    known = AnswerTime(END, warned=3, tries=1)
    assert answer_time(referral(created=None), known) == known
    assert answer_time(referral("Active", created=None), known) is None


def test_another_end_warns_anew_and_a_small_difference_does_not() -> None:
    known = AnswerTime(END, warned=3)
    assert answer_time(referral(expires=END + 14 * DAY), known) == AnswerTime(END + 14 * DAY)
    assert answer_time(referral(expires=END + SECOND), known) == AnswerTime(END + SECOND, warned=3)


def test_an_end_that_moves_by_a_day_is_another_one() -> None:
    known = AnswerTime(NOW + timedelta(days=2), warned=3, tries=1)
    for moved, warned in ((timedelta(hours=23), 3), (timedelta(days=1), 0)):
        referral = Referral("r", "1", Deal(), NOW, Status("New", "Pending"), expires=known.until + moved)
        found = answer_time(referral, known)
        assert found is not None
        assert (found.until, found.warned) == (known.until + moved, warned)
