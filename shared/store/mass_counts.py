"""Count the changes of one kind that all instances make in a day, and stop them at a limit. The count is one row.

A change is counted before it is made. So a process that stops in between loses a part of the allowance, and never gets
more of it. The rule: docs/protocol.md#the-mass-change-stop.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct, convert, field, to_builtins
from msgspec.structs import fields

LEAST = 50
SHARE = 20
"""The default limit: at least `LEAST` changes, or one link of `SHARE`."""
MOST_REMEMBERED = 1000
"""So many of the changes that were let go are remembered, so that a repeated one is not counted twice."""
MOST_EXAMPLES = 20
APPROVAL_LASTS = timedelta(days=2)


class MassCount(Struct, frozen=True):
    """The count of one kind of changes.

    day        the day that is counted, UTC
    count      the changes of that day that no operator has approved
    made       marks of the changes of that day that were let go: a change that is tried again is not counted again
    approved   how many changes an operator has approved and nobody has made yet, until `until`
    since      when the changes were stopped; None while they are not
    examples   ids of deals that were stopped
    limit      the limit that stopped them
    unknown    keys that a later build stored: kept, and written back
    """

    day: date
    count: int = 0
    made: tuple[str, ...] = ()
    approved: int = 0
    until: datetime | None = None
    since: datetime | None = None
    examples: tuple[str, ...] = ()
    limit: int = 0
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def on(self, day: date) -> "MassCount":
        """The count of a day: a later day begins anew. What is stopped stays stopped."""
        return replace(self, day=day, count=0, made=()) if day > self.day else self

    def is_over(self, now: datetime) -> bool:
        """Whether it is of an earlier day, stops nothing, and lets nothing go that was approved."""
        is_approved = self.approved > 0 and self.until is not None and now < self.until
        return self.day < day_of(now) and self.since is None and not is_approved

    def counted(self, keys: Collection[str]) -> "MassCount":
        """The count with changes that were made already, whatever the limit."""
        marks = [mark for mark in map(mark_of, keys) if mark not in self.made]
        return replace(self, count=self.count + len(marks), made=(*self.made, *marks)[-MOST_REMEMBERED:])

    def let_go(self, keys: Sequence[str], limit: int, now: datetime) -> tuple["MassCount", frozenset[str]]:
        """The next count, and which of these changes may be made now. The others are stopped."""
        approved = self.approved if self.until is not None and now < self.until else 0
        room = 0 if self.since is not None else max(0, limit - self.count)
        made = dict.fromkeys(self.made)
        granted, used = set[str](), 0
        for key in keys:
            mark = mark_of(key)
            if mark not in made:
                if approved + room <= used:
                    continue
                used += 1
                made[mark] = None
            granted.add(key)
        spent = min(used, approved)
        count = replace(self, approved=approved - spent, count=self.count + used - spent)
        return replace(count, made=tuple(made)[-MOST_REMEMBERED:]), frozenset(granted)

    def with_stopped(self, ids: Sequence[str], limit: int, now: datetime) -> "MassCount":
        """The count once these deals were stopped."""
        examples = tuple(dict.fromkeys((*self.examples, *ids)))[:MOST_EXAMPLES]
        return replace(self, since=self.since or now, examples=examples, limit=limit)

    def released(self) -> "MassCount":
        """The count once nothing is stopped any more."""
        return replace(self, since=None, examples=())

    def with_approval(self, number: int, now: datetime) -> "MassCount":
        """The count once an operator has approved so many changes: they are let go beside those of the day."""
        return replace(self.released(), approved=number, until=now + APPROVAL_LASTS)


def mark_of(key: str) -> str:
    """A short mark of a change."""
    return hashlib.sha256(key.encode()).hexdigest()[:10]


def default_limit(links: int) -> int:
    """The limit where no setting has one."""
    return max(LEAST, links // SHARE)


_KNOWN = tuple(one.name for one in fields(MassCount) if one.name != "unknown")


def count_to_json(count: MassCount) -> dict[str, Any]:
    """Return a count as plain JSON."""
    known = {name: to_builtins(getattr(count, name)) for name in _KNOWN}
    return {**count.unknown, **{name: list(one) if isinstance(one, tuple) else one for name, one in known.items()}}


def count_from_json(stored: Any) -> MassCount:  # noqa: ANN401 - JSON of any shape
    """Return a count from plain JSON. Raises ValueError."""
    if not isinstance(stored, dict):
        raise ValueError("a count is an object")  # noqa: TRY004 - the row is damaged, which is a ValueError here
    known = {name: stored[name] for name in _KNOWN if name in stored}
    return convert({**known, "unknown": {name: stored[name] for name in stored.keys() - known.keys()}}, MassCount)


def day_of(now: datetime) -> date:
    """The day of a time, UTC."""
    return now.astimezone(UTC).date()
