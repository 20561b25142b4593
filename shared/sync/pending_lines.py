"""The queue of a pair's audit lines that are not stored yet."""

from collections.abc import Iterable, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import UNDATED, Line, change_lines
from shared.domain.deal import Change, Side
from shared.domain.planned import Plan


class PendingLines(Struct):
    """The queue of audit lines that are not stored yet. What is taken has left the queue.

    recovered   lines for writes of an interrupted run that were found to have taken effect, and of Microsoft's news
    notes       the plan's lines, which go with the records that they belong to
    losses      the plan's lines about discarded values, which the confirmed write of that field makes true
    told        the losses and recovered lines that were taken: a later plan of this run repeats none of them
    confirmed   the lines of a confirmed write, which the opportunity shows, and the next write of the row stores
    is_held     whether the link holds the records that the notes belong to: then its next write stores the notes too
    """

    recovered: tuple[Line, ...] = ()
    notes: tuple[Line, ...] = ()
    losses: tuple[Line, ...] = ()
    told: tuple[Line, ...] = ()
    confirmed: tuple[Line, ...] = ()
    is_held: bool = False

    def put_plan(self, plan: Plan) -> None:
        """Queue a plan's lines, in place of those of an earlier plan."""
        self.notes, self.losses, self.is_held = plan.lines, _dated(UNDATED, plan.losses), False

    def drop_plan(self) -> None:
        """Tell nothing of a plan that is dropped, except what the link holds already."""
        self.losses = ()
        if not self.is_held:
            self.notes = ()

    def take_held(self, now: datetime) -> tuple[Line, ...]:
        """Take the lines of an interrupted run, and the notes if the link holds what they belong to."""
        if not self.is_held:
            self.notes = ()
        return self.take_notes(now)

    def take_notes(self, now: datetime) -> tuple[Line, ...]:
        """Take the lines of an interrupted run and the plan's notes."""
        lines = self.dated_notes(now)
        self.drop_notes()
        return lines

    def dated_notes(self, now: datetime) -> tuple[Line, ...]:
        """The lines that `take_notes` takes. They stay in the queue until they are stored: a failure must lose none."""
        return (*self.recovered, *_dated(now, self.notes))

    def drop_notes(self) -> None:
        """Remove these lines from the queue. No loss repeats what a recovered line tells."""
        self.told += _dated(UNDATED, self.recovered)
        self.recovered, self.notes = (), ()

    def take_confirmed(self, changes: Sequence[Change], now: datetime) -> tuple[Line, ...]:
        """Take the notes, and the lines of the values that these confirmed changes discarded."""
        lines = self._losses_of(changes)
        self.told += lines
        return (*self.take_notes(now), *_dated(now, lines))

    def _losses_of(self, changes: Sequence[Change]) -> tuple[Line, ...]:
        fields, told = {change.field for change in changes}, (*self.told, *_dated(UNDATED, self.recovered))
        return tuple(line for line in self.losses if line.field in fields and line not in told)

    def expected_lines(self, changes: Sequence[Change], now: datetime) -> tuple[Line, ...]:
        """The lines that a write of an opportunity will add once it is confirmed; they stay in the queue."""
        return (*change_lines(now, Side.SALESFORCE, changes), *_dated(now, self._losses_of(changes)))


def _dated(now: datetime, lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines of a plan with the time at which they are written down."""
    return tuple(replace(line, at=now) for line in lines)
