"""The org: saves under the service's checks, in its order, with its messages (reference/salesforce.md 2.11, 2.16)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emulators.salesforce.data.errors import ApiError, gone, no_such_field
from emulators.salesforce.data.hooks import Hooks, lock_error
from emulators.salesforce.data.record_ids import SHORT, Ids
from emulators.salesforce.data.save_rules import after_save, before_save
from emulators.salesforce.data.schema import Field, Kind, Model, Record, SObject
from emulators.salesforce.data.tables import Tables
from emulators.salesforce.data.validation_rules import Rule, check
from emulators.salesforce.data.values import convert, stamp


class Org(Tables):
    """Rows plus the rules of saving them. `by` is always the id of the user who saves."""

    def __init__(self, model: Model, now: Callable[[], datetime], seed: int) -> None:
        """An org without any row."""
        super().__init__(model, now)
        self.ids = Ids(seed)
        self.hooks = Hooks()
        self.rules: dict[str, Rule] = {}
        self.cloning = False  # whether the record inserted now is a copy that a person made with Clone
        self.began = now()

    # --- saving

    def insert(self, sobject: str, values: Mapping[str, Any], by: str, *, system: bool = False) -> str:
        """Create a record and return its id; `system` may set what only the service sets. Raises ApiError."""
        definition = self.model.get(sobject)
        written = self._converted(definition, values, creating=True, system=system)
        new = {f.name: f.default for f in definition.fields.values() if f.formula is None}
        new |= {"Id": self.ids.next(definition.prefix), "CreatedDate": self._second(), "CreatedById": by or None}
        if definition.find("OwnerId"):
            new["OwnerId"] = by
        with self.savepoint():
            self._save(definition, None, new | written, set(written), by)
        return str(new["Id"])

    def update(self, sobject: str, record_id: str, values: Mapping[str, Any], by: str, *, system: bool = False) -> None:
        """Change a record. Raises ApiError."""
        definition = self.model.get(sobject)
        old = self.alive(sobject, record_id)
        self._check_free(record_id)
        written = self._converted(definition, values, creating=False, system=system)
        with self.savepoint():
            self._save(definition, old, old | written, set(written), by)

    def delete(self, sobject: str, record_id: str, by: str) -> None:
        """Into the recycle bin, with all that depends on it; contact roles vanish for good. Raises ApiError."""
        self.alive(sobject, record_id)
        self._check_free(record_id)
        with self.savepoint():
            self._remove(sobject, record_id, by, hard=self.model.get(sobject).hard_delete)

    def undelete(self, sobject: str, record_id: str, by: str) -> None:
        """Out of the recycle bin again, with its dependants."""
        row = self.row(sobject, record_id)
        if row is None or not row["IsDeleted"]:
            raise ApiError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        with self.savepoint():
            self.store(sobject, record_id, row | {"IsDeleted": False, **self._touched(by)})
            for child, field in self._dependants(sobject):
                deleted = [r["Id"] for r in self.rows(child) if r["IsDeleted"] and r[field] == record_id]
                for each in deleted:
                    self.undelete(child, each, by)

    def touch(self, sobject: str, record_id: str) -> None:
        """A system change: SystemModstamp moves, LastModifiedDate stays (reference/salesforce.md 7.1)."""
        self.store(sobject, record_id, self.alive(sobject, record_id) | {"SystemModstamp": self._second()})

    # --- finding

    def alive(self, sobject: str, record_id: str) -> Record:
        """The row for a write. Raises ApiError: 404 with the code that tells deleted from unknown."""
        row = self.row(sobject, record_id)
        if row is None:
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if row["IsDeleted"]:
            raise gone()
        return row

    def picks(self, field: Field) -> list[tuple[str, str]]:
        """A picklist's (value, label) pairs; some lists are rows of the org."""
        if field.values_from == "CurrencyType":
            return [(r["IsoCode"], r["IsoCode"]) for r in self.rows("CurrencyType") if r["IsActive"]]
        if field.values_from:
            return [(r["ApiName"], r["MasterLabel"]) for r in self.rows(field.values_from) if r["IsActive"]]
        return list(field.values)

    # --- the steps of a save

    def _converted(self, definition: SObject, values: Mapping[str, Any], *, creating: bool, system: bool) -> Record:
        written: Record = {}
        for name, value in values.items():
            field = definition.find(name)
            if field is None:
                raise no_such_field(name, definition.name)
            if not system and (not field.writable or (field.fixed and not creating)):
                raise _read_only(field)
            picks = [pick for pick, _ in self.picks(field)] if field.restricted else ()
            written[field.name] = convert(field, value, picks)
        return written

    def _save(self, definition: SObject, old: Record | None, new: Record, written: set[str], by: str) -> None:
        new |= self._touched(by)
        before_save(self, definition.name, old, new, written)
        self._check_required(definition, new)
        self._check_references(definition, new, written)
        self.hooks.check_rules(definition.name, new, written)
        check(self.rules, definition, new, is_new=old is None, is_clone=self.cloning)
        self._check_unique(definition, new)
        self.store(definition.name, new["Id"], new)
        after_save(self, definition.name, new, by)

    def _touched(self, by: str) -> Record:
        now = self._second()
        return {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": by or None}

    def _second(self) -> str:
        return stamp(self.now().replace(microsecond=0))

    def _check_free(self, record_id: str) -> None:
        if self.held(record_id):
            raise lock_error("UNABLE_TO_LOCK_ROW", record_id)
        self.hooks.check_lock(record_id)

    @staticmethod
    def _check_required(definition: SObject, new: Record) -> None:
        missing = [f.name for f in definition.fields.values() if f.required and new[f.name] is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise ApiError(400, "REQUIRED_FIELD_MISSING", message, missing)

    def _check_references(self, definition: SObject, new: Record, written: set[str]) -> None:
        for name in written:
            field, value = definition.fields[name.lower()], new[name]
            if field.kind is Kind.REFERENCE and value is not None:
                self._check_parent(field, value)

    def _check_parent(self, field: Field, value: str) -> None:
        parent = self.model.get(field.refers)
        if not value.startswith(parent.prefix):
            message = f"{field.label}: id value of incorrect type: {value}"
            raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", message, [field.name])
        row = self.row(parent.name, value)
        if row is None:
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
        if row["IsDeleted"]:
            raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", [field.name])
        if parent.name == "User" and not row["IsActive"]:
            message = "operation performed with inactive user"
            raise ApiError(400, "INACTIVE_OWNER_OR_USER", message, [field.name])

    def _check_unique(self, definition: SObject, new: Record) -> None:
        for field in definition.fields.values():
            if not field.unique or new.get(field.name) is None:
                continue
            owner = self.owner_of(definition.name, field.name, new[field.name])
            if owner not in {None, new["Id"]}:
                text = f"duplicate value found: {field.name} duplicates value on record with id: {str(owner)[:SHORT]}"
                raise ApiError(400, "DUPLICATE_VALUE", text, [field.name])

    # --- deleting

    def _remove(self, sobject: str, record_id: str, by: str, *, hard: bool) -> None:
        for child, field in self._dependants(sobject):
            # A role goes to the bin only with its opportunity (reference/salesforce.md 2.16).
            with_parent = sobject == "Opportunity" or not self.model.get(child).hard_delete
            for row in list(self.lookup(child, field, record_id)):
                self._remove(child, row["Id"], by, hard=not with_parent)
        row = self.alive(sobject, record_id)
        self.store(sobject, record_id, None if hard else row | {"IsDeleted": True, **self._touched(by)})

    def _dependants(self, sobject: str) -> list[tuple[str, str]]:
        return [
            (child.name, field.name)
            for child in self.model
            for field in child.fields.values()
            if field.cascade and field.refers == sobject
        ]


def _read_only(field: Field) -> ApiError:
    message = (
        f"Unable to create/update fields: {field.name}. Please check the security settings of this field and verify "
        "that it is read/write for your profile or permission set."
    )
    return ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, [field.name])
