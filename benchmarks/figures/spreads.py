"""The arithmetic of the figures: minimum, median and maximum of several runs, ratios of them, and targets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs of one measure gave."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Spread | None":
        """The spread of some samples; None if there are none."""
        return cls(min(samples), statistics.median(samples), max(samples)) if samples else None

    def over(self, other: "Spread") -> "Spread | None":
        """The spread of this one divided by another: the least, the usual and the greatest that both allow.

        None if the other one reaches zero.
        """
        if other.minimum <= 0:
            return None
        return Spread(self.minimum / other.maximum, self.median / other.median, self.maximum / other.minimum)


class Kind(StrEnum):
    """What a target limits."""

    VALUE = "value"  # the median of this build
    RATIO = "ratio"  # the median of this build, divided by that of f9a8dde


@dataclass(frozen=True, slots=True)
class Target:
    """The greatest value or ratio that is good enough."""

    kind: Kind
    limit: float

    def is_met(self, this: Spread | None, former: Spread | None) -> bool | None:
        """Whether the figures meet it; None if what it needs was not measured."""
        if this is None:
            return None
        if self.kind is Kind.VALUE:
            return this.median <= self.limit
        ratio = this.over(former) if former else None
        return None if ratio is None else ratio.median <= self.limit


def at_most(limit: float) -> Target:
    """A target for the value."""
    return Target(Kind.VALUE, limit)


def part_of_former(limit: float) -> Target:
    """A target for the ratio to f9a8dde: 0.2 is a fifth of its value."""
    return Target(Kind.RATIO, limit)


def slope(fewer: tuple[float, float], more: tuple[float, float]) -> float:
    """What one pair more costs, from two runs given as (number of pairs, cost).

    >>> slope((10, 125), (20, 245))
    12.0
    """
    return (more[1] - fewer[1]) / (more[0] - fewer[0])
