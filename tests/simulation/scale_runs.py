"""Lets up to three instances work at once: one pushes, one sweeps, and one takes the messages of events.

With faults, the runs give way to each other at their port calls (`interleaving.py`), and now and then a process
crashes. Without, one instance makes one run after the other.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import batched

from shared.foundation.errors import StoreError
from tests.simulation.driver import EXPECTED_ERRORS
from tests.simulation.faulty.trouble import Places
from tests.simulation.interleaving import Run
from tests.unit.sync.harness import RESTED, Harness, Instance

TURNS = (5, 80)
"""Port calls of a run before another run has its turn: so few that none stands still for as long as a lease."""
CRASH = 0.0003
"""The chance that a process crashes where it gives way."""


@dataclass
class Crew:
    """The instances, and how often one of them has crashed. `idle` are those without a run."""

    harness: Harness
    chance: random.Random
    places: Places
    idle: list[Instance] = field(default_factory=list)
    crashes: int = 0
    findings: list[str] = field(default_factory=list)

    def push(self) -> None:
        """Push from start to end."""
        self._work_alone(lambda instance: instance.push(0.0))

    def sweep(self) -> None:
        """Sweep from start to end."""
        self._work_alone(lambda instance: instance.sweep(0.0))

    def _work_alone(self, work: Callable[[Instance], object]) -> None:
        instance = self._instance()
        instance.process.interruptions = []
        work(instance)
        self._end(instance)

    def work_together(self, events: Sequence[str], meanwhile: Callable[[], None], at_once: int) -> None:
        """Sweep, pull and push, so many at once. `meanwhile` is called where a run stands still."""
        works: tuple[Callable[[Instance], object], ...] = (
            lambda one: one.sweep(0.0),
            lambda one: [one.pull_event(referral, 0.0) for referral in events],
            lambda one: one.push(0.0),
        )
        for together in batched(works, at_once, strict=True):
            self.harness.advance_time(RESTED)
            runs = [Run("run", self._instance(), work) for work in together]
            while runs:
                for run in list(runs):
                    self._let_work(run)
                    if run.is_over:
                        runs.remove(run)
                meanwhile()

    def _let_work(self, run: Run) -> None:
        run.resume(self.chance.randint(*TURNS), to_a_write=self.chance.random() < 0.1)
        if not run.is_over and self.chance.random() < CRASH:
            run.crash()
            self.crashes += 1
        if run.error is not None and not isinstance(run.error, StoreError):  # the store ends a run as its host would
            raise run.error
        if run.is_over and not run.is_crashed:
            self._end(run.instance)

    def _instance(self) -> Instance:
        if self.idle:
            return self.idle.pop(0)
        instance = self.harness.new_instance()
        self.places.open_to(instance)
        return instance

    def _end(self, instance: Instance) -> None:
        """Find errors that no fault explains, forget the log, and let the instance wait for its next run."""
        errors = {str(fields["error"]) for fields in instance.log.fields_of("pair_failed")} - EXPECTED_ERRORS
        self.findings += [f"defect: {error}" for error in sorted(errors)]
        instance.log.events.clear()
        instance.process.calls.clear()
        self.idle.append(instance)
