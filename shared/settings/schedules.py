"""Parse the schedules of timers as Azure does, and compute the next run. All times are UTC.

A schedule has six fields, apart by blanks: second, minute, hour, day, month, day of week. With five, the second is 0. A
field is `*`, a value or a range `a-b`, each with an optional step `/n`, or a list of these with commas. Months and days
of the week may be names or the beginning of one; Sunday is 0. A day must match both the day and the day of week.

Azure takes some texts and runs them at other times than they suggest. `Schedule.surprises` names those times.
Source: docs/reference/azure.md#schedules.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct

NEVER = datetime.max.replace(tzinfo=UTC)
"""The next run of a schedule whose day never comes, as Azure computes it."""
_LAST_MOMENT = NEVER - timedelta(days=366 * 41)
_HORIZON_DAYS = 366 * 40  # after 28 years the weekdays repeat, and after 40 also where a leap year is left out
_MAX_NUMBER = 2**31 - 1
_NUMBER = re.compile(r"[\t-\r]*[+-]?[0-9]+[\t-\r]*", re.ASCII)


class Field(Struct, frozen=True):
    """One field: its name, its lowest and highest value, how its values are said, and the names of the values."""

    name: str
    low: int
    high: int
    one: str
    all: str
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of values."""
        return self.high - self.low + 1

    def say(self, value: int) -> str:
        """Return a value for people: its name, or else the number."""
        return self.names[value - self.low] if self.names else str(value)

    def write(self, first: int, last: int) -> str:
        """Return a range, or one value, as it stands in a schedule."""
        texts = [self.say(value)[:3].upper() if self.names else str(value) for value in dict.fromkeys((first, last))]
        return "-".join(texts)


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
FIELDS = (
    Field("second", 0, 59, "at second {} of every minute", "every second"),
    Field("minute", 0, 59, "at minute {} of every hour", "every minute"),
    Field("hour", 0, 23, "in hour {} of every day", "every hour"),
    Field("day", 1, 31, "on day {} of every month", "every day"),
    Field("month", 1, 12, "in {} of every year", "every month", MONTHS),
    Field("day of week", 0, 6, "on {} of every week", "every day", WEEKDAYS),
)
CALENDAR_FIELDS = frozenset({"day", "month", "day of week"})
"""The fields whose steps nobody takes for a distance in time."""


class _Part(Struct, frozen=True):
    """The values of one item of a field, and where Azure reads it in another way than people do."""

    values: range
    surprises: tuple[str, ...] = ()
    note: str = ""


