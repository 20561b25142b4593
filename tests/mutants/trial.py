"""Tries one mutant after the other: turns it on in a forked process and runs the tests that reach its function."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.mutants.forks import STOPPED, in_forks
from tests.mutants.items import first_failure
from tests.mutants.reach import Reached
from tests.mutants.switches import function_of, switches_by_function

LIMIT = 20
"""Seconds of the processor for one mutant; it is killed by then, or it runs for ever."""
SURVIVED, KILLED, UNTESTED = "survived", "killed", "untested"


class Trial:
    """The tests, and what is known about them: their functions, their seconds, and how many mutants each has killed."""

    def __init__(self, items: Iterable[pytest.Item], reached: dict[str, Reached], budget: float) -> None:
        self._items = {item.nodeid: item for item in items}
        self._budget = budget
        self._seconds = {test: row.seconds for test, row in reached.items()}
        self._tests: defaultdict[str, list[str]] = defaultdict(list)
        self._kills: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._switches = switches_by_function()
        for test, row in reached.items():
            for function in row.functions if row.passes else ():
                self._tests[function].append(test)

    def outcomes(self, mutants: Iterable[str], workers: int) -> Iterator[tuple[str, str]]:
        """Yield each mutant with what became of it."""
        work = ((mutant, self._attempt(mutant)) for mutant in mutants)
        for mutant, killer in in_forks(work, workers, LIMIT):
            if killer in self._seconds:
                self._kills[function_of(mutant)][killer] += 1
            known = {"": SURVIVED, UNTESTED: UNTESTED, STOPPED: KILLED}
            yield mutant, known.get(killer, KILLED)

    def _attempt(self, mutant: str) -> Callable[[], str]:
        return lambda: self._killer(mutant)

    def _killer(self, mutant: str) -> str:
        """The test that fails with this mutant; an empty text if none does."""
        function = function_of(mutant)
        tests = self.tests_of(function)
        if not tests:
            return UNTESTED
        self._switches[function].choose(mutant.rpartition(".")[2])
        failed = first_failure([self._items[test] for test in tests])
        return failed.nodeid if failed else ""

    def tests_of(self, function: str) -> list[str]:
        """The tests to run: those that killed its other mutants first, then the fastest, until the time is used up."""
        kills = self._kills[function]
        chosen: list[str] = []
        seconds = 0.0
        for test in sorted(self._tests[function], key=lambda test: (-kills[test], self._seconds[test], test)):
            seconds += self._seconds[test]
            if chosen and seconds > self._budget:
                break
            chosen.append(test)
        return chosen
