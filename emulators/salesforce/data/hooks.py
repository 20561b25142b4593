"""What an org's administrators and its other traffic put in the way of a write, set by control calls."""

from dataclasses import dataclass, field
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Record

LOCKS = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record or 1 records: {id}",
    "ENTITY_IS_LOCKED": "This record is locked. If you need to edit it, contact your admin.",
}


def lock_error(code: str, record_id: str) -> ApiError:
    """The record is held: by another transaction, or by an approval."""
    return ApiError(400, code, LOCKS[code].format(id=record_id), [])


@dataclass(slots=True)
class ValidationRule:
    """Refuses saves that write `field` (of `id` only, to `value` only, where given), `times` times (None: for ever)."""

    sobject: str
    field: str
    message: str
    id: str | None = None
    value: Any = None
    times: int | None = None

    def refuses(self, sobject: str, record: Record, written: set[str]) -> bool:
        """Whether the rule strikes this save; counts down."""
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
class Lock:
    """Holds one record for the next `times` writes (None: until it is released)."""

    code: str
    times: int | None = None


@dataclass(slots=True)
class Hooks:
    """All that stands in the way at present."""

    rules: list[ValidationRule] = field(default_factory=list)
    locks: dict[str, Lock] = field(default_factory=dict)

    def check_lock(self, record_id: str) -> None:
        """Raises ApiError where the record is held."""
        lock = self.locks.get(record_id)
        if lock is None or lock.times == 0:
            return
        if lock.times is not None:
            lock.times -= 1
        raise lock_error(lock.code, record_id)

    def check_rules(self, sobject: str, record: Record, written: set[str]) -> None:
        """Raises FIELD_CUSTOM_VALIDATION_EXCEPTION with the administrator's text."""
        for rule in self.rules:
            if rule.refuses(sobject, record, written):
                raise ApiError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field])
