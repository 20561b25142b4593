"""Runs many seeds, on all processors, and reports what they found: `python -m tests.simulation --seeds 2000`.

The first seeds that break a promise are shrunk, and their story is told in plain words.
"""

import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.no_waits import never_wait
from tests.simulation.driver import simulate
from tests.simulation.faulty.kinds import KINDS
from tests.simulation.sabotage import Sabotage
from tests.simulation.shrink import shrunk

MOST_STORIES = 3
"""So many of the failing seeds are shrunk and told."""
EVERY = 10.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Result:
    """What one seed found, how often each act happened in it, and which kinds of faults took effect."""

    seed: int
    findings: list[str]
    counts: Counter[str]
    faults: frozenset[str] = frozenset()


@dataclass
class Tally:
    """The sums over all seeds so far."""

    seeds: int = 0
    failed: list[Result] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count one seed."""
        self.seeds += 1
        self.seen.update(result.counts.keys())
        self.faults.update(result.faults)
        if result.findings:
            self.failed.append(result)


def run_seed(seed: int) -> Result:
    """Run one seed; an error of the simulation itself is a finding as well."""
    try:
        outcome = simulate(seed)
    except Exception as error:  # noqa: BLE001 - the other seeds go on, and the seed is reported
        return Result(seed, [f"error: {type(error).__name__}: {error}"], Counter())
    return Result(seed, outcome.findings, outcome.counts, outcome.faults)


def run_seeds(seeds: Iterable[int], processes: int | None = None) -> Iterator[Result]:
    """Run the seeds in processes of their own, in any order."""
    count = processes or os.process_cpu_count() or 1
    with multiprocessing.Pool(count, begin_process) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=1)


def begin_process() -> None:
    """Keep the log quiet, and let no client wait."""
    logging.disable()  # the clients log each repeated read
    never_wait()


def run(first: int, count: int) -> int:
    """Run `count` seeds from `first` on, and print progress and result. The exit code is 1 if one found something."""
    tally, began = Tally(), time.monotonic()
    told = began
    for result in run_seeds(range(first, first + count)):
        tally.add(result)
        if result.findings:
            _say(f"seed {result.seed}: {result.findings[0]}")
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            _say(f"{tally.seeds} of {count} seeds, {len(tally.failed)} failed, {told - began:.0f} s")
    for line in report(tally, time.monotonic() - began):
        _say(line)
    return 1 if tally.failed else 0


def report(tally: Tally, seconds: float) -> Iterator[str]:
    """The lines of the result."""
    yield ""
    yield "in percent of the seeds:"
    for kind, times in sorted(tally.seen.items(), key=lambda item: -item[1]):
        yield f"  {100 * times / tally.seeds:5.1f}  {kind}"
    yield ""
    yield "faults that took effect, in percent of the seeds:"
    for kind in sorted(KINDS, key=lambda one: (-tally.faults[one], one)):
        yield f"  {100 * tally.faults[kind] / tally.seeds:5.1f}  {kind}"
    for result in sorted(tally.failed, key=lambda one: one.seed)[:MOST_STORIES]:
        yield from ("", *told_story(result.seed))
    yield f"\n{tally.seeds} seeds, {len(tally.failed)} failed, {seconds:.0f} s"
    if tally.failed:
        yield f"failed: {' '.join(str(one) for one in sorted(result.seed for result in tally.failed))}"


def told_story(
    seed: int, sabotage: Sabotage | None = None, *, also: Collection[str] = (), only: bool = False
) -> Iterator[str]:
    """The shortest story of a failing seed, in plain words; `also` and `only` are those of `simulate`."""
    begin_process()
    run_story = partial(simulate, seed, also=also, only=only, sabotage=sabotage)
    whole = run_story()
    if not whole.findings:
        return
    outcome = run_story(story=shrunk(whole.story, lambda steps: run_story(story=steps).findings, whole.findings[0]))
    yield f"seed {seed}, shrunk from {_steps(whole.story)} to {_steps(outcome.story)} steps:"
    yield from (f"  {line}" for line in outcome.told)
    yield from (f"  WRONG: {finding}" for finding in outcome.findings)


def _steps(story: Iterable[tuple[object, ...]]) -> int:
    return sum(len(storm) for storm in story)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
