"""Schedules of timers: NCRONTAB with six fields, or a TimeSpan. Times are UTC.

    {second} {minute} {hour} {day} {month} {day of week}

Five fields mean second 0. A field is `*`, a value, a range `a-b`, each with an optional step `/n`, or a list of these;
months and days of the week may be names of three letters; Sunday is 0. Unlike in Unix cron a day must match both the
day and the day of the week. `00:05:00` is an interval of five minutes, counted from the last run.
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
    """Says when a timer is next to run."""

    def after(self, moment: datetime) -> datetime:
        """The first moment later than `moment`, UTC."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A fixed time between runs."""

    length: timedelta

    def after(self, moment: datetime) -> datetime:
        """`moment` plus the interval."""
        return moment.astimezone(UTC) + self.length


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that match, ascending, field by field."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def after(self, moment: datetime) -> datetime:
        """The first whole second later than `moment` that matches. Raises ValueError if none ever does."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        today, first = start.date(), self._time_from(start.time())
        if first is not None and self._matches(today):
            return datetime.combine(today, first, UTC)
        midnight = self._time_from(time())
        for offset in range(1, _HORIZON_DAYS):
            day = today + timedelta(days=offset)
            if self._matches(day) and midnight is not None:
                return datetime.combine(day, midnight, UTC)
        raise ValueError("no day ever matches")

    def _matches(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _time_from(self, start: time) -> time | None:
        moments = (
            time(hour, minute, second)
            for hour in self.hours if hour >= start.hour
            for minute in self.minutes if (hour, minute) >= (start.hour, start.minute)
            for second in self.seconds
        )  # fmt: skip
        return next((moment for moment in moments if moment >= start), None)


def time_span(text: str) -> timedelta:
    """Read .NET's `[d.]hh:mm:ss`. Raises ValueError."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time span such as 00:05:00")
    return timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})


def parse(text: str) -> Schedule:
    """Read a schedule. Raises ValueError with a sentence that names the field."""
    if ":" in text:
        length = time_span(text)
        if length <= timedelta():
            raise ValueError("an interval is longer than nothing")
        return Interval(length)
    fields = text.split()
    fields = ["0", *fields] if len(fields) == len(_LIMITS) - 1 else fields
    if len(fields) != len(_LIMITS):
        raise ValueError("six fields are expected: second minute hour day month day-of-week")
    cron = Cron(*(_field(part, *limits) for part, limits in zip(fields, _LIMITS, strict=True)))
    cron.after(datetime(2000, 1, 1, tzinfo=UTC))
    return cron


def _field(text: str, name: str, low: int, high: int) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, last = _span(span, name, low, high, open_ended=bool(step))
        values.update(range(first, last + 1, _number(step or "1", name, 1, high)))
    return tuple(sorted(values))


def _span(text: str, name: str, low: int, high: int, *, open_ended: bool) -> tuple[int, int]:
    if text == "*":
        return low, high
    start, dash, end = text.partition("-")
    first = _number(start, name, low, high)
    last = _number(end, name, low, high) if dash else (high if open_ended else first)
    if last < first:
        raise ValueError(f"in field {name} the range {text} runs backwards")
    return first, last


def _number(text: str, name: str, low: int, high: int) -> int:
    named = _NAMES.get(name, {}).get(text)
    if named is None and not (text.isascii() and text.isdigit()):
        raise ValueError(f"in field {name} {text!r} is not understood")
    value = named if named is not None else int(text)
    if not low <= value <= high:
        raise ValueError(f"in field {name} {value} is not between {low} and {high}")
    return value
