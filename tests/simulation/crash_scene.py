"""A scene in which a process dies: people, one process after the other, and what the oracle finds at the end."""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

from tests.simulation.calm import judgements, rest
from tests.simulation.crash_places import Calls, Place, WatchedRows
from tests.simulation.drift import judge_drift
from tests.simulation.driver import Simulation, harness_of
from tests.simulation.sabotage import Sabotage
from tests.simulation.world import World
from tests.unit.sync.harness import MINUTE, Instance
from tests.unit.sync.instances import Crash

FAILURES = ("pair_failed", "run_failed")
"""The log events of errors."""


class Scene:
    """A simulation without chance, and the process that works now: `calls` has its requests and writes."""

    def __init__(self, simulation: Simulation, calls: Calls) -> None:
        self.simulation, self.calls, self.harness = simulation, calls, simulation.harness
        self.people, self.findings = simulation.people, simulation.findings
        self.deals: list[str] = []
        self.processes: list[Instance] = []
        self.process = self.new_process()

    # --- people

    @property
    def deal(self) -> dict[str, Any]:
        """The first opportunity as Salesforce stores it, also from the recycle bin."""
        key = self.deals[0] if self.deals else self.harness.salesforce.records("Opportunity")[0]["Id"]
        return dict(self.harness.salesforce.org._records["Opportunity"][key])

    @property
    def referral(self) -> dict[str, Any]:
        """The first referral of our organisation as Partner Center stores it. Fails if there is none."""
        return self.harness.our_referrals()[0]

    def add_deal(self, **values: object) -> str:
        """A seller creates a complete opportunity and ticks it."""
        self.people.add_opportunity(**values)
        self.deals.append(self.people.edits[-1].record)
        return self.deals[-1]

    def seller_saves(self, **values: object) -> None:
        """The seller edits the first deal."""
        assert self.people.save_opportunity(self.deal, values)

    def colleague_saves(self, **values: object) -> None:
        """A colleague edits the first referral."""
        assert self.people.save_referral(self.referral, values)

    # --- processes

    def new_process(self) -> Instance:
        """A new process on the same store and systems."""
        self.processes.append(self.simulation.new_instance())
        return self.processes[-1]

    def begin(self, place: Place | None) -> None:
        """From now on, calls are counted, and the process dies at this place."""
        self.simulation.is_calm = True  # no event is lost by chance
        self.simulation.watch.changed_referrals()
        self.calls.place, self.calls.die = place, self.process.process.crash

    def take(self, step: "Step") -> bool:
        """Take a step. Returns False where the process died: a new one has taken the step again then.

        Timers fire again, and the queue delivers a message again.
        """
        try:
            step(self)
        except Crash:
            self.calls.die = None
            self.process = self.new_process()
            step(self)
            return False
        return True

    def end(self) -> Iterator[str]:
        """Everything comes to rest, and is judged."""
        self.calls.die = None
        self.simulation.queue_events(self.simulation.watch.changed_referrals())
        yield from rest(self.simulation, quiet=1)
        yield from self._defects()
        yield from judgements(self.simulation)
        yield from judge_drift(self.harness)
        yield from (*self.simulation.watch.findings, *self.simulation.judging.findings)

    def _defects(self) -> Iterator[str]:
        """Errors of runs: no fault but the death explains one. The log is judged too."""
        for process in self.processes:
            self.simulation.judging.judge_events(process.log.events)
            errors = {str(fields["error"]) for name in FAILURES for fields in process.log.fields_of(name)}
            yield from (f"defect: {error}" for error in sorted(errors))


type Step = Callable[[Scene], object]
type Judge = Callable[[Scene], Iterator[str]]


@dataclass(frozen=True)
class Scenario:
    """What happens in a scenario, and what must come of it.

    begin    what happened before the process that may die starts
    steps    its runs, and what people do between them
    expect   yields what is wrong at the end beside the judgements of the simulation
    traits   those of the simulation
    limit    that of the mass-change stop
    """

    begin: Step
    steps: Sequence[Step]
    expect: Judge
    traits: frozenset[str] = frozenset()
    limit: int | None = None


def play(scenario: Scenario, place: Place | None = None, sabotage: Sabotage | None = None) -> Scene:
    """Play a scenario to its end, with a process that dies at a place, or without one. Fails if it does not die."""
    world = World(0, scenario.traits, most_deals=100, most_runs=0, late_saves=0, list_lag=0, busy=(), story=())
    calls = Calls()
    watched = _watched(calls, sabotage or Sabotage())
    with harness_of(world) as harness, watched.in_force():
        harness.policy = replace(harness.policy, mass_change_limit=scenario.limit)
        harness.rows = WatchedRows(harness.rows, calls)  # type: ignore[assignment]  # it has every method of the rows
        simulation = Simulation(harness, world, watched)
        try:
            return _played(scenario, place, Scene(simulation, calls))
        finally:
            simulation.end()


def _played(scenario: Scenario, place: Place | None, scene: Scene) -> Scene:
    scenario.begin(scene)
    scene.begin(place)
    outcomes = [scene.take(step) for step in scenario.steps]
    assert all(outcomes) is (place is None), f"the process never came to {place}"
    scene.findings += scene.end()
    scene.findings += scenario.expect(scene)
    return scene


def _watched(calls: Calls, sabotage: Sabotage) -> Sabotage:
    """The same sabotage; each request that a client sends is a call."""
    return Sabotage(
        sabotage.instance,
        lambda handle: calls.around("Salesforce", sabotage.salesforce(handle)),
        lambda handle: calls.around("Partner Center", sabotage.partner_center(handle)),
        sabotage.code,
    )


def push(after: float = MINUTE) -> Step:
    """A step: the push timer fires so many seconds later."""
    return lambda scene: scene.process.push(after)


def run_until_quiet(scene: Scene) -> None:
    """Let another process do all that is to be done."""
    worker = scene.new_process()
    for _ in range(3):
        worker.push()
    worker.sweep()
