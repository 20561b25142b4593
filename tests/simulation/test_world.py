"""A seed has only traits that go together, whatever it draws and whatever a test asks for."""

import pytest

from tests.simulation.lists import IN_ROWS, LISTS
from tests.simulation.microsoft import NEWS
from tests.simulation.moves import HELP
from tests.simulation.world import CHANCES, EXCLUDES, FURTHER, NEEDS, STEPS_OF_A_LONG_STORM, draw_world

SEEDS = range(200)


def test_each_trait_is_drawn_and_no_seed_has_traits_that_exclude_each_other() -> None:
    worlds = [draw_world(seed) for seed in SEEDS]
    assert set().union(*(world.traits for world in worlds)) == {*CHANCES, *FURTHER}
    for world in worlds:
        assert all(NEEDS[trait] in world.traits for trait in world.traits if trait in NEEDS)
        assert not any(set(EXCLUDES[trait]) & world.traits for trait in world.traits if trait in EXCLUDES)


@pytest.mark.parametrize("trait", [*CHANCES, *FURTHER])
def test_a_seed_has_the_trait_that_is_asked_for(trait: str) -> None:
    assert all(trait in draw_world(seed, (trait,)).traits for seed in SEEDS)


def test_with_only_a_seed_has_no_other_traits() -> None:
    assert draw_world(1, (HELP, NEWS), only=True).traits == {HELP, NEWS}


def test_a_trait_that_is_asked_for_wins_over_one_that_excludes_it() -> None:
    assert all(IN_ROWS not in draw_world(seed, (LISTS,)).traits for seed in SEEDS)


def test_a_few_seeds_have_long_storms() -> None:
    long = [seed for seed in SEEDS if len(draw_world(seed).story[0]) == STEPS_OF_A_LONG_STORM]
    assert 0 < len(long) < 0.1 * len(SEEDS)
