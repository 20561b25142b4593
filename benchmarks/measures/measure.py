"""What every measure gets and gives."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from benchmarks.figures.effort import Effort
from benchmarks.systems.builds import Build

Samples = Mapping[str, list[float]]


@dataclass
class Work:
    """One build to measure: the rows that are wanted, the effort, and where progress is told."""

    build: Build
    wanted: Collection[str]
    effort: Effort
    tell: Callable[[str], None]
    samples: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def wants(self, *names: str) -> bool:
        """Whether one of these rows is wanted."""
        return any(name in self.wanted for name in names)

    def add(self, name: str, value: float) -> None:
        """Keep one sample of a row, and tell it."""
        self.samples[name].append(value)
        self.tell(f"{name} {value:.4g}")


Measure = Callable[[Work], None]
