"""How many calls may go to a side at once (docs/protocol.md#calls-at-once)."""

from contextlib import suppress
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.call_pace import CallPace, Pace, Paces, Sign, sign_of
from shared.domain.deal import Side
from shared.foundation.errors import Cause, CosellError, Rejected, SignInFailed, Throttled, Unavailable

MOST = st.integers(min_value=1, max_value=64)
ENDS = st.lists(st.tuples(st.sampled_from(Sign), st.integers(min_value=0, max_value=3), st.booleans()), max_size=200)
LIMITED, REFUSED = Throttled("slow down"), Rejected(Cause("code", None, "reason", "remedy"))


def take_a_round(pace: CallPace) -> None:
    """As many calls as are allowed run at once, and all are taken."""
    began = [pace.begin() for _ in range(pace.allowed)]
    for halvings, is_used in began:
        pace.end(Sign.TAKEN, halvings, is_used=is_used)


@given(MOST, ENDS)
def test_the_pace_stays_between_one_and_the_limit_and_moves_by_one_or_to_half(
    most: int, ends: list[tuple[Sign, int, bool]]
) -> None:
    pace = Pace.first(most)
    assert pace.allowed == min(8, most)
    for sign, age, is_used in ends:
        before, began = pace, max(0, pace.halvings - age)
        pace = before.ended(sign, began, is_used=is_used)
        assert 1 <= pace.allowed <= most
        if sign is Sign.TOO_MANY and began == before.halvings:
            assert pace.allowed == max(1, before.allowed // 2)
        elif sign is Sign.TAKEN and is_used:
            assert pace.allowed - before.allowed in (0, 1)
        else:
            assert pace.allowed == before.allowed


@given(MOST, st.integers(min_value=0, max_value=80))
def test_each_round_of_answers_allows_one_call_more_up_to_the_limit(most: int, rounds: int) -> None:
    pace = CallPace(most)
    for _ in range(rounds):
        take_a_round(pace)
    low = min(8, most)
    assert low + rounds // 2 <= pace.allowed or pace.allowed == most
    assert pace.allowed <= min(low + rounds, most)


def test_a_full_round_at_the_start_allows_exactly_one_more() -> None:
    pace = CallPace(32)
    began = [pace.begin() for _ in range(8)]
    for halvings, _ in began:
        pace.end(Sign.TAKEN, halvings, is_used=True)
    assert pace.allowed == 9


def test_calls_that_are_limited_together_halve_the_pace_once() -> None:
    pace = CallPace(32)
    began = [pace.begin() for _ in range(8)]
    for halvings, is_used in began:
        pace.end(Sign.TOO_MANY, halvings, is_used=is_used)
    assert pace.allowed == 4
    halvings, is_used = pace.begin()
    pace.end(Sign.TOO_MANY, halvings, is_used=is_used)
    assert pace.allowed == 2


def test_a_side_that_is_asked_one_thing_at_a_time_gets_no_more_calls_at_once() -> None:
    pace = CallPace(32)
    for _ in range(100):
        with pace.call() as call:
            call.status = 200
    assert pace.allowed == 8


def test_a_pace_of_one_recovers_although_one_call_at_a_time_is_sent() -> None:
    pace = CallPace(32)
    for _ in range(4):
        with pace.call() as call:
            call.status = 503
    assert pace.allowed == 1
    take_a_round(pace)
    assert pace.allowed == 2


@pytest.mark.parametrize(
    ("status", "error", "sign"),
    [
        (200, None, Sign.TAKEN),
        (400, REFUSED, Sign.TAKEN),
        (429, LIMITED, Sign.TOO_MANY),
        (403, LIMITED, Sign.TOO_MANY),  # Salesforce: REQUEST_LIMIT_EXCEEDED
        (503, Unavailable("busy"), Sign.TOO_MANY),
        (504, Unavailable("late"), Sign.TOO_MANY),
        (408, Unavailable("late"), Sign.TOO_MANY),
        (500, Unavailable("broken"), Sign.NOTHING),
        (None, Unavailable("no connection"), Sign.NOTHING),
        (None, LIMITED, Sign.NOTHING),  # the sign-in is limited
        (401, LIMITED, Sign.NOTHING),  # the sign-in after a refused token is
        (401, SignInFailed("no", code="x", remedy="y"), Sign.NOTHING),
        (200, KeyError("a defect"), Sign.NOTHING),
    ],
)
def test_what_the_end_of_a_call_says(status: int | None, error: Exception | None, sign: Sign) -> None:
    assert sign_of(status, error, is_late=False) is sign


def test_a_call_without_an_answer_in_time_says_too_many() -> None:
    assert sign_of(None, Unavailable("late"), is_late=True) is Sign.TOO_MANY


def test_a_call_that_fails_is_no_longer_under_way() -> None:
    pace = CallPace(32)
    for error in (LIMITED, KeyError("a defect"), KeyboardInterrupt()):
        with suppress(CosellError, KeyError, KeyboardInterrupt), pace.call():
            raise error
    assert pace.begin() == (0, False)


def test_threads_share_one_pace() -> None:
    pace, together = CallPace(32), Barrier(8)

    def work() -> None:
        for _ in range(50):
            with pace.call() as call:
                together.wait(timeout=60)
                call.status = 200
                together.wait(timeout=60)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pace.begin() == (0, False), "no call is under way any more"
    assert pace.allowed > 8


def test_the_number_of_calls_to_the_store_is_not_learned() -> None:
    paces = Paces(32)
    take_a_round(paces.of(Side.SALESFORCE))
    assert (paces.calls_at_once(None), paces.width(None)()) == (8, 8)
    assert Paces(3).calls_at_once(None) == 3
    assert paces.calls_at_once(Side.PARTNER_CENTER) == 8, "each side has its own"
