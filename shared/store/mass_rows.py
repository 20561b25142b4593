"""Store the counts of mass changes as rows, and what of them an operator has approved.

partition   key                           row
mass        <kind>|<side>                 the count of one kind of changes (`mass_counts.py`)
mass        value|<side>|<field>|<mark>   the same for one value of a field
mass        links                         how many links there were at the first question of a day

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.store.mass_counts import (
    LEAST,
    MassCount,
    count_from_json,
    count_to_json,
    day_of,
    default_limit,
)
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Put, Replace, Row, Rows

MASS, LINKS = "mass", "links"
TRIES = 20
"""How often a count is written again after another instance was first."""


class MassRows:
    """Part of `shared.store.link_store.LinkStore`: the counts of mass changes."""

    _rows: Rows

    def let_changes_go(
        self,
        name: str,
        changes: Mapping[str, str],
        now: datetime,
        limit: int | None,
        *,
        made: Sequence[str] = (),
    ) -> tuple[frozenset[str], MassCount]:
        """Count changes before they are made; returns those that may be made now, and the count.

        `changes` has the id of each deal, by the key of its change. `made` are changes that were made already. Raises
        StoreConflict, StoreUnavailable, UnreadableRow.
        """
        for _ in range(TRIES):
            row = self._rows.get(MASS, name)
            stored = _count_from(row) if row else MassCount(day_of(now))
            before = stored.on(day_of(now)).counted(made)
            allowed = limit or (LEAST if before.count + len(changes) <= LEAST else self._limit_of(now))
            after, granted = before.let_go(list(changes), allowed, now)
            stopped = [deal for key, deal in changes.items() if key not in granted]
            if stopped:
                after = after.with_stopped(stopped, allowed, now)
            if after == stored or self._replace(name, row, after):
                return granted, after
        raise StoreConflict

    def mass_counts(self) -> Mapping[str, MassCount]:
        """Return all counts, by name. One that cannot be read is left out."""
        found: dict[str, MassCount] = {}
        for row in self._rows.list(MASS):
            if row.key != LINKS and (count := _readable(row)) is not None:
                found[row.key] = count
        return found

    def approve_changes(self, name: str, number: int, now: datetime) -> None:
        """Let so many changes go: those that an operator has seen and confirmed. Raises StoreConflict."""
        self._change(name, lambda count: count.with_approval(number, now), now)

    def release_changes(self, name: str, now: datetime) -> None:
        """End a stop for which nothing waits any more. The count of the day stays. Raises StoreConflict."""
        self._change(name, lambda count: count.released(), now)

    def forget_counts(self, now: datetime) -> None:
        """Delete the counts of earlier days with which nothing is done any more: the key of one names a value.

        A count that another instance changes meanwhile stays. Raises StoreUnavailable.
        """
        for row in self._rows.list(MASS):
            count = _readable(row) if row.key != LINKS else None
            if count is not None and count.is_over(now):
                with suppress(StoreConflict):
                    self._rows.write(MASS, [Delete(row.key, row.etag)])

    def _change(self, name: str, change: Callable[[MassCount], MassCount], now: datetime) -> None:
        for _ in range(TRIES):
            row = self._rows.get(MASS, name)
            known = (_count_from(row) if row else MassCount(day_of(now))).on(day_of(now))
            if self._replace(name, row, change(known)):
                return
        raise StoreConflict

    def _replace(self, name: str, row: Row | None, count: MassCount) -> bool:
        data = pack(count_to_json(count))
        try:
            self._rows.write(MASS, [Replace(name, data, row.etag) if row else Insert(name, data)])
        except StoreConflict:
            return False
        return True

    def _limit_of(self, now: datetime) -> int:
        """The default limit, by the number of links, which are counted once a day."""
        row, day = self._rows.get(MASS, LINKS), day_of(now).isoformat()
        known = unpack(row.data) if row else {}
        if known.get("day") != day:
            known = {"day": day, "count": sum(1 for _ in self._rows.scan("O|", "link"))}
            self._rows.write(MASS, [Put(LINKS, pack(known))])
        return default_limit(int(known["count"]))


def _count_from(row: Row) -> MassCount:
    try:
        return count_from_json(unpack(row.data))
    except ValueError:
        raise UnreadableRow("the count of mass changes is damaged", remedy=f"delete the row {MASS}/{row.key}") from None


def _readable(row: Row) -> MassCount | None:
    try:
        return _count_from(row)
    except UnreadableRow:
        return None
