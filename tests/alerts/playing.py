"""Plays the rules over the lines of virtual days, which a quiet day surrounds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from tests.alerts.alert_rule import AlertRule, Notice, Play
from tests.alerts.log_rows import Ingestion, Log, LogLine
from tests.alerts.virtual_days import DAY, FUNCTIONS, HOUR, MIDNIGHT, PUSH, SWEEP, VirtualDays

QUARTER = HOUR / 4
REPEATED = {FUNCTIONS[name][0] for name in (PUSH, SWEEP)}
"""The functions that run in each hour."""


def day_of_few_hours(days: VirtualDays, work: Callable[[VirtualDays], object]) -> list[LogLine]:
    """The lines of a day. Of it, the app plays an hour and a half, in which its daily timers run.

    The last hour, in which people work, stands for each other time: its lines of pushes and sweeps.
    """
    morning = MIDNIGHT + 6 * HOUR
    for quarter in (2 * HOUR + QUARTER, 3 * HOUR + QUARTER):
        days.skip_to(MIDNIGHT + quarter)
        days.run_for(QUARTER)
    days.skip_to(morning)
    work(days)
    days.run_until(morning + HOUR)
    played, hour = list(days.lines), [line for line in days.lines if line.at >= morning and line.function in REPEATED]
    for number in (0, 1, 2, 3, 4, 5, *range(7, 24)):
        times = ((line, line.at + (number - 6) * HOUR) for line in hour)
        played += [line._replace(at=at) for line, at in times if (at.hour, at.minute // 15) not in ((2, 1), (3, 1))]
    return played


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
