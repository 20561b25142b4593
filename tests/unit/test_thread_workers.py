"""The threads of the app do what the port of parallel work promises (`shared.sync.ports.Workers`)."""

from threading import Barrier, Lock, current_thread

import pytest

from shared.app import ThreadWorkers


def test_the_results_are_in_the_order_of_the_items() -> None:
    assert ThreadWorkers(4).map(lambda number: number * 2, range(5), at_most=lambda: 2) == [0, 2, 4, 6, 8]


def test_an_error_is_raised_after_all_items_have_ended() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise KeyError(number)
        ended.append(number)

    with pytest.raises(KeyError):
        ThreadWorkers(4).map(work, range(50), at_most=lambda: 2)
    assert sorted(ended) == list(range(1, 50))


def test_more_items_are_under_way_once_more_are_allowed() -> None:
    allowed, together = [1], Barrier(3)

    def work(number: int) -> None:
        if number == 0:
            allowed[0] = 3
        else:
            together.wait(timeout=60)

    ThreadWorkers(32).map(work, range(7), at_most=lambda: allowed[0])


def test_no_item_begins_while_as_many_as_are_allowed_are_under_way() -> None:
    allowed, under_way, most, lock = [8], [0], dict[int, int](), Lock()

    def work(number: int) -> None:
        with lock:
            under_way[0] += 1
            most[number] = under_way[0]
        if number == 20:
            allowed[0] = 2
        with lock:
            under_way[0] -= 1

    ThreadWorkers(32).map(work, range(60), at_most=lambda: allowed[0])
    assert max(most.values()) <= 8
    assert max(most[number] for number in range(30, 60)) <= 2


def test_a_map_has_no_more_threads_than_the_setting_allows() -> None:
    names = ThreadWorkers(3).map(lambda _: current_thread().name, range(50), at_most=lambda: 50)
    assert len(set(names)) <= 3


def test_nothing_to_do_is_done() -> None:
    assert ThreadWorkers(3).map(lambda number: number, range(0), at_most=lambda: 3) == []
