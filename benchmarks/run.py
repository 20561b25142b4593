"""Measures the chosen rows for all builds, one after the other, and tells the progress."""

import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.figures.effort import Effort
from benchmarks.figures.outcome import Outcome
from benchmarks.figures.rows import Row
from benchmarks.measures.catalogue import MEASURES
from benchmarks.measures.measure import Measure, Work
from benchmarks.systems.builds import FORMER, THIS, Build
from benchmarks.systems.processes import CannotMeasure
from shared.foundation.errors import ConfigurationError

MOST_SECONDS = 2 * 3600.0
"""After this time no further measure begins, so that a run ends by itself on any machine."""


def run_rows(
    rows: Sequence[Row],
    builds: Mapping[str, Build],
    effort: Effort,
    tell: Callable[[str], None],
    measures: Mapping[tuple[str, ...], Measure] = MEASURES,
) -> Outcome:
    """Measure these rows for each build. What fails is told, and the rest goes on."""
    began, outcome = time.monotonic(), Outcome()
    wanted = [row.name for row in rows]
    chosen = [(names, measure) for names, measure in measures.items() if any(name in wanted for name in names)]
    for number, (names, measure) in enumerate(chosen, 1):
        for name in (FORMER, THIS):
            if name in builds:
                at = f"[{number}/{len(chosen)}, {time.monotonic() - began:.0f} s] {name}:"
                work = Work(builds[name], wanted, effort, lambda text, at=at: tell(f"{at} {text}"))  # type: ignore[misc]  # mypy cannot type a default of a lambda
                _measure(work, measure, [each for each in names if each in wanted], outcome, began)
    outcome.seconds = time.monotonic() - began
    return outcome


def _measure(work: Work, measure: Measure, names: Sequence[str], outcome: Outcome, began: float) -> None:
    """Run one measure for one build, and keep the samples of these rows, or the reason why there are none."""
    reason = ""
    if time.monotonic() - began > MOST_SECONDS:
        reason = f"the run had taken {MOST_SECONDS / 60:.0f} minutes"
    else:
        try:
            measure(work)
        except (CannotMeasure, ConfigurationError, OSError) as error:
            reason = str(error)
            work.tell(f"FAILED: {reason}")
    for name in names:
        key = name, work.build.name
        if work.samples[name] and not reason:
            outcome.samples[key] = work.samples[name]
        else:
            outcome.reasons[key] = reason or "the measure gave no figure"
