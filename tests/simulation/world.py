"""What a seed has: its traits, its settings, and how long its storms last. All of it is drawn from the seed."""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace

from tests.simulation.accounts import ACCOUNTS
from tests.simulation.bad_records import BAD
from tests.simulation.clocks import CLOCKS
from tests.simulation.clones import CLONES
from tests.simulation.events import BURSTS
from tests.simulation.faulty.kinds import TROUBLES
from tests.simulation.faulty.trouble import some_of
from tests.simulation.foreign import FOREIGN
from tests.simulation.late_changes import PAGES, TWICE, UNTOLD
from tests.simulation.leaving import LEAVING
from tests.simulation.line_items import LINE_ITEMS
from tests.simulation.lists import CONTACTS, IN_ROWS, LISTS
from tests.simulation.mass_stop import MASS
from tests.simulation.microsoft import NEWS
from tests.simulation.moves import AUTOMATION, HELP
from tests.simulation.names import MARKED, NAMES, TAKEN
from tests.simulation.owners import OWNERS
from tests.simulation.reasons import REASONS
from tests.simulation.staging import STAGING
from tests.simulation.story import Story, steps_of
from tests.simulation.unreadable_rows import UNREADABLE

CHANCES = {
    AUTOMATION: 0.15, HELP: 0.35, NEWS: 0.2, LEAVING: 0.3, CLOCKS: 0.25, NAMES: 0.25, TAKEN: 0.2, MARKED: 0.2,
    LISTS: 0.2, CONTACTS: 0.2, IN_ROWS: 0.15, CLONES: 0.15, OWNERS: 0.2, ACCOUNTS: 0.15, REASONS: 0.15,
}  # fmt: skip
"""How often a seed has a trait."""
FURTHER = {
    FOREIGN: 0.2,
    MASS: 0.12,
    BAD: 0.15,
    LINE_ITEMS: 0.1,
    UNREADABLE: 0.08,
    STAGING: 0.06,
    TWICE: 0.08,
    UNTOLD: 0.1,
    PAGES: 0.25,
    BURSTS: 0.25,
}
"""The same for traits that are drawn apart, so that they change nothing else of a seed."""
KINDS_OF_A_SEED = (0, 24, 36, 48, 74)
"""How many kinds of faults may be injected in a seed."""
LONG, STEPS_OF_A_LONG_STORM = 0.05, 80
"""The share of the seeds that have long storms with many deals, drawn apart as well: some failures need many moves."""
NEEDS = {NEWS: HELP, TAKEN: NAMES, MARKED: NAMES}
"""A trait that has no effect without another one."""
EXCLUDES = {IN_ROWS: (LISTS, NAMES, TAKEN, MARKED)}
"""Traits that need another mapping file than this one."""


@dataclass(frozen=True)
class World:
    """What a seed has.

    traits       what may happen at all
    most_deals   how many deals there may be
    most_runs    how many runs may be under way at once
    late_saves   the share of a seller's saves that others see late
    list_lag     seconds after which Partner Center lists a changed referral
    busy         how much people do, by storm
    story        the storms, without the names of the acts
    faults       the names of the faults that may be injected
    """

    seed: int
    traits: frozenset[str]
    most_deals: int
    most_runs: int
    late_saves: float
    list_lag: float
    busy: tuple[float, ...]
    story: Story
    faults: tuple[str, ...] = ()


def draw_world(seed: int, also: Collection[str] = (), *, only: bool = False) -> World:
    """The world of a seed. It has the traits in `also` whatever the seed says, and with `only` no others."""
    chance = random.Random(f"{seed}/world")  # noqa: S311 - a seed that repeats is the point
    drawn = {trait for trait, share in CHANCES.items() if chance.random() < share}
    drawn |= {trait for trait, share in FURTHER.items() if random.Random(f"{seed}/{trait}").random() < share}  # noqa: S311 - as above
    storms = chance.choice((1, 2, 2))
    world = World(
        seed,
        _consistent(set() if only else drawn, also),
        most_deals=chance.choice((1, 2, 2, 3)),
        most_runs=chance.choice((1, 2, 2, 2, 3)),
        late_saves=chance.choice((0, 0, 0.3)),
        list_lag=chance.choice((0.0, 0.0, 60.0, 300.0)),
        busy=tuple(chance.choice((0.4, 1.0)) for _ in range(storms)),
        story=tuple(steps_of(seed, storm, chance.choice((30, 50))) for storm in range(storms)),
        faults=_drawn_faults(seed),
    )
    return _perhaps_longer(world)


def _perhaps_longer(world: World) -> World:
    """The same world; in a few seeds with long storms, and with as many deals and runs at once as there may be."""
    chance = random.Random(f"{world.seed}/long")  # noqa: S311 - as above
    if chance.random() >= LONG:
        return world
    storms = range(chance.choice((1, 2, 3)))
    return replace(
        world,
        most_deals=chance.choice((3, 4)),
        most_runs=3,
        busy=tuple(chance.choice((0.4, 1.0)) for _ in storms),
        story=tuple(steps_of(world.seed, storm, STEPS_OF_A_LONG_STORM) for storm in storms),
    )


def _drawn_faults(seed: int) -> tuple[str, ...]:
    """A few of all kinds, so that each of them is met more than once; in some seeds none."""
    chance = random.Random(f"{seed}/faults")  # noqa: S311 - as above
    return tuple(trouble.name for trouble in some_of(TROUBLES, chance, chance.choice(KINDS_OF_A_SEED)))


def _consistent(drawn: set[str], also: Collection[str]) -> frozenset[str]:
    """The traits of a seed: those it must have, and of the drawn ones those that go with them."""
    traits = drawn | set(also)
    traits |= {NEEDS[trait] for trait in traits if trait in NEEDS}
    for trait in [one for one in EXCLUDES if one in traits]:
        traits -= set(EXCLUDES[trait]) if not set(EXCLUDES[trait]) & set(also) else {trait}
    return frozenset(traits)
