"""A scene in which a process dies: people, one process after the other, and what the oracle finds at the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from local.in_process_transport import EmulatorAdapter, httpx_client
from shared.sync.ports import Policy
from tests.simulation.crash_places import Calls, Place, WatchedRows
from tests.simulation.drift import judge_drift
from tests.simulation.lists import with_lists
from tests.simulation.oracle import Left, judge
from tests.simulation.people import People
from tests.simulation.sabotage import Sabotage
from tests.simulation.sent_writes import SentWrites
from tests.simulation.told_lines import judge_lines, judge_repeated_writes
from tests.simulation.watch import Watch
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.instances import Crash

MOST_ROUNDS, POLLS = 3, 5
"""Rounds that may write, and pushes of a round: so many ask for every source of changes."""
FAILURES = ("pair_failed", "run_failed")
"""The log events of errors."""


class Scene:
    """A harness with people and a watch, and the process that works now: `calls` has its requests and writes."""

    def __init__(self, harness: Harness, sabotage: Sabotage) -> None:
        self.harness, self.calls, self.sabotage = harness, Calls(), sabotage
        self.people = People(harness, Random(0), most_deals=100, late_saves=0.0, also=())  # noqa: S311 - people choose nothing here
        self.writes, self.watch = SentWrites([]), Watch(self.people)
        self.findings: list[str] = []
        self.deals: list[str] = []
        self.processes: list[Instance] = []
        self._connect()
        self.process = self.new_process()

    def _connect(self) -> None:
        harness, calls = self.harness, self.calls
        salesforce = self.writes.of_salesforce(harness.salesforce.handle)
        partner_center = self.watch.around(self.writes.of_partner_center(harness.partner_center.handle))
        harness._adapter.mount("https://", EmulatorAdapter(calls.around("Salesforce", salesforce)))
        harness._http = httpx_client(calls.around("Partner Center", partner_center))
        harness.rows = WatchedRows(harness.rows, calls)  # type: ignore[assignment]  # it has every method of the rows

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
        process = self.harness.new_instance()
        self.sabotage.instance(process)
        self.processes.append(process)
        return process

    def begin(self, place: Place | None) -> None:
        """From now on, calls are counted, and the process dies at this place."""
        self.watch.changed_referrals()
        self.calls.place, self.calls.die = place, self._die

    def _die(self) -> None:
        self.process.process.crash()

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

    def end(self) -> None:
        """Rounds until one writes nothing, and the judgement."""
        self.calls.die = None
        written: list[list[str]] = []
        for _ in range(MOST_ROUNDS + 1):
            before = len(self.writes.writes)
            self._round()
            if not (written := self.writes.writes[before:]):
                break
        self.findings += [f"restless: {write[0]} {write[1]}" for write in written]
        self.findings += [*self.watch.findings, *self._defects(), *judge(self._left()), *self._judge_store()]

    def _round(self) -> None:
        self.harness.advance_time(HOUR)
        for _ in range(POLLS):
            self.process.push()
        for referral in self.watch.changed_referrals():
            self.process.pull_event(referral)
        self.process.sweep()
        self.process.push()

    def _defects(self) -> Iterator[str]:
        """Errors of runs: no fault but the death explains one."""
        for process in self.processes:
            errors = {str(fields["error"]) for name in FAILURES for fields in process.log.fields_of(name)}
            yield from (f"defect: {error}" for error in sorted(errors))

    def _judge_store(self) -> Iterator[str]:
        yield from (*judge_lines(self.people), *judge_repeated_writes(self.people), *judge_drift(self.harness))

    def _left(self) -> Left:
        people, records = self.people, self.harness.salesforce.records
        opportunities = [with_lists(people, record) for record in records("Opportunity")]
        ours = opportunities, people.referrals(), records("Account"), records("Contact")
        return Left(*ours, people.edits, unasked=people.unasked, asked=people.asked())


type Step = Callable[[Scene], object]
type Judge = Callable[[Scene], Iterator[str]]


@dataclass(frozen=True)
class Scenario:
    """`begin` happens before the process that may die starts; `steps` are its runs, and what people do between them.

    `expect` yields what is wrong at the end beside the findings of the oracle.
    """

    begin: Step
    steps: Sequence[Step]
    expect: Judge
    limit: int | None = None
    """That of the mass-change stop."""


def play(scenario: Scenario, place: Place | None = None, sabotage: Sabotage | None = None) -> Scene:
    """Play a scenario to its end, with a process that dies at a place, or without one. Fails if it does not die."""
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=scenario.limit)) as harness:
        fields = harness.salesforce.org.model.get("Opportunity").fields
        fields["closing_reason__c"] = replace(fields["closing_reason__c"], default="Others")
        scene = Scene(harness, sabotage or Sabotage())
        scenario.begin(scene)
        scene.begin(place)
        outcomes = [scene.take(step) for step in scenario.steps]
        assert all(outcomes) is (place is None), f"the process never came to {place}"
        scene.end()
        scene.findings += scenario.expect(scene)
        return scene


def push(after: float = MINUTE) -> Step:
    """A step: the push timer fires so many seconds later."""
    return lambda scene: scene.process.push(after)


def run_until_quiet(scene: Scene) -> None:
    """Let another process do all that is to be done."""
    worker = scene.new_process()
    for _ in range(3):
        worker.push()
    worker.sweep()
