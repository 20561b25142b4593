"""Finds a seed that notices a sabotage: `python -m tests.simulation --sabotage "the lease is ignored"`.

A seed notices it if it breaks a promise that it keeps without the sabotage. Two findings do not count: a defect, such
as an error of a wrong type, because any broken program may show one; and what the product's own compare finds
(drift.py), because the judges must see it without the product.
"""

import sys
from collections.abc import Iterable

from shared.domain.compared import FindingKind
from tests.simulation.campaign import begin_process, told_story
from tests.simulation.driver import simulate
from tests.simulation.sabotages import HINTS, SABOTAGES
from tests.simulation.shrink import kind_of

ALL = 500
"""So many seeds notice each sabotage."""
NO_PROMISES = frozenset({"defect", *FindingKind})
"""The kinds of findings that are not those of a judge."""


def noticed_in(seed: int, name: str) -> list[str]:
    """The promises that the seed breaks because of a sabotage."""
    findings = [one for one in simulate(seed, sabotage=SABOTAGES[name]).findings if kind_of(one) not in NO_PROMISES]
    if not findings:
        return []
    kinds = set(map(kind_of, simulate(seed).findings))
    return [one for one in findings if kind_of(one) not in kinds]


def first_notice(name: str, seeds: Iterable[int] = range(ALL)) -> tuple[int, list[str]] | None:
    """A seed that notices a sabotage, and the promises that it breaks; the seed that noticed it before comes first."""
    hints = (HINTS[name],) if name in HINTS else ()
    return next(((seed, found) for seed in (*hints, *seeds) if (found := noticed_in(seed, name))), None)


def run(name: str, count: int = ALL) -> int:
    """Print which seed notices a sabotage, and its story. The exit code is 1 if none of so many seeds does."""
    begin_process()
    found = first_notice(name, range(count))
    if found is None:
        sys.stdout.write(f"None of {count} seeds notices that {name}.\n")
        return 1
    lines = told_story(found[0], SABOTAGES[name])
    sys.stdout.write("\n".join([f"Seed {found[0]} notices that {name}.", *lines, ""]))
    return 0
