"""Save, delete and restore records of the org under the checks of the service, in its order and with its messages.

The sources: docs/reference/salesforce.md#error-codes and docs/reference/salesforce.md#standard-objects.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from emulators.salesforce.data.errors import ApiError, field_not_writable, no_such_field, record_deleted
from emulators.salesforce.data.foreign_keys import with_ids_of_parents
from emulators.salesforce.data.hooks import Hooks, lock_error
from emulators.salesforce.data.org_switch import Caller, OrgSwitch, Save
from emulators.salesforce.data.permissions import Rights, visible_model
from emulators.salesforce.data.record_ids import SHORT, RecordIds
from emulators.salesforce.data.record_types import RecordTypes
from emulators.salesforce.data.references import cascading_fields, check_not_referenced, emptied_fields
from emulators.salesforce.data.save_rules import changes_after_save, complete_before_save
from emulators.salesforce.data.schema import Field, Kind, Model, Record, SObject
from emulators.salesforce.data.sharing import Access, Sharing
from emulators.salesforce.data.tables import Tables
from emulators.salesforce.data.validation_rules import DeployedRule, check_deployed_rules
from emulators.salesforce.data.values import format_stamp, stored_value

DELETED_WITH = "deleted with"
"""The key, beside the fields, for the id of the record with which one was deleted: both come back together."""


class Org(Tables):
    """The records and the rules for saving them. `user` is always the id of the user who saves."""

    def __init__(self, model: Model, now: Callable[[], datetime], seed: int) -> None:
        """Start without records; `seed` decides the ids."""
        super().__init__(model, now)
        self.ids = RecordIds(seed)
        self.hooks = Hooks()
        self.deployed_rules: dict[str, DeployedRule] = {}
        self.record_types = RecordTypes()
        self.sharing = Sharing()
        self.notifications: list[dict[str, Any]] = []  # the inputs of the custom notifications that were sent
        self.switches: list[OrgSwitch] = [self.record_types]
        self.caller = Caller()
        self.rights_of: Callable[[str], Rights | None] = lambda _: None  # None: the user has all rights
        self.seen = model  # the part of the schema that the present caller sees
        self.rights: Rights | None = None  # those of the present caller; None: all
        self.setup_viewers: set[str] = set()  # the ids of the users with View Setup and Configuration
        self.is_cloning = False  # whether the insert that runs now copies a record by the Clone button
        self.started_at = now()

    def put_switch(self, switch: OrgSwitch) -> None:
        """Turn a switch on; it replaces the one of its kind."""
        self.switches = [each for each in self.switches if type(each) is not type(switch)] + [switch]

    @contextmanager
    def called_by(self, caller: Caller) -> Iterator[None]:
        """Make all calls in the block those of this caller, who sees and may change what their rights allow."""
        before = self.caller, self.seen, self.rights
        self.rights = self.rights_of(caller.user)
        seen = self.model if self.rights is None else visible_model(self.model, self.rights)
        self.caller, self.seen = caller, seen if caller.user in self.setup_viewers else seen.without_setup_views()
        try:
            yield
        finally:
            self.caller, self.seen, self.rights = before

    # --- saving

    def insert(self, sobject: str, values: Mapping[str, Any], user: str, *, system: bool = False) -> str:
        """Create a record and return its id. `system` allows fields that only the service sets. Raises ApiError."""
        definition = self.model.get(sobject)
        view = self._view(definition, system=system)
        self._check_administrator(definition)
        if not view.createable:
            raise _right_missing(definition, "inserted")
        written = self._convert_values(view, values, creating=True, system=system)
        for switch in self.switches:
            if twin := switch.twin_of(self, definition.name, written):
                changed = {name: value for name, value in written.items() if not definition.fields[name.lower()].fixed}
                self.update(sobject, twin, changed, user, system=system)
                return twin
        new = {field.name: field.default for field in definition.fields.values() if field.formula is None}
        new |= {"Id": self.ids.next_id(definition.prefix), "CreatedDate": self._current_second()}
        new["CreatedById"] = user or None
        if definition.find_field("OwnerId"):
            new["OwnerId"] = user
        if definition.auto_number:
            new["Name"] = self.ids.next_number(definition.prefix, definition.auto_number)
        elif definition.name.endswith("__c"):
            new["Name"] = new["Id"]  # unless the caller names it
        self._check_parent_not_locked(definition, new | written)
        with self.savepoint():
            if not self.caller.allows_duplicates:
                self.hooks.check_duplicates(definition.name, self.caller.version)
            self._save_record(definition, None, new | written, set(written), user)
        return str(new["Id"])

    def update(
        self, sobject: str, record_id: str, values: Mapping[str, Any], user: str, *, system: bool = False
    ) -> None:
        """Change a record. `system` allows fields that only the service sets. Raises ApiError."""
        definition = self.model.get(sobject)
        old = self.existing_record(sobject, record_id)
        self._check_access(sobject, old, Access.EDIT)
        self._check_not_locked(record_id)
        self._check_parent_not_locked(definition, old)
        view = self._view(definition, system=system)
        if not view.updateable:
            raise _right_missing(definition, "updated")
        written = self._convert_values(view, values, creating=False, system=system)
        with self.savepoint():
            self._save_record(definition, old, old | written, set(written), user)

    def delete(self, sobject: str, record_id: str, user: str) -> None:
        """Move a record and its dependants to the recycle bin; remove a contact role for good. Raises ApiError."""
        definition = self.model.get(sobject)
        self._check_administrator(definition)
        if not self._view(definition, system=False).deletable:
            raise _right_missing(definition, "deleted")
        record = self.existing_record(sobject, record_id)
        self._check_access(sobject, record, Access.EDIT if definition.master else Access.FULL)
        self._check_not_locked(record_id)
        self._check_parent_not_locked(definition, record)
        check_not_referenced(self, sobject, record)
        for switch in self.switches:
            switch.check_deletion(sobject, record)
        with self.savepoint():
            self._delete_tree(sobject, record_id, user, record_id, hard=definition.hard_delete)

    def undelete(self, sobject: str, record_id: str, user: str) -> None:
        """Restore a record from the recycle bin, with its dependants. Raises ApiError."""
        record = self.stored_record(sobject, record_id)
        if record is None or not record["IsDeleted"]:
            raise ApiError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        with self.savepoint():
            self.put(sobject, record_id, record | {"IsDeleted": False, DELETED_WITH: "", **self._change_stamps(user)})
            for child, field in cascading_fields(self.model, sobject):
                gone = (each for each in self.stored_records(child) if each["IsDeleted"] and each[field] == record_id)
                for each in [each["Id"] for each in gone if each.get(DELETED_WITH) == record.get(DELETED_WITH)]:
                    self.undelete(child, each, user)

    def touch(self, sobject: str, record_id: str) -> None:
        """Make a system change: SystemModstamp changes, LastModifiedDate does not. Raises ApiError.

        The difference: docs/reference/salesforce.md#changes-and-their-stamps.
        """
        record = self.existing_record(sobject, record_id)
        self.put(sobject, record_id, record | {"SystemModstamp": self._current_second()})

    # --- reading

    def existing_record(self, sobject: str, record_id: str) -> Record:
        """The record for a write. Raises ApiError (404); its code tells a deleted record from an unknown one."""
        record = self.stored_record(sobject, record_id)
        if record is None or not self.is_readable(sobject, record):
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if record["IsDeleted"]:
            raise record_deleted()
        return record

    def is_readable(self, sobject: str, record: Record) -> bool:
        """Whether sharing lets the present caller read a record."""
        return self._access(sobject, record) > Access.NONE

    def offers_record_type(self, record_type: Record) -> bool:
        """Whether the present caller may choose a record type, which must be active."""
        name = f"{record_type['SobjectType']}.{record_type['DeveloperName']}".lower()
        return bool(record_type["IsActive"]) and (self.rights is None or name in self.rights.record_types)

    def readable_records(self, sobject: str, records: Iterable[Record]) -> Iterable[Record]:
        """Those of the records that sharing lets the present caller read."""
        if not self.sharing.limits(self.model.get(sobject), self.caller.user):
            return records
        return (each for each in records if self.is_readable(sobject, each))

    def _access(self, sobject: str, record: Record) -> Access:
        if not self.sharing.limits(self.model.get(sobject), self.caller.user):
            return Access.FULL
        view = self.seen.find_object(sobject)
        if view is None:
            return Access.NONE
        if view.master is None or view.modify_all:
            return self.sharing.access(self, view, record, self.caller.user)
        parent = self.stored_record(view.master.refers, record[view.master.name])
        found = self._access(view.master.refers, parent) if parent else Access.NONE
        return max(found, Access.READ) if view.view_all else found

    def picklist_values(self, field: Field) -> list[tuple[str, str]]:
        """The (value, label) pairs of a picklist. Stages and currencies are records of the org."""
        if field.values_from == "CurrencyType":
            return [(r["IsoCode"], r["IsoCode"]) for r in self.stored_records("CurrencyType") if r["IsActive"]]
        if field.values_from:
            records = self.stored_records(field.values_from)
            return [(r["ApiName"], r["MasterLabel"]) for r in records if r["IsActive"]]
        return list(field.values)

    # --- the steps of a save

    def _view(self, definition: SObject, *, system: bool) -> SObject:
        """The object as the caller sees it; the whole object if the service itself saves."""
        return definition if system else self.seen.get(definition.name)

    def _convert_values(
        self, definition: SObject, values: Mapping[str, Any], *, creating: bool, system: bool
    ) -> Record:
        """The values in stored form, by the field names of the schema. Raises ApiError."""
        written: Record = {}
        for name, value in with_ids_of_parents(self, self.seen, definition, values).items():
            field = definition.find_field(name)
            if field is None:
                raise no_such_field(name, definition.name)
            if not system and (not field.writable or (field.fixed and not creating)):
                raise field_not_writable(field.name)
            allowed = [pick for pick, _ in self.picklist_values(field)] if field.restricted else ()
            written[field.name] = stored_value(field, value, allowed)
        return written

    def _save_record(self, definition: SObject, old: Record | None, new: Record, written: set[str], user: str) -> None:
        new |= self._change_stamps(user)
        if set_by_flows := self.hooks.values_of_flows(definition.name, new, is_new=old is None):
            new |= self._convert_values(definition, set_by_flows, creating=old is None, system=False)
            written = written | set(set_by_flows)
        complete_before_save(self, definition.name, old, new, written)
        save = Save(
            self, definition, old, new, frozenset(written), user, self.caller, self.is_readable, self.offers_record_type
        )
        for switch in self.switches:
            switch.complete(save)
        self._check_required(definition, new)
        self._check_references(definition, new, written)
        self.hooks.check_rules(definition.name, new, written)
        rules = (*self.deployed_rules.values(), *self.hooks.formula_rules)
        check_deployed_rules(rules, definition, new, is_new=old is None, is_clone=self.is_cloning)
        for switch in self.switches:
            switch.check(save)
        self._check_unique(definition, new)
        self.put(definition.name, new["Id"], new)
        for switch in self.switches:
            switch.follow(save, self)
        for sobject, record_id, values in changes_after_save(self, definition.name, new):
            self.update(sobject, record_id, values, user)

    def _check_administrator(self, definition: SObject) -> None:
        if definition.by_administrators and self.caller.user not in {"", *self.sharing.administrators}:
            message = f"entity type cannot be inserted: {definition.label}"
            raise ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])

    def _check_access(self, sobject: str, record: Record, needed: Access) -> None:
        if self._access(sobject, record) < needed:
            message = "insufficient access rights on object id"
            raise ApiError(403, "INSUFFICIENT_ACCESS_OR_READONLY", message, [])

    def _change_stamps(self, user: str) -> Record:
        now = self._current_second()
        return {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user or None}

    def _current_second(self) -> str:
        return format_stamp(self.now().replace(microsecond=0))

    def _check_not_locked(self, record_id: str) -> None:
        if self.is_held(record_id):
            raise lock_error("UNABLE_TO_LOCK_ROW", record_id)
        self.hooks.check_lock(record_id)

    def _check_parent_not_locked(self, definition: SObject, record: Record) -> None:
        """A save or a deletion of a detail locks its parent too."""
        if definition.master and definition.master.is_custom and record[definition.master.name]:
            self._check_not_locked(record[definition.master.name])

    @staticmethod
    def _check_required(definition: SObject, new: Record) -> None:
        missing = [field.name for field in definition.fields.values() if field.required and new[field.name] is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise ApiError(400, "REQUIRED_FIELD_MISSING", message, missing)

    def _check_references(self, definition: SObject, new: Record, written: set[str]) -> None:
        for name in written:
            field, value = definition.fields[name.lower()], new[name]
            if field.kind is Kind.REFERENCE and value is not None:
                self._check_parent(definition, field, value)

    def _check_parent(self, child: SObject, field: Field, value: str) -> None:
        parent = self.model.get(field.refers)
        if not value.startswith(parent.prefix):
            message = f"{field.label}: id value of incorrect type: {value}"
            raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", message, [field.name])
        record = self.stored_record(parent.name, value)
        if record is None:
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
        if record["IsDeleted"]:
            raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", [field.name])
        follows = field.is_master or self.sharing.follows(child.name, parent.name)
        needed = Access.EDIT if follows else Access.READ
        if self.seen.find_object(parent.name) is None or self._access(parent.name, record) < needed:
            message = f"insufficient access rights on cross-reference id: {value[:SHORT]}"
            raise ApiError(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, [])
        if parent.name == "User" and not record["IsActive"]:
            message = "operation performed with inactive user"
            raise ApiError(400, "INACTIVE_OWNER_OR_USER", message, [field.name])
        if field.name == "OwnerId":
            self._check_owner(child.name, record)

    def _check_owner(self, sobject: str, user: Record) -> None:
        """Refuse a new owner who is no person, or who may not read such records."""
        if user["UserType"] not in {None, "Standard"}:
            message = "Operation not valid for this user type"
            raise ApiError(400, "OP_WITH_INVALID_USER_TYPE_EXCEPTION", message, ["OwnerId"])
        rights = self.rights_of(user["Id"])
        if rights is not None and not rights.on_object(sobject).read:
            raise ApiError(400, "TRANSFER_REQUIRES_READ", "The new owner must have read permission", [])

    def _check_unique(self, definition: SObject, new: Record) -> None:
        for field in definition.fields.values():
            if not field.unique or new.get(field.name) is None:
                continue
            other = self.id_with_value(definition.name, field.name, new[field.name])
            if other not in {None, new["Id"]}:
                record = self.stored_record(definition.name, str(other))
                if record and not self.is_readable(definition.name, record):
                    text = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
                    raise ApiError(400, "DUPLICATE_VALUE", text, [])
                text = f"duplicate value found: {field.name} duplicates value on record with id: {str(other)[:SHORT]}"
                raise ApiError(400, "DUPLICATE_VALUE", text, [field.name])

    # --- deleting

    def _delete_tree(self, sobject: str, record_id: str, user: str, root: str, *, hard: bool) -> None:
        """Delete a record and its dependants together with the record `root`."""
        for child, field in cascading_fields(self.model, sobject):
            # A contact role enters the recycle bin only together with its opportunity
            # (docs/reference/salesforce.md#opportunitycontactrole).
            to_bin = sobject == "Opportunity" or not self.model.get(child).hard_delete
            for record in list(self.records_by_value(child, field, record_id)):
                self._delete_tree(child, record["Id"], user, root, hard=not to_bin)
        for child, field in emptied_fields(self.model, sobject):
            for record in list(self.records_by_value(child, field, record_id)):
                self.put(child, record["Id"], record | {field: None})
        record = self.existing_record(sobject, record_id)
        binned = record | {"IsDeleted": True, DELETED_WITH: root, **self._change_stamps(user)}
        self.put(sobject, record_id, None if hard else binned)


def _right_missing(definition: SObject, done: str) -> ApiError:
    message = f"entity type cannot be {done}: {definition.label}"
    return ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
