"""Finds the few steps of a seed that break a promise: it leaves out steps while the same kind of promise is broken.

The search is delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.story import Step, Story

Placed = tuple[int, Step]
"""A step with the number of its storm."""
Finds = Callable[[Story], Sequence[str]]
"""Runs a story and returns the broken promises."""
MOST_RUNS = 300


def kind_of(finding: str) -> str:
    """The promise that a finding says is broken."""
    return finding.partition(":")[0]


@dataclass
class Shrinking:
    """A search. `left` is the number of runs that it may still make."""

    finds: Finds
    kind: str
    left: int = MOST_RUNS

    def breaks(self, steps: Sequence[Placed], storms: int) -> bool:
        """Whether these steps alone still break the promise; False once no run is left."""
        if self.left <= 0:
            return False
        self.left -= 1
        return self.kind in map(kind_of, self.finds(_story_of(steps, storms)))


def shrunk(story: Story, finds: Finds, finding: str) -> Story:
    """The shortest story found that breaks the same promise as `finding`."""
    shrinking = Shrinking(finds, kind_of(finding))
    steps = [(number, step) for number, storm in enumerate(story) for step in storm]
    storms = len(story)
    while storms > 1 and shrinking.breaks([one for one in steps if one[0] < storms - 1], storms - 1):
        storms -= 1
        steps = [one for one in steps if one[0] < storms]
    parts = 2
    while len(steps) > 1:
        smaller = next((rest for rest in _without_a_part(steps, parts) if shrinking.breaks(rest, storms)), None)
        if smaller is not None:
            steps, parts = smaller, max(parts - 1, 2)
        elif parts < len(steps):
            parts = min(2 * parts, len(steps))
        else:
            break
    return _story_of(steps, storms)


def _without_a_part(steps: Sequence[Placed], parts: int) -> Iterator[list[Placed]]:
    """The steps without one of so many parts: the last part first, because later steps matter less often."""
    size = -(-len(steps) // parts)
    for begin in reversed(range(0, len(steps), size)):
        yield [*steps[:begin], *steps[begin + size :]]


def _story_of(steps: Sequence[Placed], storms: int) -> Story:
    return tuple(tuple(step for storm, step in steps if storm == number) for number in range(storms))