class Schedule(Struct, frozen=True):
    """The values of each field, ascending, and what a person would not expect of them."""

    fields: tuple[tuple[int, ...], ...]
    field_surprises: tuple[str, ...] = ()
    field_notes: tuple[str, ...] = ()

    @property
    def surprises(self) -> tuple[str, ...]:
        """One sentence for each point in which Azure runs the timer at other times than the text suggests."""
        if self.next_after(datetime(2000, 1, 1, tzinfo=UTC)) == NEVER:
            return (*self.field_surprises, "its day is in no calendar: Azure never runs it, and says nothing")
        return self.field_surprises

    @property
    def note(self) -> str:
        """What to tell about a schedule that is right, or an empty text."""
        _, _, _, days, _, weekdays = self.fields
        notes = self.field_notes
        if len(days) < FIELDS[3].size and len(weekdays) < FIELDS[5].size:
            notes = (*notes, "it has a day and a day of week: Azure runs it only on days that match both")
        return "; ".join(notes)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first matching second after `moment`, UTC, or NEVER."""
        if moment >= _LAST_MOMENT:
            return NEVER
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        today, first = start.date(), self._first_time_from(start.time())
        if first is not None and self._matches_day(today):
            return datetime.combine(today, first, UTC)
        midnight = self._first_time_from(time()) or time()
        days = (today + timedelta(days=offset) for offset in range(1, _HORIZON_DAYS))
        day = next((day for day in days if self._matches_day(day)), None)
        return NEVER if day is None else datetime.combine(day, midnight, UTC)

    def _matches_day(self, day: date) -> bool:
        _, _, _, days, months, weekdays = self.fields
        return day.month in months and day.day in days and day.isoweekday() % 7 in weekdays

    def _first_time_from(self, start: time) -> time | None:
        seconds, minutes, hours, *_ = self.fields
        moments = (
            time(hour, minute, second)
            for hour in hours if hour >= start.hour
            for minute in minutes if (hour, minute) >= (start.hour, start.minute)
            for second in seconds
        )  # fmt: skip
        return next((moment for moment in moments if moment >= start), None)


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule. Raises ValueError for a text that Azure refuses; it names the field, and quotes no value."""
    if ":" in text:
        raise ValueError("an interval such as 00:05:00 does not run on Flex Consumption: write six fields")
    parts = [part for part in text.split(" ") if part]
    parts = ["0", *parts] if len(parts) == len(FIELDS) - 1 else parts
    if len(parts) != len(FIELDS):
        raise ValueError("it needs six fields with blanks between them: second minute hour day month day-of-week")
    read = [_parse_field(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    return Schedule(
        tuple(tuple(sorted({value for part in parts for value in part.values})) for parts in read),
        tuple(line for parts in read for part in parts for line in part.surprises),
        tuple(part.note for parts in read for part in parts if part.note),
    )


def schedule_fault(text: str) -> str:
    """Return why a schedule is refused, to be read after the setting's name, or an empty text. Quotes no value."""
    try:
        surprises = parse_schedule(text).surprises
    except ValueError as error:
        return f"is not a schedule: {error}"
    return f"is a schedule that would run at other times than it says: {'; '.join(surprises)}" if surprises else ""


def schedule_note(text: str) -> str:
    """Return what to tell about a schedule that is not refused, or an empty text."""
    return "" if schedule_fault(text) else parse_schedule(text).note


def _parse_field(text: str, field: Field) -> list[_Part]:
    return [_parse_part(part, field) for part in text.split(",")]


def _parse_part(text: str, field: Field) -> _Part:
    span, slash, step_text = text.partition("/")
    step = _number(step_text, field) if slash else 1
    start, dash, end = span.partition("-")
    if span == "*":
        first, last = field.low, field.high
    else:
        first = _value(start, field)
        last = _value(end, field) if dash else (field.high if slash else first)
    low, high = min(first, last), max(first, last)
    for value in (low, high):
        if not field.low <= value <= field.high:
            raise ValueError(f"in the field {field.name}, a value is not between {field.low} and {field.high}")
    values = range(low, high + 1, max(step, 1))
    names = (start, end) if span != "*" else ()
    surprises = (
        *_name_surprises(names, field),
        *_range_surprises(first, last, step, field),
        *_step_surprises(values, step, field),
    )
    note = _step_note(values, step, field) if span == "*" else ""
    return _Part(values, surprises, note)


def _value(text: str, field: Field) -> int:
    """Return a value of a field. A name may be cut, and the first one that begins so counts, as Azure reads it."""
    if text[:1].isdecimal() and text.isascii():
        return _number(text, field)
    found = _values_named(text, field)
    if not found:
        raise ValueError(f"in the field {field.name}, a part is not a value")
    return found[0]


def _values_named(text: str, field: Field) -> list[int]:
    beginning = text.casefold()
    if not (text.isascii() and text.isalpha()):
        return []
    return [value for value, name in enumerate(field.names, field.low) if name.casefold().startswith(beginning)]


def _number(text: str, field: Field) -> int:
    if _NUMBER.fullmatch(text) is None or abs(int(text)) > _MAX_NUMBER:
        raise ValueError(f"in the field {field.name}, a part is not a value")
    return int(text)


# --- what Azure reads in another way than people do


def _name_surprises(texts: tuple[str, ...], field: Field) -> Iterator[str]:
    for text in texts:
        found = _values_named(text, field)
        if len(found) > 1:
            others = " or ".join(field.say(value) for value in found[1:])
            yield f"in the field {field.name}, Azure reads {text.upper()} as {field.say(found[0])}, not as {others}"


def _range_surprises(first: int, last: int, step: int, field: Field) -> Iterator[str]:
    if first <= last:
        return
    whole = (last, first) == (field.low, field.high)
    times = field.all if whole else f"{field.say(last)} to {field.say(first)}"
    split = f"{field.write(first, field.high)},{field.write(field.low, last)}"
    remedy = f"; write {split}" if step == 1 else ""
    yield f"in the field {field.name}, Azure turns {field.write(first, last)} round and runs {times}{remedy}"


def _step_surprises(values: range, step: int, field: Field) -> Iterator[str]:
    if step < 1:
        yield f"in the field {field.name}, Azure takes a step below 1 as 1"
    elif step > field.size:
        times = field.one.format(field.say(values[0]))
        yield f"in the field {field.name}, the step {step} is longer than the field: Azure runs {times}"


def _step_note(values: range, step: int, field: Field) -> str:
    """Return what to tell about a step after which the field begins anew too early: Azure does not count on."""
    if not 1 < step < field.size or field.size % step == 0 or field.name in CALENDAR_FIELDS:
        return ""
    last, again = field.say(values[-1]), field.say(field.low)
    return f"in the field {field.name}, the step {step} begins anew at {again}: after {last} comes {again}"
