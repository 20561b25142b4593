"""Refuse or change writes on demand: validation rules, flows and record locks that control calls set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from emulators.salesforce.data.errors import ApiError, Matches, duplicates_detected
from emulators.salesforce.data.schema import Record
from emulators.salesforce.data.subrequest_faults import SubrequestFault
from emulators.salesforce.data.validation_rules import DeployedRule

LOCKS = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record or 1 records: {id}",
    "ENTITY_IS_LOCKED": "This record is locked. If you need to edit it, contact your admin.",
}


def lock_error(code: str, record_id: str) -> ApiError:
    """The record is locked, by another transaction or by an approval; `code` is a key of LOCKS."""
    return ApiError(400, code, LOCKS[code].format(id=record_id), [])


@dataclass(slots=True)
class ValidationRule:
    """Refuses saves that write `field`. `id` limits it to one record, `value` to one value, `times` to a number."""

    sobject: str
    field: str
    message: str
    id: str | None = None
    value: Any = None
    times: int | None = None

    def forbids_save(self, sobject: str, record: Record, written: set[str]) -> bool:
        """Whether the rule refuses this save. Each refusal uses up one of `times`."""
        matches = (
            self.sobject == sobject
            and self.times != 0
            and self.field in written
            and self.id in {None, record["Id"]}
            and self.value in (None, record[self.field])
        )
        if matches and self.times is not None:
            self.times -= 1
        return matches


@dataclass(slots=True)
class Flow:
    """A before-save flow of the org: it sets `values` in each save of the object, as the user who saves.

    `on` limits it to inserts or updates, `when` to records that hold these values, `times` to a number of saves.
    """

    sobject: str
    values: Mapping[str, Any]
    on: Literal["insert", "update"] | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = None

    def applies_to(self, sobject: str, record: Record, *, is_new: bool) -> bool:
        """Whether the flow runs in this save. Each run uses up one of `times`."""
        matches = (
            self.sobject == sobject
            and self.times != 0
            and self.on in (None, "insert" if is_new else "update")
            and all(record[name] == value for name, value in self.when.items())
        )
        if matches and self.times is not None:
            self.times -= 1
        return matches


@dataclass(slots=True)
class Lock:
    """Refuses the next `times` writes to one record; None: until the lock is removed."""

    code: str
    times: int | None = None


@dataclass(slots=True)
class Hooks:
    """The rules, flows and locks that are in force; `locks` has record ids as keys.

    `formula_rules` are checked at every save, like deployed rules. `duplicates` are the records that a duplicate rule
    finds whenever a record of an object is created, by object. `subrequests` fails subrequests of a Composite or graph.
    """

    rules: list[ValidationRule] = field(default_factory=list)
    formula_rules: list[DeployedRule] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    locks: dict[str, Lock] = field(default_factory=dict)
    duplicates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    subrequests: list[SubrequestFault] = field(default_factory=list)

    def check_duplicates(self, sobject: str, version: str) -> None:
        """Raise DUPLICATES_DETECTED if a rule finds records (docs/reference/salesforce.md#duplicate-rules)."""
        if found := self.duplicates.get(sobject):
            raise duplicates_detected(sobject, [Matches(sobject, "Own_Match_Rule", found)], version)

    def check_lock(self, record_id: str) -> None:
        """Raise ApiError if the record is locked."""
        lock = self.locks.get(record_id)
        if lock is None or lock.times == 0:
            return
        if lock.times is not None:
            lock.times -= 1
        raise lock_error(lock.code, record_id)

    def values_of_flows(self, sobject: str, record: Record, *, is_new: bool) -> Record:
        """The values that the flows set in this save, in their order."""
        values: Record = {}
        for flow in self.flows:
            if flow.applies_to(sobject, record | values, is_new=is_new):
                values |= flow.values
        return values

    @property
    def all_rules(self) -> list[ValidationRule | DeployedRule]:
        """The rules of both kinds."""
        return [*self.rules, *self.formula_rules]

    def remove_rules(self, message: str) -> None:
        """Remove the rules with this message. Raises ValueError if there is none."""
        if all(rule.message != message for rule in self.all_rules):
            raise ValueError(f"no rule has the message {message!r}; GET validation_rule lists the rules")
        self.rules[:] = [rule for rule in self.rules if rule.message != message]
        self.formula_rules[:] = [rule for rule in self.formula_rules if rule.message != message]

    def clear(self) -> None:
        """Remove all rules, flows, locks and faults of subrequests."""
        self.subrequests.clear()
        self.duplicates.clear()
        self.rules.clear()
        self.formula_rules.clear()
        self.flows.clear()
        self.locks.clear()

    def check_rules(self, sobject: str, record: Record, written: set[str]) -> None:
        """Raise FIELD_CUSTOM_VALIDATION_EXCEPTION with the message of the first rule that forbids the save."""
        for rule in self.rules:
            if rule.forbids_save(sobject, record, written):
                raise ApiError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field])
