"""The arithmetic of the figures."""

import pytest

from benchmarks.figures.spreads import Spread, Target, at_most, part_of_former, slope


def spread(*samples: float) -> Spread:
    found = Spread.of(samples)
    assert found is not None
    return found


def test_a_spread_has_the_least_the_median_and_the_greatest() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(1.0, 3.0, 10.0)


def test_without_samples_there_is_no_spread() -> None:
    assert Spread.of([]) is None


def test_a_ratio_is_least_where_the_least_meets_the_greatest() -> None:
    assert spread(1, 2, 3).over(spread(4, 5, 6)) == Spread(1 / 6, 2 / 5, 3 / 4)


def test_a_ratio_to_nothing_does_not_exist() -> None:
    assert spread(1, 2, 3).over(spread(0, 5, 6)) is None


@pytest.mark.parametrize(
    ("target", "this", "former", "is_met"),
    [
        (at_most(5), spread(1, 5, 9), None, True),
        (at_most(5), spread(1, 5.1, 9), None, False),
        (at_most(5), None, spread(1), None),
        (part_of_former(0.2), spread(2), spread(10), True),
        (part_of_former(0.2), spread(2.1), spread(10), False),
        (part_of_former(0.2), spread(2), None, None),
        (part_of_former(0.2), spread(2), spread(0), None),
    ],
)
def test_a_target_looks_at_the_median(
    target: Target, this: Spread | None, former: Spread | None, *, is_met: bool | None
) -> None:
    assert target.is_met(this, former) is is_met


def test_what_is_done_once_a_run_is_not_part_of_one_pair_more() -> None:
    assert slope((10, 5 + 10 * 7), (20, 5 + 20 * 7)) == 7
