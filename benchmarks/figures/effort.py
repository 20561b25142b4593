"""How much a run of `make bench` measures: all, or with `QUICK=1` a tenth, which only shows that all rows work."""

from dataclasses import dataclass

QUICK_PART = 10
"""A quick run works with so much fewer deals."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a run."""

    is_quick: bool = False

    def deals(self, count: int) -> int:
        """The number of deals where the issue says `count`.

        >>> Effort(is_quick=True).deals(1000), Effort().deals(1000)
        (100, 1000)
        """
        return max(1, count // QUICK_PART) if self.is_quick else count

    def runs(self, count: int) -> int:
        """How often a measure is repeated: `count` times, in a quick run twice at most."""
        return min(count, 2) if self.is_quick else count
