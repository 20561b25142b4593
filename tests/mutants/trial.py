"""Tries one mutant after the other: turns it on in a forked process and runs the tests that reach its function."""

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

import pytest

from tests.mutants.forks import STOPPED, in_forks
from tests.mutants.items import clean_up, first_failure, run_item
from tests.mutants.reach import Reached
from tests.mutants.switches import function_of, switches_by_function

LIMIT = 20
"""Seconds of the processor for one mutant; it is killed by then, or it runs for ever."""
SHORTEST = 0.0001
"""Seconds of a test that takes no time that can be measured."""
CHEAP = 0.02
"""Seconds of a unit test of a rule."""
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
        self._reach = _as_bits(reached)

    def outcomes(self, mutants: Iterable[str], workers: int) -> Iterator[tuple[str, str]]:
        """Yield each mutant with what became of it."""
        self._warm_up()
        work = ((mutant, self._attempt(mutant)) for mutant in mutants)
        for mutant, killer in in_forks(work, workers, LIMIT):
            if killer in self._seconds:
                self._kills[function_of(mutant)][killer] += 1
            known = {"": SURVIVED, UNTESTED: UNTESTED, STOPPED: KILLED}
            yield mutant, known.get(killer, KILLED)

    def _warm_up(self) -> None:
        """Run the test that reaches most in this process: each fork then has what the tests build only once."""
        if self._reach:
            item = self._items[max(self._reach, key=lambda test: self._reach[test].bit_count())]
            if not run_item(item, None):
                clean_up(item)
            if isinstance(item, pytest.Function):
                item._initrequest()  # else the forks would run it with the fixtures that are closed now
        gc.collect()
        gc.freeze()  # a collection in a fork would copy the memory of this process

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
        """The tests to run, until the time is used up: first unit tests, then those that killed its other mutants.

        The fastest scenes mostly do the same. So each further test is the one that adds the most functions a second to
        those that the chosen tests reach.
        """
        killers = self._first_tests(function)
        left, chosen, covered, seconds = dict.fromkeys(self._tests[function]), list[str](), 0, 0.0
        while left:
            test = killers.pop(0) if killers else max(left, key=lambda one: self._gain(one, covered))
            seconds += self._seconds[test]
            if chosen and seconds > self._budget:
                break
            del left[test]
            chosen.append(test)
            covered |= self._reach[test]
        return chosen

    def _first_tests(self, function: str) -> list[str]:
        """Unit tests of the function for half of the time, as each has another example; then what killed before."""
        kills, seconds = self._kills[function], self._seconds
        cheap = sorted(
            (one for one in self._tests[function] if seconds[one] <= CHEAP), key=lambda one: (-kills[one], seconds[one])
        )
        spent = accumulate(seconds[one] for one in cheap)
        within = [one for one, sum_of in zip(cheap, spent, strict=True) if sum_of <= self._budget / 2]
        return list(dict.fromkeys((*within, *(test for test, _ in kills.most_common()))))

    def _gain(self, test: str, covered: int) -> tuple[float, float]:
        """How many functions a second a test adds; if none adds one, the fastest is the best."""
        seconds = self._seconds[test] or SHORTEST
        return (self._reach[test] & ~covered).bit_count() / seconds, -seconds


def _as_bits(reached: dict[str, Reached]) -> dict[str, int]:
    """What each test reaches as the bits of a number, one for each function."""
    functions = sorted({function for row in reached.values() for function in row.functions})
    bits = {function: 1 << number for number, function in enumerate(functions)}
    return {test: sum(bits[function] for function in row.functions) for test, row in reached.items()}
