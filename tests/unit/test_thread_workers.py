"""The threads of the app do what the port of parallel work promises (`shared.sync.ports.Workers`)."""

import pytest

from shared.app import ThreadWorkers


def test_the_results_are_in_the_order_of_the_items() -> None:
    assert ThreadWorkers().map(lambda number: number * 2, range(5), at_most=2) == [0, 2, 4, 6, 8]


def test_an_error_is_raised_after_all_items_have_ended() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise KeyError(number)
        ended.append(number)

    with pytest.raises(KeyError):
        ThreadWorkers().map(work, range(50), at_most=2)
    assert sorted(ended) == list(range(1, 50))
