"""Runs the connector on the emulators for one seed: people, faults, crashes and several instances in a random order.

>>> outcome = simulate(7)
>>> outcome.findings
[]

Everything that happens is decided by the seed. Each storm is followed by a calm (calm.py).
"""

import random
from collections import Counter
from collections.abc import Collection
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from emulators.salesforce.data.hooks import Flow
from local.in_process_transport import EmulatorService
from shared.domain.policy import Policy
from shared.foundation.errors import StoreError
from shared.sync.ask_microsoft import LISTED
from tests.simulation.acts import TROUBLES_BY_NAME, Acts
from tests.simulation.calm import calm, run_through
from tests.simulation.clocks import instance_of
from tests.simulation.drift import judge_drift
from tests.simulation.events import BURSTS, Event, chosen_fate, events_of, is_of_burst
from tests.simulation.faulty import kinds
from tests.simulation.faulty.trouble import Effects, Places
from tests.simulation.foreign import begin_with_foreign
from tests.simulation.held_values import of_opportunity
from tests.simulation.interleaving import Run
from tests.simulation.judging import Judging, shown_columns
from tests.simulation.late_changes import PAGES, UNTOLD, begin_storm_with_gaps, is_untold
from tests.simulation.line_items import begin_with_line_items
from tests.simulation.lists import IN_ROWS
from tests.simulation.mass_stop import DEALS, LIMIT, MASS, policy_of
from tests.simulation.microsoft import NEWS
from tests.simulation.moves import AUTOMATION, CUSTOMERS, HELP, NEW_DEALS
from tests.simulation.names import begin_with_names, mapping_of
from tests.simulation.owners import OWNERS, add_sellers
from tests.simulation.people import People
from tests.simulation.sabotage import Sabotage
from tests.simulation.sent_writes import SentWrites
from tests.simulation.solution_rows import MAPPING
from tests.simulation.staging import begin_with_staging, end_staging
from tests.simulation.story import Step, Story
from tests.simulation.unreadable_rows import UNREADABLE, keep_write
from tests.simulation.watch import Watch
from tests.simulation.world import World, draw_world
from tests.unit.sync.harness import PARTNER_CENTER_URL, Harness, Instance

