"""Parses the schedules of timers, and computes the next run. All times are UTC.

A schedule is an NCRONTAB expression of six fields:

    {second} {minute} {hour} {day} {month} {day of week}

If there are five fields, the second is 0. A field is `*`, a value, or a range `a-b`, each with an optional step `/n`.
It may also be a list of these. Months and days of the week may be names of three letters. Sunday is 0. Unlike in Unix
cron, a day must match both the day field and the day-of-week field.

A schedule may also be a time span: `00:05:00` is an interval of five minutes, counted from the last run.
Source: docs/reference/azure.md#schedules.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {
    "month": {name: number for number, name in enumerate(_MONTH_NAMES, 1)},
    "day of week": {name: number for number, name in enumerate(_WEEKDAY_NAMES)},
}
_LIMITS = (
    ("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of week", 0, 6),
)  # fmt: skip
_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2})")
_HORIZON_DAYS = 366 * 28  # the calendar repeats weekdays, leap days included, after 28 years


class Schedule(Protocol):
    """A schedule of a timer."""

    def next_after(self, moment: datetime) -> datetime:
        """The time of the first run after `moment`, UTC."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A fixed time between runs."""

    length: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """`moment` plus the interval."""
        return moment.astimezone(UTC) + self.length


@dataclass(frozen=True, slots=True)
class Cron:
    """The matching values of each field, ascending."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime:
        """The first matching second after `moment`, UTC. Raises ValueError if no second ever matches."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        today, first = start.date(), self._first_time_from(start.time())
        if first is not None and self._matches_day(today):
            return datetime.combine(today, first, UTC)
        midnight = self._first_time_from(time())
        for offset in range(1, _HORIZON_DAYS):
            day = today + timedelta(days=offset)
            if self._matches_day(day) and midnight is not None:
                return datetime.combine(day, midnight, UTC)
        raise ValueError("no day ever matches")

    def _matches_day(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _first_time_from(self, start: time) -> time | None:
        moments = (
            time(hour, minute, second)
            for hour in self.hours if hour >= start.hour
            for minute in self.minutes if (hour, minute) >= (start.hour, start.minute)
            for second in self.seconds
        )  # fmt: skip
        return next((moment for moment in moments if moment >= start), None)


def parse_time_span(text: str) -> timedelta:
    """Parse a time span of .NET: `[d.]hh:mm:ss`. Raises ValueError."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:05:00")
    return timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule. Raises ValueError; its message names the wrong field."""
    if ":" in text:
        length = parse_time_span(text)
        if length <= timedelta():
            raise ValueError("an interval must be longer than zero")
        return Interval(length)
    fields = text.split()
    fields = ["0", *fields] if len(fields) == len(_LIMITS) - 1 else fields
    if len(fields) != len(_LIMITS):
        raise ValueError("a schedule needs six fields: second minute hour day month day-of-week")
    cron = Cron(*(_parse_field(part, *limits) for part, limits in zip(fields, _LIMITS, strict=True)))
    cron.next_after(datetime(2000, 1, 1, tzinfo=UTC))
    return cron


def _parse_field(text: str, name: str, low: int, high: int) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, last = _parse_span(span, name, low, high, open_ended=bool(step))
        values.update(range(first, last + 1, _parse_number(step or "1", name, 1, high)))
    return tuple(sorted(values))


def _parse_span(text: str, name: str, low: int, high: int, *, open_ended: bool) -> tuple[int, int]:
    if text == "*":
        return low, high
    start, dash, end = text.partition("-")
    first = _parse_number(start, name, low, high)
    last = _parse_number(end, name, low, high) if dash else (high if open_ended else first)
    if last < first:
        raise ValueError(f"in field {name} the range {text} goes backwards")
    return first, last


def _parse_number(text: str, name: str, low: int, high: int) -> int:
    named = _NAMES.get(name, {}).get(text)
    if named is None and not (text.isascii() and text.isdigit()):
        raise ValueError(f"in field {name} {text!r} is not a value")
    value = named if named is not None else int(text)
    if not low <= value <= high:
        raise ValueError(f"in field {name} {value} is not between {low} and {high}")
    return value
