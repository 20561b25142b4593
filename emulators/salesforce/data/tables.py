"""Hold all records of the org in memory, with indexes, rollback, and changes that become visible later.

A stored record is never changed in place. A change stores a new dict, so that a log of the old ones is enough to roll
back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.salesforce.data.errors import not_found
from emulators.salesforce.data.schema import Field, Model, Record, SObject


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """An open transaction of another user. Until it ends, readers get `previous` (None: no record)."""

    until: datetime
    previous: Record | None


class Tables:
    """The records of every object, deleted ones included."""

    def __init__(self, model: Model, now: Callable[[], datetime]) -> None:
        """`now` is the emulator's clock."""
        self.model = model
        self.now = now
        self.commit_lag: timedelta | None = None  # how long changes stored now stay uncommitted
        self._records: dict[str, dict[str, Record]] = {sobject.name: {} for sobject in model}
        self._index: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
        self._undo_log: list[tuple[str, str, Record | None]] = []
        self._uncommitted: dict[str, Uncommitted] = {}
        self.schema_changed_at = now()

    # --- reading what is committed

    def stored_records(self, sobject: str) -> Iterable[Record]:
        """All records of an object, deleted ones included, in the order of their creation."""
        stored = self._records[sobject].values()
        if not self._has_uncommitted():
            return stored
        return [record for record in map(self._committed_version, stored) if record is not None]

    def stored_record(self, sobject: str, record_id: str) -> Record | None:
        """One record, deleted or not; None if no such record is committed."""
        stored = self._records[sobject].get(record_id)
        return self._committed_version(stored) if stored and self._uncommitted else stored

    def records_by_value(self, sobject: str, field: str, value: object) -> Iterator[Record]:
        """The records, not deleted, whose indexed field has this value, in the order of their creation."""
        definition = self._field_definition(sobject, field)
        key = definition.index_key(value)
        ids = self._index.get((sobject, definition.name), {}).get(key, {})
        # An index loses its order when a deletion is rolled back. Ids rise with time, so sorting restores it.
        if not self._has_uncommitted():
            yield from (self._records[sobject][record_id] for record_id in sorted(ids))
            return
        # The index knows what is stored. Before an open transaction, a record may have had this value, or not.
        stored = (self._records[sobject].get(record_id) for record_id in sorted({*ids, *self._uncommitted}))
        for record in (self._committed_version(each) for each in stored if each):
            if record is not None and _index_key(record, definition) == key:
                yield record

    def _committed_version(self, stored: Record) -> Record | None:
        pending = self._uncommitted.get(stored["Id"])
        return pending.previous if pending and self.now() < pending.until else stored

    def _has_uncommitted(self) -> bool:
        if self._uncommitted:
            now = self.now()
            self._uncommitted = {k: u for k, u in self._uncommitted.items() if now < u.until}
        return bool(self._uncommitted)

    # --- writing

    def is_held(self, record_id: str) -> bool:
        """Whether the open transaction of another user holds the record."""
        pending = self._uncommitted.get(record_id)
        return pending is not None and self.now() < pending.until

    def id_with_value(self, sobject: str, field: str, value: object) -> str | None:
        """The id of a record, committed or not, whose indexed field has this value."""
        definition = self._field_definition(sobject, field)
        ids = self._index.get((sobject, definition.name), {}).get(definition.index_key(value), {})
        return next(iter(ids), None)

    def put(self, sobject: str, record_id: str, record: Record | None) -> None:
        """Store or replace a record, or remove it for good (None). `roll_back` can undo it."""
        old = self._replace_record(sobject, record_id, record)
        self._undo_log.append((sobject, record_id, old))
        if self.commit_lag is not None:
            self._uncommitted[record_id] = Uncommitted(self.now() + self.commit_lag, old)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back everything that was stored inside if an exception leaves the block."""
        position = self.undo_position()
        try:
            yield
        except BaseException:
            self.roll_back(position)
            raise

    def undo_position(self) -> int:
        """The present position in the undo log, for `roll_back`."""
        return len(self._undo_log)

    def roll_back(self, position: int) -> None:
        """Undo everything that was stored since this position."""
        while len(self._undo_log) > position:
            sobject, record_id, old = self._undo_log.pop()
            if self._replace_record(sobject, record_id, old) is None:
                # A record that was removed for good returns to its place in the order of creation.
                self._records[sobject] = dict(sorted(self._records[sobject].items()))
            self._uncommitted.pop(record_id, None)

    def clear_undo_log(self) -> None:
        """End a request: nothing before this moment can be rolled back any more."""
        self._undo_log.clear()

    def add_object(self, sobject: SObject) -> None:
        """Add an object without records."""
        self.schema_changed_at = self.now()
        self.model.add_object(sobject)
        self._records[sobject.name] = {}

    def remove_object(self, name: str) -> None:
        """Remove an object with its records. Nothing brings them back."""
        self.schema_changed_at = self.now()
        self.model.remove_object(name)
        del self._records[name]
        self._index = {key: index for key, index in self._index.items() if key[0] != name}

    def put_field(self, sobject: str, field: Field) -> None:
        """Add or change a field of an object. Every record has it at once, and no stamp of a record changes."""
        self.schema_changed_at = self.now()
        definition = self.model.get(sobject)
        old = definition.find_field(field.name)
        definition.add_fields(field)
        self.model.link_to_parent(definition, field)
        table = self._records[definition.name]
        for record_id, record in table.items():
            table[record_id] = _with_field(record, old, field)
        self._uncommitted = {
            record_id: Uncommitted(
                u.until, _with_field(u.previous, old, field) if u.previous and record_id in table else u.previous
            )
            for record_id, u in self._uncommitted.items()
        }
        self._index.pop((definition.name, old.name if old else field.name), None)
        if field.is_indexed:
            for record in table.values():
                self._update_index(definition.name, [field], None, record)

    def _replace_record(self, sobject: str, record_id: str, record: Record | None) -> Record | None:
        """Replace a record in table and index; returns the old one."""
        table = self._records[sobject]
        old = table.get(record_id)
        indexed = [each for each in self.model.get(sobject).fields.values() if each.is_indexed]
        self._update_index(sobject, indexed, old, record)
        if record is None:
            table.pop(record_id, None)
        else:
            table[record_id] = record
        return old

    def _update_index(self, sobject: str, fields: list[Field], old: Record | None, new: Record | None) -> None:
        for field in fields:
            old_key, new_key = _index_key(old, field), _index_key(new, field)
            if old_key == new_key:
                continue
            index = self._index.setdefault((sobject, field.name), {})
            if old is not None and old_key is not None:
                index[old_key].pop(old["Id"], None)
            if new is not None and new_key is not None:
                index.setdefault(new_key, {})[new["Id"]] = None

    def _field_definition(self, sobject: str, name: str) -> Field:
        field = self.model.get(sobject).find_field(name)
        if field is None:
            raise not_found()
        return field


def _with_field(record: Record, old: Field | None, new: Field) -> Record:
    """A copy of the record with the new field: the value of the old field of that name, or the default."""
    value = record[old.name] if old and old.formula is None else new.default
    others = {name: each for name, each in record.items() if old is None or name != old.name}
    return others if new.formula else {**others, new.name: value}


def _index_key(record: Record | None, field: Field) -> str | None:
    if record is None or record["IsDeleted"] or record[field.name] is None:
        return None
    return field.index_key(record[field.name])
