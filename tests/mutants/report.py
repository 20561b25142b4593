"""What the run prints: a line for each module, and each mutant that survived."""

import sys
from collections.abc import Iterable

from msgspec import Struct

from tests.mutants.equivalents import Equivalent, plain_name
from tests.mutants.outcomes import MutatedModule
from tests.mutants.trial import KILLED, SURVIVED, UNTESTED

WANTED = 90
"""Percent of the mutants of each module that must be killed or listed as equivalent."""


class Figures(Struct, frozen=True):
    """How many mutants there are, and who refuses them."""

    all: int
    mypy: int
    tests: int
    listed: int
    left: int

    def __add__(self, other: "Figures") -> "Figures":
        pairs = zip(self.__struct_fields__, other.__struct_fields__, strict=True)
        return Figures(*(getattr(self, mine) + getattr(other, its) for mine, its in pairs))

    @property
    def percent(self) -> float:
        """How many of those that were tried are refused."""
        refused = self.mypy + self.tests + self.listed
        return 100 * refused / (refused + self.left) if refused + self.left else 100

    @property
    def percent_of_tests(self) -> float:
        """The same without mypy: how many of those that mypy accepts the tests refuse, or the list names."""
        return 100 * (self.tests + self.listed) / (self.tests + self.listed + self.left or 1)

    @property
    def is_enough(self) -> bool:
        """Whether as many are refused as there must be."""
        return not self.left or self.percent_of_tests >= WANTED


def survivors(module: MutatedModule, equivalents: Iterable[Equivalent]) -> tuple[list[str], int]:
    """The sentences about the mutants that survived, and how many of them the list names."""
    told, listed = [], 0
    for mutant in sorted(module.with_outcome(SURVIVED) | module.with_outcome(UNTESTED)):
        before, after = module.change(mutant)
        function = plain_name(mutant)
        if any(entry.is_meant(function, after) for entry in equivalents):
            listed += 1
        else:
            told.append(f"{function}\n    before: {before}\n    after:  {after}")
    return told, listed


def figures(module: MutatedModule, left: int, listed: int) -> Figures:
    return Figures(len(module.all), len(module.refused), len(module.with_outcome(KILLED)), listed, left)


def print_report(modules: Iterable[MutatedModule], equivalents: tuple[Equivalent, ...]) -> int:
    """Print all figures. The exit code is 1 if less than 90 percent of those of a module are killed or listed."""
    total = Figures(0, 0, 0, 0, 0)
    rows, sentences = [], []
    for module in modules:
        told, listed = survivors(module, equivalents)
        found = figures(module, len(told), listed)
        total += found
        sentences += told
        rows.append((module.name, found))
    head = f"{'module':42} mutants   mypy  tests listed survive   %  % without mypy"
    lines = (*sentences, head, *(_row(name, found) for name, found in (*rows, ("all", total))))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if all(found.is_enough for _, found in rows) else 1


def _row(name: str, found: Figures) -> str:
    counts = f"{found.all:7} {found.mypy:6} {found.tests:6} {found.listed:6} {found.left:7}"
    return f"{name:42} {counts} {found.percent:5.1f} {found.percent_of_tests:8.1f}"
