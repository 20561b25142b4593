"""A Hypothesis state machine on the model of the simulation: it looks for orders of acts that no seed draws.

Each rule is an act of acts.py. Whatever Hypothesis tries ends with a calm, after which every promise must hold.
"""

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.simulation.acts import CRASH, GO_ON, MOVES_BY_NAME, STARTS, TIME, TROUBLES_BY_NAME
from tests.simulation.calm import calm
from tests.simulation.driver import Simulation, harness_of
from tests.simulation.sabotage import Sabotage
from tests.simulation.sabotages import SABOTAGES
from tests.simulation.story import Step
from tests.simulation.world import CHANCES, draw_world

CHANCE = st.integers(0, 20)
"""What an act itself leaves to chance: which record, which value."""
TRAITS = st.sets(st.sampled_from(list(CHANCES)), max_size=3)


class Sync(RuleBasedStateMachine):
    """One storm, whose acts Hypothesis chooses."""

    sabotage = Sabotage()
    simulation: Simulation | None = None

    @initialize(seed=st.integers(0, 1000), traits=TRAITS)
    def begin(self, seed: int, traits: set[str]) -> None:
        world = replace(draw_world(seed, traits, only=True), story=())
        self.simulation = Simulation(harness_of(world), world, self.sabotage)
        self.simulation.begin()
        self.simulation.storms.append([])

    def take(self, act: str, chance: int) -> None:
        if self.simulation:
            self.simulation.take_step(Step(str(chance), act))

    @rule(move=st.sampled_from(list(MOVES_BY_NAME)), chance=CHANCE)
    def person_acts(self, move: str, chance: int) -> None:
        self.take(move, chance)

    @rule(start=st.sampled_from(list(STARTS)), chance=CHANCE)
    def run_starts(self, start: str, chance: int) -> None:
        self.take(start, chance)

    @rule(chance=CHANCE)
    def run_goes_on(self, chance: int) -> None:
        self.take(GO_ON, chance)

    @rule(chance=CHANCE)
    def run_crashes(self, chance: int) -> None:
        self.take(CRASH, chance)

    @rule(trouble=st.sampled_from(list(TROUBLES_BY_NAME)), chance=CHANCE)
    def trouble_begins(self, trouble: str, chance: int) -> None:
        self.take(trouble, chance)

    @rule(chance=CHANCE)
    def time_passes(self, chance: int) -> None:
        self.take(TIME, chance)

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        assert not self.simulation or self.simulation.watch.findings == []

    def teardown(self) -> None:
        if self.simulation is None:
            return
        try:
            assert list(calm(self.simulation)) == []
        finally:
            self.simulation.end()
            self.simulation.harness.__exit__()


def hold(machine: type[Sync], examples: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False, phases=phases, report_multiple_bugs=False,
            derandomize=os.environ.get("HYPOTHESIS_PROFILE") == "ci",  # CI tries the same orders each time,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("examples", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_each_order_of_acts_keeps_every_promise(examples: int) -> None:
    hold(Sync, examples)


@pytest.mark.slow
def test_the_state_machine_notices_a_broken_connector() -> None:
    class Broken(Sync):
        sabotage = SABOTAGES["audit lines are lost"]

    with pytest.raises(AssertionError):
        hold(Broken, 200, (Phase.generate,))
