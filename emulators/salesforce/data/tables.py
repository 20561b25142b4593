"""Rows in memory with their indexes, an undo log for rollbacks, and rows that are stamped but not yet committed.

A stored row is never changed in place: a change stores a new one, so that an undo log of old rows is enough.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.salesforce.data.errors import not_found
from emulators.salesforce.data.schema import Field, Model, Record


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """Another's transaction: until its end readers see the row as it was before (None: not at all)."""

    until: datetime
    before: Record | None


class Tables:
    """All rows of the org."""

    def __init__(self, model: Model, now: Callable[[], datetime]) -> None:
        """`now` is the emulator's clock."""
        self.model = model
        self.now = now
        self.late: timedelta | None = None  # how long the rows stored now stay uncommitted
        self._rows: dict[str, dict[str, Record]] = {s.name: {} for s in model}
        self._index: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
        self._undo: list[tuple[str, str, Record | None]] = []
        self._uncommitted: dict[str, Uncommitted] = {}

    # --- reading what is committed

    def rows(self, sobject: str) -> Iterable[Record]:
        """All rows, deleted ones too, in the order of their creation."""
        stored = self._rows[sobject].values()
        if not self._pending():
            return stored
        return [row for row in map(self._seen, stored) if row is not None]

    def row(self, sobject: str, record_id: str) -> Record | None:
        """One row, deleted or not, as readers see it."""
        stored = self._rows[sobject].get(record_id)
        return self._seen(stored) if stored and self._uncommitted else stored

    def lookup(self, sobject: str, field: str, value: object) -> Iterator[Record]:
        """Rows, not deleted, whose indexed field has this value, in the order of their creation."""
        definition = self._definition(sobject, field)
        key = definition.key(value)
        if self._pending():
            same = (r for r in self.rows(sobject) if r[definition.name] is not None)
            yield from (r for r in same if definition.key(r[definition.name]) == key and not r["IsDeleted"])
            return
        # An index loses its order when a deletion is rolled back; ids rise with time.
        for record_id in sorted(self._index.get((sobject, definition.name), {}).get(key, ())):
            yield self._rows[sobject][record_id]

    def _seen(self, stored: Record) -> Record | None:
        pending = self._uncommitted.get(stored["Id"])
        return pending.before if pending and self.now() < pending.until else stored

    def _pending(self) -> bool:
        if self._uncommitted:
            now = self.now()
            self._uncommitted = {k: u for k, u in self._uncommitted.items() if now < u.until}
        return bool(self._uncommitted)

    # --- writing

    def held(self, record_id: str) -> bool:
        """Whether another's transaction still holds the row."""
        pending = self._uncommitted.get(record_id)
        return pending is not None and self.now() < pending.until

    def owner_of(self, sobject: str, field: str, value: object) -> str | None:
        """The id of a row, committed or not, that has this value of an indexed field."""
        definition = self._definition(sobject, field)
        return next(iter(self._index.get((sobject, definition.name), {}).get(definition.key(value), {})), None)

    def store(self, sobject: str, record_id: str, row: Record | None) -> None:
        """Store, replace or (None) remove a row; remembered for a rollback."""
        old = self._put(sobject, record_id, row)
        self._undo.append((sobject, record_id, old))
        if self.late is not None:
            self._uncommitted[record_id] = Uncommitted(self.now() + self.late, old)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All or nothing: an exception rolls back what was stored inside."""
        mark = self.mark()
        try:
            yield
        except BaseException:
            self.roll_back(mark)
            raise

    def mark(self) -> int:
        """A point to roll back to."""
        return len(self._undo)

    def roll_back(self, mark: int) -> None:
        """Undo everything stored since `mark`."""
        while len(self._undo) > mark:
            sobject, record_id, old = self._undo.pop()
            if self._put(sobject, record_id, old) is None:
                # Back from a hard deletion, and back in its place.
                self._rows[sobject] = dict(sorted(self._rows[sobject].items()))
            self._uncommitted.pop(record_id, None)

    def forget_undo(self) -> None:
        """A request is over: nothing before it can be rolled back any more."""
        self._undo.clear()

    def put_field(self, sobject: str, field: Field) -> None:
        """An administrator adds or changes a field: every row has it from now on, no stamp moves."""
        definition = self.model.get(sobject)
        old = definition.find(field.name)
        definition.add(field)
        table = self._rows[definition.name]
        for record_id, row in table.items():
            table[record_id] = _with_field(row, old, field)
        self._uncommitted = {
            record_id: Uncommitted(
                u.until, _with_field(u.before, old, field) if u.before and record_id in table else u.before
            )
            for record_id, u in self._uncommitted.items()
        }
        self._index.pop((definition.name, old.name if old else field.name), None)
        if field.indexed:
            for row in table.values():
                self._reindex(definition.name, [field], None, row)

    def _put(self, sobject: str, record_id: str, row: Record | None) -> Record | None:
        table = self._rows[sobject]
        old = table.get(record_id)
        indexed = [f for f in self.model.get(sobject).fields.values() if f.indexed]
        self._reindex(sobject, indexed, old, row)
        if row is None:
            table.pop(record_id, None)
        else:
            table[record_id] = row
        return old

    def _reindex(self, sobject: str, indexed: list[Field], old: Record | None, new: Record | None) -> None:
        for field in indexed:
            before, after = _indexed_value(old, field), _indexed_value(new, field)
            if before == after:
                continue
            index = self._index.setdefault((sobject, field.name), {})
            if old is not None and before is not None:
                index[before].pop(old["Id"], None)
            if new is not None and after is not None:
                index.setdefault(after, {})[new["Id"]] = None

    def _definition(self, sobject: str, field: str) -> Field:
        found = self.model.get(sobject).find(field)
        if found is None:
            raise not_found()
        return found


def _with_field(row: Record, old: Field | None, new: Field) -> Record:
    """The row with the value of an old field of that name, else the new one's default."""
    value = row[old.name] if old and old.formula is None else new.default
    kept = {name: each for name, each in row.items() if old is None or name != old.name}
    return kept if new.formula else {**kept, new.name: value}


def _indexed_value(row: Record | None, field: Field) -> str | None:
    if row is None or row["IsDeleted"] or row[field.name] is None:
        return None
    return field.key(row[field.name])
