"""What can happen in a step of a storm: an act of a person, a run of an instance, a fault, a crash, time that passes.

Each act has a name. An act that is not possible at a moment does nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.accounts import ACCOUNT_MOVES
from tests.simulation.bad_records import BAD_MOVES
from tests.simulation.clones import CLONE_MOVES
from tests.simulation.events import Event
from tests.simulation.expiry import EXPIRY_MOVES
from tests.simulation.faulty import kinds
from tests.simulation.faulty.trouble import Trouble
from tests.simulation.foreign import FOREIGN_MOVES
from tests.simulation.interleaving import MOST_IDLE, TO_THE_END, Run
from tests.simulation.late_changes import LATE_MOVES, PAGES, UNTOLD
from tests.simulation.leaving import LEAVING_MOVES
from tests.simulation.line_items import LINE_ITEM_MOVES
from tests.simulation.lists import LIST_MOVES
from tests.simulation.mass_stop import MASS_MOVES
from tests.simulation.microsoft import NEWS_MOVES
from tests.simulation.moves import MOVES, Move
from tests.simulation.names import NAME_MOVES
from tests.simulation.owners import OWNER_MOVES
from tests.simulation.reasons import REASON_MOVES
from tests.simulation.set_backs import SET_BACK_MOVES
from tests.simulation.staging import STAGING_MOVES
from tests.simulation.unreadable_rows import UNREADABLE_MOVES
from tests.unit.sync.harness import Instance

if TYPE_CHECKING:
    from tests.simulation.driver import Simulation

ALL_MOVES = (
    *MOVES, *NEWS_MOVES, *LIST_MOVES, *NAME_MOVES, *LEAVING_MOVES, *SET_BACK_MOVES, *EXPIRY_MOVES, *CLONE_MOVES,
    *OWNER_MOVES, *ACCOUNT_MOVES, *REASON_MOVES, *FOREIGN_MOVES, *MASS_MOVES, *BAD_MOVES, *LINE_ITEM_MOVES,
    *UNREADABLE_MOVES, *STAGING_MOVES, *LATE_MOVES,
)  # fmt: skip
MOVES_BY_NAME = {move.name: move for move in ALL_MOVES}
TROUBLES_BY_NAME = {trouble.name: trouble for trouble in kinds.TROUBLES}
PERSON, START, GO_ON, CRASH, TROUBLE, TIME = (
    "person",
    "start",
    "a run goes on",
    "a run crashes",
    "trouble",
    "time passes",
)
STARTS = {"a push starts": "push", "a sweep starts": "sweep", "an event is taken": "event"}
ACTS = (*MOVES_BY_NAME, *TROUBLES_BY_NAME, *STARTS, GO_ON, CRASH, TIME)
"""The names of all acts."""
NOBODY = ""
"""Nothing happens."""
LEASE = 300
"""Seconds."""


@dataclass
class Acts:
    """The acts of one simulation."""

    simulation: "Simulation"

    # --- which act comes next

    def choose(self, busy: float) -> str:
        """The name of the next act: people and crashes prefer the moments around a write."""
        weights = self._weights(busy)
        kind = self.simulation.chance.choices(list(weights), list(weights.values()))[0]
        chosen: dict[str, Callable[[], str]] = {
            PERSON: self._choose_move, START: self._choose_start, TROUBLE: self._choose_trouble,
        }  # fmt: skip
        return chosen[kind]() if kind in chosen else kind

    def _weights(self, busy: float) -> dict[str, float]:
        runs = self.simulation.runs
        if not runs:
            return {PERSON: 45 * busy, START: 30, TROUBLE: 22, TIME: 12}
        is_at_a_write = any(run.is_at_a_write for run in runs)
        return {
            PERSON: (40 if is_at_a_write else 15) * busy,
            START: 40 if len(runs) < self.simulation.world.most_runs else 0,
            GO_ON: 35,
            CRASH: 20 if is_at_a_write else 3,
            TROUBLE: 400 if self._aimed_faults() else 10,
            TIME: 6,
        }

    def _choose_move(self) -> str:
        """People tend to edit what was edited last, so that edits meet."""
        people, chance = self.simulation.people, self.simulation.chance
        last = people.edits[-1].field if people.edits and chance.random() < self._focus() else None
        weights = [self._weight_of(move) * (8 if last and move.field == last else 1) for move in ALL_MOVES]
        return chance.choices(ALL_MOVES, weights)[0].name

    def _weight_of(self, move: Move) -> float:
        return move.weight if not move.also or move.also in self.simulation.world.traits else 0

    def _focus(self) -> float:
        return 0.85 if any(run.is_at_a_write for run in self.simulation.runs) else 0.5

    def _choose_start(self) -> str:
        is_edited = len(self.simulation.people.edits) > self.simulation.pushed
        sweeps = 10 if {PAGES, UNTOLD} & self.simulation.world.traits else 2
        weights = (8 if is_edited else 2, sweeps, 8 if self._ready_events() else 0)
        return self.simulation.chance.choices(list(STARTS), weights)[0]

    def _choose_trouble(self) -> str:
        """The name of a fault; where a run stands before a call, mostly of one that aims at it."""
        chance, aimed = self.simulation.chance, self._aimed_faults()
        others = [name for name in self.simulation.world.faults if not TROUBLES_BY_NAME[name].aims]
        return chance.choice(aimed or others or [NOBODY])

    def _aimed_faults(self) -> list[str]:
        """The faults of the seed that aim at a call before which a run stands."""
        calls = {run.place for run in self.simulation.runs if run.is_before and not run.is_aimed_at}
        return [name for name in self.simulation.world.faults if calls & set(TROUBLES_BY_NAME[name].aims)]

    # --- the acts

    def do(self, name: str) -> str:
        """Do what the name says; returns what happened, or nothing if the act is not possible now."""
        if name in MOVES_BY_NAME:
            return self._move(MOVES_BY_NAME[name])
        if name in TROUBLES_BY_NAME:
            return self._begin_trouble(TROUBLES_BY_NAME[name])
        if name in STARTS:
            return self._start(STARTS[name])
        if name == NOBODY:
            return NOBODY
        return {GO_ON: self._continue_a_run, CRASH: self._crash_a_run, TIME: self._time_passes}[name]()

    def _begin_trouble(self, trouble: Trouble) -> str:
        self.simulation.effects.begin(trouble, self.simulation.places, self.simulation.chance)
        for run in self.simulation.runs:
            run.is_aimed_at |= run.place in trouble.aims
        return trouble.name

    def _move(self, move: Move) -> str:
        people = self.simulation.people
        people.focus, last = self._focus(), people.numbers.last
        if self._weight_of(move) and move.act(people):
            return move.name
        people.numbers.last = last  # a story that is run again does not hold what nobody could do
        return NOBODY

    def _ready_events(self) -> list[Event]:
        return [event for event in self.simulation.events if event.step <= self.simulation.step]

    def _start(self, kind: str) -> str:
        simulation, event = self.simulation, None
        if len(simulation.runs) >= simulation.world.most_runs:
            return NOBODY
        if kind == "event":
            ready = self._ready_events()
            if not ready:
                return NOBODY
            event = simulation.chance.choice(ready)
            earlier = simulation.events[: simulation.events.index(event)]
            if any(one.referral == event.referral for one in earlier):
                simulation.effects.see(kinds.OVERTAKING_EVENT)
            simulation.events.remove(event)
        if kind == "push":
            simulation.pushed = len(simulation.people.edits)
        simulation.runs.append(new_run(kind, simulation.idle.pop(0), event))
        return f"{kind} starts: {self._let_work(simulation.runs[-1])}"

    def _continue_a_run(self) -> str:
        if not self.simulation.runs:
            return NOBODY
        run = self.simulation.chance.choice(self.simulation.runs)
        others = " beside another" if len(self.simulation.runs) > 1 else ""
        return f"{run.name} goes on{others}: {self._let_work(run)}"

    def _let_work(self, run: Run) -> str:
        """Let a run work for some calls, or to its end; returns where it stands then."""
        self.simulation.effects.see(*kinds.RUNS_AT_ONCE[: len(self.simulation.runs) - 1])
        chance = self.simulation.chance
        turns = chance.choice((1, 2, 3, 5, TO_THE_END, TO_THE_END))
        run.resume(turns, to_a_write=chance.random() < 0.8)
        self.simulation.collect(run)
        return "it ends" if run.is_over else f"it stands {'before' if run.is_before else 'after'} {run.place}"

    def _crash_a_run(self) -> str:
        if not self.simulation.runs:
            return NOBODY
        run = self.simulation.chance.choice(self.simulation.runs)
        run.crash()
        self.simulation.effects.see(kinds.CRASH_BEFORE if run.is_before else kinds.CRASH_AFTER)
        self.simulation.collect(run)
        return f"{run.name} crashes {'before' if run.is_before else 'after'} {run.place}"

    # --- time

    def _time_passes(self) -> str:
        chance = self.simulation.chance
        if any(not run.may_stand_still for run in self.simulation.runs):
            self.pass_time(chance.choice((10, 30, 50)))
            return "seconds pass in the middle of a run"
        spans = (("minutes pass", 1200), ("hours pass", 5 * 3600), ("a day passes", 90_000))
        name, longest = chance.choices(spans, (12, 3, 1))[0]
        self.pass_time(chance.randint(longest // 20, longest))
        return f"{name} in the middle of a run" if self.simulation.runs else name

    def pass_time(self, seconds: float) -> None:
        """Let time pass, but no longer than each run that is under way may stand still."""
        limited = [run for run in self.simulation.runs if not run.may_stand_still]
        seconds = min([seconds, *(MOST_IDLE - run.idle for run in limited)])
        for run in limited:
            run.idle += seconds
        for run in self.simulation.runs:
            run.stood += seconds
            if run.stood > LEASE:
                self.simulation.effects.see(kinds.FROZEN)
        self.simulation.harness.advance_time(seconds)


def new_run(kind: str, instance: Instance, event: Event | None = None) -> Run:
    """A run of an instance, which has not begun yet."""
    works: dict[str, Callable[[Instance], object]] = {
        "push": lambda one: one.push(0.0),
        "sweep": lambda one: one.sweep(0.0),
        "event": lambda one: (
            event and one.pull_event(event.referral, 0.0, is_related=event.is_related, is_of_burst=event.is_of_burst)
        ),
    }
    return Run(kind, instance, works[kind], event)
