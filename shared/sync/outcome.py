"""Defines the outcome of the work on one pair, and the report of a run about all its pairs."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field


class Result(StrEnum):
    """The kinds of outcomes of the work on a pair. The values are field names of the log events of a run."""

    RECONCILED = "settled"
    HELD = "held"
    PARKED = "parked"
    RETRY = "due"


class Outcome(Struct, frozen=True):
    """The end of the work on one pair. A pair that must be tried again has a cause and, where it is known, a time.

    `unsure` says that a write may have taken effect although it failed: its intent stays in the store, so that
    recovery looks for the effect.
    """

    result: Result
    cause: str = ""
    at: datetime | None = None
    unsure: bool = False


RECONCILED = Outcome(Result.RECONCILED)
BUSY = Outcome(Result.RETRY, "busy")
"""Another instance holds the lease of the pair."""

Outcomes = Mapping[str, Outcome]
"""Outcomes by opportunity id or referral id."""


class Report(Struct):
    """The counts of a run: the records that it saw, and the pairs that ended with each result."""

    seen: int = 0
    results: dict[Result, int] = field(default_factory=lambda: dict.fromkeys(Result, 0))

    def add(self, outcomes: Outcomes) -> None:
        """Count outcomes."""
        for outcome in outcomes.values():
            self.results[outcome.result] += 1

    def fields(self) -> dict[str, int]:
        """The counts as fields of a log event."""
        return {"seen": self.seen, **{str(result): count for result, count in self.results.items()}}
