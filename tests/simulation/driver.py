"""Runs the connector on the emulators for one seed: people, faults, crashes and several instances in a random order.

>>> outcome = simulate(7)
>>> outcome.findings
[]

Everything that happens is decided by the seed. After each storm, people and faults stop. Then three rounds at most may
write, as docs/protocol.md#rule-3-convergence-and-quiescence grants: the first round that writes nothing is the end.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from emulators.salesforce.data.hooks import Flow
from local.in_process_transport import EmulatorAdapter, httpx_client
from shared.sync.ask_microsoft import LISTED
from tests.simulation.clocks import instance_of
from tests.simulation.drift import judge_drift
from tests.simulation.events import Event, chosen_fate, events_of
from tests.simulation.faults import TROUBLES
from tests.simulation.interleaving import MOST_IDLE, TO_THE_END, Run
from tests.simulation.leaving import LEAVING, LEAVING_MOVES, bring_back
from tests.simulation.lists import IN_ROWS, LIST_MOVES, judge_lists, with_lists
from tests.simulation.microsoft import NEWS, NEWS_MOVES, judge_news
from tests.simulation.moves import AUTOMATION, CUSTOMERS, HELP, LEADING, MOVES, NEW_DEALS, Move
from tests.simulation.names import NAME_MOVES, begin_with_names, judge_name_marks, mapping_of, takes_names
from tests.simulation.oracle import Left, judge
from tests.simulation.people import People
from tests.simulation.sabotage import Sabotage
from tests.simulation.sent_writes import SentWrites
from tests.simulation.solution_rows import MAPPING
from tests.simulation.told_lines import judge_lines, judge_repeated_writes
from tests.simulation.watch import Watch
from tests.unit.sync.harness import HOUR, Harness, Instance

ALL_MOVES = (*MOVES, *NEWS_MOVES, *LIST_MOVES, *NAME_MOVES, *LEAVING_MOVES)
STORMS, STEPS, BUSY = (1, 2, 2), (30, 50), (0.4, 1.0)
"""How many storms there are, how many steps each has, and how much people do."""
ROUNDS = 3
POLLS = 5
"""So many pushes ask for every source of changes: the rarer ones take turns."""
EXPECTED_ERRORS = {
    "Unavailable", "Ambiguous", "Throttled", "Locked", "Conflict", "Rejected", "NotFound", "StoreConflict"
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: broken promises, the digest of all writes, all that happened, and how often."""

    findings: list[str]
    digest: str
    trace: list[str]
    counts: Counter[str]


def simulate(
    seed: int, *, also: Collection[str] = (), sabotage: Sabotage | None = None, strictly: bool = False
) -> Outcome:
    """Run one seed. `also` names what is left out otherwise; `strictly` is the oracle's."""
    with Harness(mapping=MAPPING if IN_ROWS in also else mapping_of(also)) as harness:
        # Nobody forgets the reason of a decline: what waits for one would differ for ever.
        fields = harness.salesforce.org.model.get("Opportunity").fields
        fields["closing_reason__c"] = replace(fields["closing_reason__c"], default="Others")
        simulation = Simulation(harness, seed, also, sabotage or Sabotage(), strictly)
        try:
            simulation.run()
        finally:
            for run in simulation.runs:
                run.crash()
        findings = [*simulation.watch.findings, *simulation.findings]
        return Outcome(findings, simulation.writes.digest, simulation.trace, simulation.counts)


