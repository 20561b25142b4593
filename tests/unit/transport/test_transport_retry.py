"""Retries of a read: which errors are worth another try, and how long the waits are."""

import random
from collections.abc import Callable

import pytest

from shared.clients.partner_center.request import RETRIES
from shared.foundation.errors import NotFound, Throttled, Unavailable
from shared.transport.deadline import Deadline
from shared.transport.retry import Backoff, RetryPolicy
from tests.no_waits import no_waits

CHANCE = random.Random(7)  # noqa: S311 - a reproducible draw


def test_waits_are_random_below_a_bound_that_doubles_up_to_a_limit() -> None:
    backoff = Backoff(RETRIES, Deadline(60), uniform=CHANCE.uniform)

    waits = [backoff(Unavailable("x")) for _ in range(200)]

    bounds = [0.5, 1, 2, 4] + [8.0] * 196
    assert all(0 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert min(waits) < 0.5
    assert max(waits) > 7


def test_retry_after_replaces_the_random_wait_if_the_deadline_allows_it() -> None:
    backoff = Backoff(RETRIES, Deadline(60), uniform=CHANCE.uniform)

    assert backoff(Throttled("x", after=57)) == 57
    assert backoff(Throttled("x", after=61)) is False
    assert backoff(NotFound("x")) is False


def test_a_retry_after_beyond_the_policys_limit_ends_the_tries() -> None:
    backoff = Backoff(RetryPolicy(tries=3, first_wait=1.0, longest_retry_after=10.0), Deadline(60))

    assert backoff(Throttled("x", after=10.0)) == 10.0
    assert backoff(Throttled("x", after=10.5)) is False


def answer_to(read_once: Callable[[], str]) -> str:
    for attempt in RETRIES.attempts(Deadline(60)):
        with attempt:
            return read_once()
    raise AssertionError("the last try returns or raises")


@pytest.mark.parametrize(("failures", "expected"), [(0, "answer 1"), (2, "answer 3")])
def test_a_read_that_recovers_within_its_tries_is_answered(failures: int, expected: str) -> None:
    calls: list[int] = []

    def read_once() -> str:
        calls.append(1)
        if len(calls) <= failures:
            raise Unavailable("x")
        return f"answer {len(calls)}"

    with no_waits() as waits:
        assert answer_to(read_once) == expected
    assert len(waits) == failures


@pytest.mark.parametrize(("error", "calls"), [(Unavailable("busy"), 3), (NotFound("gone"), 1)])
def test_the_last_error_reaches_the_caller(error: Exception, calls: int) -> None:
    tried: list[int] = []

    def read_once() -> str:
        tried.append(1)
        raise error

    with no_waits() as waits, pytest.raises(type(error)) as raised:
        answer_to(read_once)

    assert raised.value is error
    assert (len(tried), len(waits)) == (calls, calls - 1)


def test_the_wait_is_the_one_that_the_service_demands() -> None:
    answers = [Throttled("x", after=7), Throttled("x", after=3)]

    def read_once() -> str:
        if answers:
            raise answers.pop(0)
        return "answer"

    with no_waits() as waits:
        assert answer_to(read_once) == "answer"
    assert waits == [7, 3]


def test_an_interruption_is_not_repeated() -> None:
    def read_once() -> str:
        raise KeyboardInterrupt

    with no_waits() as waits, pytest.raises(KeyboardInterrupt):
        answer_to(read_once)
    assert waits == []
