"""Tries one mutant after the other: turns it on in a forked process and runs the tests that reach its lines."""

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import accumulate

import pytest

from tests.mutants.forks import STOPPED, in_forks
from tests.mutants.items import first_failure, warm_up
from tests.mutants.reach import Reached
from tests.mutants.switches import function_of, switches_by_function

LIMIT = 20
"""Seconds of the processor for one mutant; it is killed by then, or it runs for ever."""
SHORTEST = 0.0001
"""Seconds of a test that takes no time that can be measured."""
SURVIVED, KILLED, UNTESTED = "survived", "killed", "untested"


class Trial:
    """The tests, and what is known about them: their lines, their seconds, and how many mutants each has killed."""

    def __init__(self, items: Iterable[pytest.Item], reached: dict[str, Reached], budget: float) -> None:
        self._items = {item.nodeid: item for item in items}
        self._budget = budget
        self._seconds = {test: row.seconds for test, row in reached.items()}
        self._tests: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._kills: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._switches = switches_by_function()
        for test, row in reached.items():
            for function, lines in row.lines.items() if row.passes else ():
                self._tests[function][test] = lines
        self._reach = _as_bits(reached)

    def outcomes(self, mutants: Mapping[str, Callable[[], range]], workers: int) -> Iterator[tuple[str, str]]:
        """Yield each mutant with what became of it; given are the lines of its function that it changes."""
        self._warm_up()
        work = ((mutant, partial(self._killer, mutant, lines)) for mutant, lines in mutants.items())
        for mutant, killer in in_forks(work, workers, LIMIT):
            if killer in self._seconds:
                self._kills[function_of(mutant)][killer] += 1
            known = {"": SURVIVED, UNTESTED: UNTESTED, STOPPED: KILLED}
            yield mutant, known.get(killer, KILLED)

    def _warm_up(self) -> None:
        """Run the test that reaches most in this process: each fork then has what the tests build only once."""
        if self._reach:
            warm_up(self._items[max(self._reach, key=lambda test: self._reach[test].bit_count())])
        gc.collect()
        gc.freeze()  # a collection in a fork would copy the memory of this process

    def _killer(self, mutant: str, lines: Callable[[], range]) -> str:
        """The test that fails with this mutant; an empty text if none does."""
        function = function_of(mutant)
        tests = self.tests_of(function, lines())
        if not tests:
            return UNTESTED
        self._switches[function].choose(mutant.rpartition(".")[2])
        failed = first_failure([self._items[test] for test in tests])
        return failed.nodeid if failed else ""

    def tests_of(self, function: str, lines: range) -> list[str]:
        """The tests of these lines, until the time is used up: first those that are likely to fail.

        The fastest scenes mostly do the same. So each further test is the one that adds the most lines a second to
        those that the chosen tests reach.
        """
        left, chosen, covered, seconds = dict.fromkeys(self._reaching(function, lines)), list[str](), 0, 0.0
        first = self._first_tests(function, left)
        while left:
            test = first.pop(0) if first else max(left, key=lambda one: self._gain(one, covered))
            seconds += self._seconds[test]
            if chosen and seconds > self._budget:
                break
            del left[test]
            chosen.append(test)
            covered |= self._reach[test]
        return chosen

    def _reaching(self, function: str, lines: range) -> list[str]:
        """The tests that reach one of the lines, else the nearest line before them: a comment or a bracket never is."""
        tests = self._tests[function]
        for start in range(lines.start, -1, -1):
            wanted = sum(1 << line for line in range(start, max(lines.stop, start + 1)))
            if found := [test for test, reached in tests.items() if reached & wanted]:
                return found
        return list(tests)

    def _first_tests(self, function: str, tests: Iterable[str]) -> list[str]:
        """For half of the time, the tests that killed mutants of the function, then the quick ones that reach little.

        A test that reaches little is about what it reaches.
        """
        kills, seconds = self._kills[function], self._seconds
        ordered = sorted(tests, key=lambda one: (-kills[one], seconds[one] * self._reach[one].bit_count()))
        spent = accumulate(seconds[one] for one in ordered)
        return [one for one, sum_of in zip(ordered, spent, strict=True) if sum_of <= self._budget / 2]

    def _gain(self, test: str, covered: int) -> tuple[float, float]:
        """How many lines a second a test adds; if none adds one, the fastest is the best."""
        seconds = self._seconds[test] or SHORTEST
        return (self._reach[test] & ~covered).bit_count() / seconds, -seconds


def _as_bits(reached: dict[str, Reached]) -> dict[str, int]:
    """What each test reaches as the bits of a number, one for each line of each function."""
    lengths: Counter[str] = Counter()
    for row in reached.values():
        lengths |= Counter({function: lines.bit_length() for function, lines in row.lines.items()})
    places = dict(zip(lengths, accumulate(lengths.values(), initial=0), strict=False))
    return {
        test: sum(lines << places[function] for function, lines in row.lines.items()) for test, row in reached.items()
    }