@dataclass
class Simulation:
    """One seed while it runs."""

    harness: Harness
    seed: int
    also: Collection[str]
    sabotage: Sabotage
    strictly: bool
    runs: list[Run] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    step: int = 0
    pushed: int = 0
    told: int = 0
    judged: int = 0
    is_calm: bool = False

    def __post_init__(self) -> None:
        chance = self.chance = random.Random(self.seed)  # noqa: S311 - a seed that repeats is the point
        self.people = People(self.harness, chance, chance.choice((1, 2, 2, 3)), chance.choice((0, 0, 0.3)), self.also)
        self.writes, self.watch = SentWrites(self.trace), Watch(self.people)
        self.harness.partner_center.switches.list_lag = chance.choice((0.0, 0.0, 60.0, 300.0))
        self.harness.account_id(next(iter(CUSTOMERS)))
        self._connect()
        self.most_runs = chance.choice((1, 2, 2, 2, 3))
        self.idle = [self._new_instance() for _ in range(self.most_runs)]

    def _connect(self) -> None:
        """Put the recorder, the watch and the sabotage between the clients and the emulators."""
        harness = self.harness
        salesforce = self.writes.of_salesforce(harness.salesforce.handle)
        partner_center = self.watch.around(self.writes.of_partner_center(harness.partner_center.handle))
        harness._adapter.mount("https://", EmulatorAdapter(self.sabotage.salesforce(salesforce)))
        harness._http = httpx_client(self.sabotage.partner_center(partner_center))

    def _new_instance(self) -> Instance:
        instance = instance_of(self.harness, self.chance, self.also)
        self.sabotage.instance(instance)
        return instance

    def run(self) -> None:
        """Some storms, each with a calm. In most seeds some deals are shared before the first one."""
        self._begin()
        for _ in range(self.chance.choice(STORMS)):
            self._storm(self.chance.choice(STEPS), self.chance.choice(BUSY))
            self._calm()
        self.findings += judge_drift(self.harness) if not self.findings else ()

    def _begin(self) -> None:
        begin_with_names(self.harness, self.also)
        for _ in range(self.chance.choice((1, 1, 2))):
            move = self.chance.choice(NEW_DEALS)
            if move.act(self.people):
                self._after(move.name)
        if AUTOMATION in self.also and self.chance.random() < 0.5:
            ours = {"CreatedById": self.harness.sign_in.user}
            flow = Flow("Opportunity", {"StageName": "Qualification"}, "insert", ours)
            self.harness.salesforce.org.hooks.flows.append(flow)
        if HELP in self.also:
            # Without lists that show Microsoft's records, the daily compare alone finds what a lost event told.
            lists = ("all",) if NEWS in self.also else ("all", "engagement")
            self.harness.partner_center.switches.related_lists = self.chance.choice(lists)
            self.harness.store.move_cursor(LISTED, self.harness.now())
        for kind in self.chance.choice(((), (), ("push",), ("sweep",), ("push", "sweep"))):
            self._work(kind, self.idle[0])

    # --- the storm

    def _storm(self, steps: int, busy: float) -> None:
        """People, faults and instances in a random order."""
        self.is_calm = False
        for _ in range(steps):
            self.step += 1
            actions = self._actions(busy)
            self._after(self.chance.choices(list(actions), list(actions.values()))[0]())

    def _actions(self, busy: float) -> dict[Callable[[], str], float]:
        """What may happen next, with weights: people and crashes prefer the moments around a write."""
        if not self.runs:
            return {self._act_of_a_person: 45 * busy, self._start_a_run: 30, self._trouble: 9, self._time_passes: 12}
        is_at_a_write = any(run.is_at_a_write for run in self.runs)
        return {
            self._act_of_a_person: (40 if is_at_a_write else 15) * busy,
            self._start_a_run: 40 if len(self.runs) < self.most_runs else 0,
            self._continue_a_run: 35,
            self._crash_a_run: 20 if is_at_a_write else 3,
            self._trouble: 6,
            self._time_passes: 6,
        }

    def _after(self, happened: str) -> None:
        self.counts[happened.partition(": ")[0]] += 1
        self._tell(happened)
        self._queue_events(self.watch.changed_referrals())
        self._pass(self.chance.choice((0, 0, 0, 1, 2, 5)))

    def _tell(self, happened: str) -> None:
        """Add to the trace what happened, and the values that people entered since the last time."""
        self.trace.append(f"{self.harness.now():%d %H:%M:%S} {happened}")
        told, self.told = self.told, len(self.people.edits)
        for edit in self.people.edits[told:]:
            self.trace.append(f"    {edit.side} {edit.record} {edit.field}: {edit.before!r} -> {edit.after!r}")

    def _act_of_a_person(self) -> str:
        """People tend to edit what was edited last, most of all during a write, so that edits meet."""
        people = self.people
        people.focus = 0.85 if any(run.is_at_a_write for run in self.runs) else 0.5
        last = people.edits[-1].field if people.edits and self.chance.random() < people.focus else None
        for _ in range(5):
            weights = [self._weight_of(move) * (8 if last and move.field == last else 1) for move in ALL_MOVES]
            move = self.chance.choices(ALL_MOVES, weights)[0]
            if move.act(people):
                return move.name
        return "nobody acts"

    def _weight_of(self, move: Move) -> int:
        if move.also and move.also not in self.also:
            return 0
        is_leading = any(move.name in LEADING.get(cause, ()) for cause in self.also)
        return move.weight * (20 if is_leading else 1)

    def _start_a_run(self) -> str:
        ready = [event for event in self.events if event.step <= self.step]
        is_edited = len(self.people.edits) > self.pushed
        kind = self.chance.choices(("push", "sweep", "event"), (8 if is_edited else 2, 2, 8 if ready else 0))[0]
        event = None
        if kind == "event":
            event = self.chance.choice(ready)
            self.events.remove(event)
        if kind == "push":
            self.pushed = len(self.people.edits)
        self.runs.append(self._new_run(kind, self.idle.pop(0), event))
        self._let_work(self.runs[-1])
        return f"{kind} starts"

    def _new_run(self, kind: str, instance: Instance, event: Event | None = None) -> Run:
        works: dict[str, Callable[[Instance], object]] = {
            "push": lambda one: one.push(0.0),
            "sweep": lambda one: one.sweep(0.0),
            "event": lambda one: event and one.pull_event(event.referral, 0.0, is_related=event.is_related),
        }
        return Run(kind, instance, works[kind])

    def _continue_a_run(self) -> str:
        run = self.chance.choice(self.runs)
        others = " beside another" if len(self.runs) > 1 else ""
        self._let_work(run)
        return f"{run.name} goes on{others}: {run.place}"

    def _let_work(self, run: Run) -> None:
        turns = self.chance.choice((1, 2, 3, 5, TO_THE_END, TO_THE_END))
        run.resume(turns, to_a_write=self.chance.random() < 0.8)
        self._collect(run)

    def _collect(self, run: Run) -> None:
        if not run.is_over:
            return
        self.runs.remove(run)
        self._look_at(run)
        self.idle.append(self._new_instance() if run.is_crashed else run.instance)

    def _look_at(self, run: Run) -> None:
        """Raise what ended a run, and find errors that no fault explains."""
        if run.error is not None:
            raise run.error
        errors = {str(fields["error"]) for fields in run.instance.log.fields_of("pair_failed")} - EXPECTED_ERRORS
        self.findings += [f"defect: {error}" for error in sorted(errors)]
        run.instance.log.events.clear()

    def _crash_a_run(self) -> str:
        run = self.chance.choice(self.runs)
        run.crash()
        self._collect(run)
        return f"{run.name} crashes: {run.place}"

    def _trouble(self) -> str:
        trouble = self.chance.choices(TROUBLES, [trouble.weight for trouble in TROUBLES])[0]
        trouble.begin(self.harness, self.chance)
        return trouble.name

    # --- time and events

    def _time_passes(self) -> str:
        if any(not run.may_stand_still for run in self.runs):
            self._pass(self.chance.choice((10, 30, 50)))
            return "seconds pass in the middle of a run"
        kinds = (("minutes pass", 1200), ("hours pass", 5 * 3600), ("a day passes", 90_000))
        name, longest = self.chance.choices(kinds, (12, 3, 1))[0]
        self._pass(self.chance.randint(longest // 20, longest))
        return f"{name} in the middle of a run" if self.runs else name

    def _pass(self, seconds: float) -> None:
        """Let time pass, but no longer than each run that is under way may stand still."""
        limited = [run for run in self.runs if not run.may_stand_still]
        seconds = min([seconds, *(MOST_IDLE - run.idle for run in limited)])
        for run in limited:
            run.idle += seconds
        self.harness.advance_time(seconds)

    def _queue_events(self, changed: list[str], *, are_related: bool = False) -> None:
        """Queue an event for each referral that has changed, by whatever hand."""
        if NEWS in self.also and not are_related:
            self._queue_events(self.watch.changed_records(), are_related=True)
        for referral in changed:
            fate = "event comes" if self.is_calm else chosen_fate(self.chance)
            self.counts[fate] += 1
            self.events += events_of(referral, fate, self.step, self.chance, is_related=are_related)

    # --- the calm

    def _calm(self) -> None:
        """People and faults stop; then rounds until one writes nothing, and the judgement.

        What Microsoft says may be heard a round after it is found, so there two rounds write nothing.
        """
        self._end_storm()
        worker = self._new_instance()
        written, quiet = list[list[str]](), 2 if NEWS in self.also else 1
        for number in range(ROUNDS + quiet):
            before = len(self.writes.writes)
            self._round(worker, number + 1)
            written = self.writes.writes[before:]
            quiet -= not written
            if quiet == 0:
                break
        self.findings += [f"restless: {write[0]} {write[1]}" for write in written]
        self.findings += judge(self._left(), strictly=self.strictly)
        self.findings += judge_news(self.people) if NEWS in self.also else ()
        self.findings += [*judge_lists(self.people), *judge_name_marks(self.people), *judge_lines(self.people)]
        self.findings += judge_repeated_writes(self.people)
        self.judged = len(self.people.edits)

    def _end_storm(self) -> None:
        """The runs that are under way end or crash; then most deals are ticked again."""
        self.harness.clear_faults()
        while self.runs:
            run = self.runs[0]
            if self.chance.random() < 0.3:
                run.crash()
            else:
                run.resume()
            self._collect(run)
        self.is_calm = True
        bring_back(self.people)
        self._queue_events(self.watch.changed_referrals())

    def _round(self, worker: Instance, number: int) -> None:
        """The clock passes every wait; then the push, all queued events, the sweep and the retry queue."""
        self.harness.advance_time(HOUR + 100)
        self._tell(f"round {number} begins")
        pushes = (("push", None),) * (POLLS if {IN_ROWS, LEAVING} & set(self.also) else 1)
        work = (*pushes, *(("event", event) for event in self.events), ("sweep", None), ("push", None))
        self.events = []
        for kind, event in work:
            self._work(kind, worker, event)
        self._queue_events(self.watch.changed_referrals())

    def _work(self, kind: str, worker: Instance, event: Event | None = None) -> None:
        self.harness.advance_time(1.0)
        self._tell(f"{kind} runs from start to end")
        run = self._new_run(kind, worker, event)
        run.resume()
        self._look_at(run)

    def _left(self) -> Left:
        salesforce, people = self.harness.salesforce, self.people
        opportunities, accounts, contacts = map(salesforce.records, ("Opportunity", "Account", "Contact"))
        opportunities = [with_lists(self.people, record) for record in opportunities]
        known = (opportunities, people.referrals(), accounts, contacts, people.edits, self.judged, people.unasked)
        return Left(*known, people.asked(), takes_names(self.harness))