BEGINS = ((), ("push",), ("sweep",), *[("push", "sweep")] * 5)
"""What runs before the first storm: mostly all, so that there are linked deals to edit."""
TRIES = 1
"""So many acts are tried in a step: not each is possible at each moment."""
EXPECTED_ERRORS = {
    "Unavailable", "Ambiguous", "Throttled", "Locked", "Conflict", "Rejected", "NotFound", "StoreConflict",
    "StoreUnavailable", "SignInFailed", "UnreadableRefusal",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What came of a seed.

    findings   broken promises, as sentences
    digest     a short hash of all writes
    trace      all that happened, with requests and writes
    told       the same in plain words, without requests
    story      the steps with their acts, to be run again
    counts     how often each act happened, and each fate of an event
    faults     the kinds of faults (faulty/kinds.py) that took effect
    """

    findings: list[str]
    digest: str
    trace: list[str]
    told: list[str]
    story: Story
    counts: Counter[str]
    faults: frozenset[str]


def simulate(
    seed: int,
    *,
    also: Collection[str] = (),
    only: bool = False,
    story: Story | None = None,
    sabotage: Sabotage | None = None,
) -> Outcome:
    """Run one seed. `also` and `only` are those of `draw_world`.

    `story` replaces what the seed would do: its acts happen again, without those that were left out.
    """
    world = draw_world(seed, also, only=only)
    world, broken = world if story is None else replace(world, story=story), sabotage or Sabotage()
    with harness_of(world) as harness, broken.in_force():
        simulation = Simulation(harness, world, broken)
        try:
            simulation.run()
        finally:
            simulation.end()
        return simulation.outcome()


def harness_of(world: World) -> Harness:
    """Both systems, as the traits of the world need them."""
    harness = Harness(
        policy=replace(policy_of(world.traits) or Policy(hold_win=timedelta()), few_own_writes=0),
        mapping=MAPPING if IN_ROWS in world.traits else mapping_of(world.traits),
    )
    # Nobody forgets the reason of a decline: what waits for one would differ for ever.
    fields = harness.salesforce.org.model.get("Opportunity").fields
    fields["closing_reason__c"] = replace(fields["closing_reason__c"], default="Others")
    return harness


@dataclass
class Simulation:
    """One seed while it runs."""

    harness: Harness
    world: World
    sabotage: Sabotage = field(default_factory=Sabotage)
    chance: random.Random = field(default_factory=random.Random)
    runs: list[Run] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    storms: list[list[Step]] = field(default_factory=list)
    step: int = 0
    pushed: int = 0
    judged: int = 0
    is_calm: bool = False
    told_edits: int = 0

    def __post_init__(self) -> None:
        world, self.acts = self.world, Acts(self)
        self.chance.seed(f"{world.seed}/begin")
        most_deals = DEALS if {MASS, PAGES, UNTOLD} & world.traits else world.most_deals
        self.people = People(self.harness, self.chance, most_deals, world.late_saves, world.traits)
        self.places, self.effects = Places(self.harness), Effects()
        self.writes, self.watch = SentWrites(self.trace), Watch(self.people)
        self.writes.hear = partial(keep_write, self.people)
        self.judging = Judging(self.people, self.watch.versions, shown_columns(world.traits))
        if MASS in world.traits:
            self.judging.count_changes(LIMIT)
        self.judging.touched = self.places.touched = self.people.touched
        self.judging.listen()
        self.harness.partner_center.switches.list_lag = world.list_lag
        self.harness.account_id(next(iter(CUSTOMERS)))
        self._connect()
        self.idle = [self.new_instance() for _ in range(world.most_runs)]

    def _connect(self) -> None:
        """Put the recorder, the judges and the sabotage between the clients and the emulators."""
        harness = self.harness
        salesforce = self.judging.of_salesforce(self.writes.of_salesforce(harness.salesforce.handle))
        partner_center = self.judging.of_partner_center(self.writes.of_partner_center(harness.partner_center.handle))
        partner_center = self.watch.around(partner_center)
        harness._adapter.answer_by(self.sabotage.salesforce(salesforce))
        harness._service = EmulatorService(self.sabotage.partner_center(partner_center), PARTNER_CENTER_URL)

    def new_instance(self) -> Instance:
        """A new process."""
        instance = instance_of(self.harness, self.chance, self.world.traits)
        if instance.ctx.clock.now() != self.harness.now():
            self.effects.see(kinds.WRONG_CLOCK)
        self.places.open_to(instance)
        self.sabotage.instance(instance)
        return instance

    # --- from begin to end

    def run(self) -> None:
        """Some storms, each with a calm. In most seeds some deals are shared before the first one."""
        self.begin()
        for number, storm in enumerate(self.world.story):
            self.storms.append([])
            self.is_calm = False
            begin_storm_with_gaps(self.people, random.Random(f"{self.world.seed}/gaps/{number}"))  # noqa: S311 - as the seed says
            for step in storm:
                self.take_step(step, self.world.busy[number])
            self.chance.seed(f"{self.world.seed}/calm/{number}")
            self.findings += calm(self)
        self.findings += judge_drift(self.harness) if not self.findings else ()

    def begin(self) -> None:
        """The deals that there are at the beginning, and the settings of both systems."""
        begin_with_names(self.harness, self.world.traits)
        if OWNERS in self.world.traits:
            add_sellers(self.people)
        for _ in range(self.chance.choice((1, 1, 2)) if MASS not in self.world.traits else DEALS):
            move = self.chance.choice(NEW_DEALS)
            if move.act(self.people):
                self._after(move.name, move.name)
        begin_with_foreign(self.people)
        begin_with_staging(self.people)
        begin_with_line_items(self.people)
        if AUTOMATION in self.world.traits and self.chance.random() < 0.5:
            ours = {"CreatedById": self.harness.sign_in.user}
            flow = Flow("Opportunity", {"StageName": "Qualification"}, "insert", ours)
            self.harness.salesforce.org.hooks.flows.append(flow)
        if HELP in self.world.traits:
            # Without lists that show Microsoft's records, the daily compare alone finds what a lost event told.
            lists = ("all",) if NEWS in self.world.traits else ("all", "engagement")
            self.harness.partner_center.switches.related_lists = self.chance.choice(lists)
            self.harness.store.move_cursor(LISTED, self.harness.now())
        self._disturb_creates()
        for kind in self.chance.choice(BEGINS):
            run_through(self, kind, self.idle[0])

    def _disturb_creates(self) -> None:
        """In some seeds, a fault meets the first creates: there are few of them later."""
        aims = {"partner_center.create", "salesforce.create"}
        names = [name for name in self.world.faults if aims & set(TROUBLES_BY_NAME[name].aims)]
        if names and self.chance.random() < 0.5:
            name = self.chance.choice(names)
            self.tell(name)
            self.effects.begin(TROUBLES_BY_NAME[name], self.places, self.chance)

    def take_step(self, step: Step, busy: float = 1.0) -> None:
        """Let one thing happen: the act of the step, or the first possible one that its chance chooses."""
        self.step += 1
        for attempt in range(1 if step.act else TRIES):
            self.chance.seed(f"{step.chance}/{attempt}" if attempt else step.chance)
            act = step.act or self.acts.choose(busy)
            self.chance.seed(f"{step.chance}/{act}")
            if happened := self.acts.do(act):
                self.storms[-1].append(Step(step.chance, act))
                self._after(happened, act)
                return

    def end(self) -> None:
        """Stop all processes."""
        for run in self.runs:
            run.crash()
        self.judging.leave()
        end_staging(self.people)

    def outcome(self) -> Outcome:
        """What came of it."""
        findings = [*self.watch.findings, *self.judging.findings, *self.findings]
        story = tuple(map(tuple, self.storms))
        return Outcome(findings, self.writes.digest, self.trace, self.told, story, self.counts, self.effects.kinds())

    # --- after each step

    def _after(self, happened: str, act: str) -> None:
        self.counts[act] += 1
        self.keep_flow_edits()
        if self.harness.salesforce.org._has_uncommitted() and self.runs:
            self.effects.see(kinds.LATE_SAVE)
        self.tell(happened)
        self.queue_events(self.watch.changed_referrals())
        self.acts.pass_time(self.chance.choice((0, 0, 0, 1, 2, 5)))

    def tell(self, happened: str) -> None:
        """Add to the trace what happened, and the values that people entered since the last time."""
        lines = [f"{self.harness.now():%d %H:%M:%S} {happened}"]
        told, self.told_edits = self.told_edits, len(self.people.edits)
        lines += [
            f"    {edit.side} {edit.record} {edit.field}: {edit.before!r} -> {edit.after!r}"
            for edit in self.people.edits[told:]
        ]
        self.trace += lines
        self.told += lines

    def collect(self, run: Run) -> None:
        """Look at a run that is over; its instance, or a new one if it crashed, is free again."""
        self.keep_flow_edits()
        if not run.is_over:
            return
        self.runs.remove(run)
        self.look_at(run)
        if run.message is not None and (run.is_crashed or run.error is not None):  # the queue delivers it again
            self.events.append(replace(run.message, step=self.step))
        self.idle.append(self.new_instance() if run.is_crashed else run.instance)

    def look_at(self, run: Run) -> None:
        """Raise what ended a run, unless the store did, and find errors that no fault explains."""
        if run.error is not None and not isinstance(run.error, StoreError):
            raise run.error
        errors = {str(fields["error"]) for fields in run.instance.log.fields_of("pair_failed")} - EXPECTED_ERRORS
        errors -= {"UnreadableRow"} if UNREADABLE in self.world.traits else set()
        self.findings += [f"defect: {error}" for error in sorted(errors)]
        self.judging.judge_events(run.instance.log.events)
        run.instance.log.events.clear()

    def queue_events(self, changed: list[str], *, are_related: bool = False) -> None:
        """Queue an event for each referral that has changed, by whatever hand."""
        if NEWS in self.world.traits and not are_related:
            self.queue_events(self.watch.changed_records(), are_related=True)
        is_old = BURSTS in self.world.traits and is_of_burst(self.world.seed, self.step)
        for referral in changed:
            fate = "event comes" if self.is_calm else chosen_fate(self.chance)
            fate = fate if self.is_calm or not is_untold(self.people, self.chance) else "event is lost"
            self.counts[fate] += 1
            self.effects.see(*({fate} & set(kinds.EVENTS)))
            self.events += events_of(Event(referral, self.step, are_related, is_old), fate, self.chance)

    def keep_flow_edits(self) -> None:
        """Log the values that a flow put in the place of the connector's, where they still stand."""
        edits, self.places.flow_edits = self.places.flow_edits, []
        for edit in edits:
            stored = self.harness.salesforce.org._records["Opportunity"].get(edit.record)
            if stored is not None and of_opportunity(stored)[edit.field] == edit.after:
                self.people.edits.append(edit)
