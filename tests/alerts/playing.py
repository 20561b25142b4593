"""Plays the rules over the lines of virtual days, which a quiet day surrounds."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tests.alerts.alert_rule import AlertRule, Notice, Play
from tests.alerts.log_rows import Ingestion, Log, LogLine
from tests.alerts.virtual_days import DAY, FUNCTIONS, MIDNIGHT, VirtualDays

LONG = 2 * DAY
"""Rules of such a window look at every line of two days. They are played where lines of theirs are missing."""


def shifted(lines: Iterable[LogLine], days: int) -> Iterator[LogLine]:
    """The lines of another day."""
    return (line._replace(at=line.at + days * DAY) for line in lines)


def repeated(lines: Sequence[LogLine], days: Iterable[int]) -> list[LogLine]:
    """The lines of one day on each of these days: 0 is the day of `MIDNIGHT`."""
    return [line for day in days for line in shifted(lines, day)]


def surrounded(days: VirtualDays, quiet_day: Sequence[LogLine], begin: datetime, end: datetime) -> Iterator[LogLine]:
    """The lines of an incident, with those of quiet days from `begin` to `end` and of the timers that it left out."""
    yield from days.lines
    absent, until = {FUNCTIONS[name][0] for name in days.left_out}, days.now()
    for number in range((begin - MIDNIGHT) // DAY, (end - MIDNIGHT) // DAY + 1):
        for line in shifted(quiet_day, number):
            if begin <= line.at < end and (not days.since <= line.at < until or line.function in absent):
                yield line


def notices_of(
    rules: Iterable[AlertRule], log: Log, ingestion: Ingestion, begin: datetime, end: datetime
) -> list[Notice]:
    """What the rules send from `begin` to `end`, in its order."""
    return sorted(notice for rule in rules for notice in Play(rule, log, ingestion).notices(begin, end))


def named_or_short(rules: Mapping[str, AlertRule], names: Collection[str]) -> list[AlertRule]:
    """The rules with these names, and those whose window is not long."""
    return [rule for name, rule in rules.items() if rule.window < LONG or name in names]
