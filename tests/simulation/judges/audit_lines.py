"""Judges the audit of each opportunity against the lines that the store has: people can read each.

Source: docs/protocol.md#audit-lines, docs/protocol.md#the-ping-pong-guard.

untold     a line that is stored, and that the audit does not show
doubled    a line is stored twice with one time and one text: only notes may be joined twice in one second, which the
           audit shows once
repeated   one value was written to one field of a side more than three times in an hour
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_WRITES, WITHIN = 3, timedelta(hours=1)
JOINED = "Both texts were kept."


@dataclass(frozen=True)
class StoredLine:
    """A line of the store. One about a value that was written and read back has `written`: side, field and value."""

    at: datetime
    text: str
    written: tuple[str, str, str] | None = None


def untold_lines(opportunity: str, stored: Iterable[StoredLine], audit: str) -> Iterator[str]:
    """The stored lines that the audit lacks. A write shows its own line with the time at which it begins."""
    shown = Counter(text.partition(" UTC - ")[2] or text for text in audit.splitlines())
    lines = dict.fromkeys(_as_shown(line) for line in stored)
    lacking = Counter(text for _, line in lines for text in line.splitlines()) - shown
    yield from (f"untold: the audit of {opportunity} lacks {text}" for text in lacking)


def doubled_lines(opportunity: str, stored: Iterable[StoredLine]) -> Iterator[str]:
    """The lines that are stored more than once, as the audit shows them."""
    counts = Counter(_as_shown(line) for line in stored)
    doubled = (text for (_, text), times in counts.items() if times > 1 and JOINED not in text)
    yield from (f"doubled: {text} is stored twice for {opportunity}" for text in doubled)


def _as_shown(line: StoredLine) -> tuple[datetime, str]:
    return line.at.replace(microsecond=0), line.text


def repeated_writes(opportunity: str, stored: Sequence[StoredLine]) -> Iterator[str]:
    """Each value that was written to one field of a side too often; `stored` has the oldest line first."""
    written: dict[tuple[str, str], list[tuple[str, datetime]]] = {}
    for line in stored:
        if line.written is None:
            continue
        side, name, value = line.written
        kept = [one for one in written.get((side, name), []) if one[0] == value and line.at - one[1] < WITHIN]
        written[side, name] = [*kept, (value, line.at)]
        if len(written[side, name]) > MOST_WRITES:
            yield f"repeated: {side} {name} {value} of {opportunity} at {line.at}"
