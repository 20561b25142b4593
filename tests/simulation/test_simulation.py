"""Seeds of people, faults, crashes and several instances on the real engine (docs/protocol.md).

To read what happens in a seed: `python -m tests.simulation 7`; with `--shrink` only what it needs to fail.
"""

from collections import Counter
from functools import cache

import pytest

from tests.simulation.acts import ACTS
from tests.simulation.driver import simulate
from tests.simulation.faulty.kinds import KINDS
from tests.simulation.sabotages import SABOTAGES
from tests.simulation.shrink import kind_of, shrunk

DEFAULT, ALL = 100, 500
OFTEN, MOST_KINDS = 0.05, 40
"""So many kinds of faults at least take effect in such a share of the seeds."""


def slow_beyond(first: int, count: int) -> list[object]:
    """The seeds as parameters: the first ones for every run of the tests, the others for CI."""
    return [*range(first), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(first, count))]


@pytest.mark.parametrize("seed", slow_beyond(DEFAULT, ALL))
def test_a_seed_keeps_every_promise(seed: int) -> None:
    assert result_of(seed)[0] == []


@cache
def result_of(seed: int) -> tuple[list[str], frozenset[str]]:
    """What a seed found, and which kinds of faults took effect."""
    outcome = simulate(seed)
    return outcome.findings, outcome.faults


@pytest.mark.slow
@pytest.mark.timeout(900)  # it runs all seeds, also those that another process of the tests has run
def test_each_kind_of_fault_takes_effect_and_most_of_them_do_so_often() -> None:
    seeds = Counter(kind for seed in range(ALL) for kind in result_of(seed)[1])
    assert set(seeds) == set(KINDS)
    assert sum(count >= ALL * OFTEN for count in seeds.values()) >= MOST_KINDS


@pytest.mark.parametrize("seed", [3, 58])
def test_the_same_seed_gives_the_same_story(seed: int) -> None:
    first, second = simulate(seed), simulate(seed)
    assert first.trace == second.trace


def test_a_story_that_is_run_again_happens_again() -> None:
    first = simulate(4)
    assert simulate(4, story=first.story).trace == first.trace


def test_acts_have_names_of_their_own() -> None:
    assert len(set(ACTS)) == len(ACTS)


@pytest.mark.slow
def test_a_failing_seed_is_shrunk_to_a_few_steps_that_fail_in_the_same_way() -> None:
    broken = SABOTAGES["the base moves before the effect"]
    seed = next(seed for seed in range(ALL) if simulate(seed, sabotage=broken).findings)
    whole = simulate(seed, sabotage=broken)
    short = shrunk(whole.story, lambda story: simulate(seed, story=story, sabotage=broken).findings, whole.findings[0])
    assert sum(map(len, short)) < sum(map(len, whole.story)) / 3
    assert kind_of(whole.findings[0]) in map(kind_of, simulate(seed, story=short, sabotage=broken).findings)
