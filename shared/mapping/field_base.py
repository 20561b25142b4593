"""Defines the keys and the translation methods that all field types of the mapping file have."""

import hashlib
from typing import Annotated, Any, ClassVar, Literal, override

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from shared.domain.cause import Cause
from shared.domain.deal import Side, Value
from shared.domain.field_rules import Direction, Rule
from shared.mapping.paths import Json, replace_operation, set_value

ReferralPath = Annotated[
    str, Field(pattern=r"^(/[A-Za-z][A-Za-z0-9]*)+$", description="a path in the referral, such as /details/dealValue")
]
SalesforcePath = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="a column of the opportunity, such as Amount or Account.Name",
    ),
]


_NOT_READ = {"label", "direction", "when", "winner", "clearable", "default_days", "convert"}
"""The keys that do not decide how a value is read."""


class UnreadableValue(Exception):
    """A side holds a value that the deal cannot carry; `cause` says what the seller can do.

    `rest` is what can be read of it all the same, if that is of use.
    """

    def __init__(self, reason: Cause, rest: Value | None = None) -> None:
        """Keep the cause of the refusal, and the rest of the value."""
        super().__init__(reason.code)
        self.cause, self.rest = reason, rest


class MappingTable(BaseModel):
    """A table of the mapping file.

    Only `MappingFile` checks a file, so pydantic builds no validator for the single tables (`defer_build`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class FieldBase(MappingTable):
    """The keys that all fields share. Their meaning: docs/mapping.md#keys-of-every-field.

    An optional field is absent from a deal where it is empty, or where the integration user may not see its column.
    """

    is_optional: ClassVar[bool] = False
    label: str = Field(min_length=1)
    direction: Direction = Direction.BOTH
    when: tuple[Literal["create", "update"], ...] = ("create", "update")
    winner: Side = Side.SALESFORCE
    clearable: frozenset[Side] = frozenset()

    @field_serializer("clearable")
    def _sorted_sides(self, sides: frozenset[Side]) -> list[Side]:
        """Sort the sides. The order of a set differs between processes, and the hash of the file must not."""
        return sorted(sides)

    def to_rule(self, name: str) -> Rule:
        """Return what the domain needs to know about this field."""
        return Rule(
            name,
            self.label,
            self.direction,
            on_create="create" in self.when,
            on_update="update" in self.when,
            winner=self.winner,
            clearable=self.clearable,
            source=hashlib.sha256(self.model_dump_json(exclude=_NOT_READ).encode()).hexdigest()[:8],
        )

    def select_items(self) -> tuple[str, ...]:
        """Return the SOQL select items that this field reads."""
        raise NotImplementedError

    def columns(self) -> tuple[str, ...]:
        """Return the paths of all columns that this field reads or writes, from the opportunity."""
        return self.select_items()

    def read_record(self, record: Json) -> Value | None:
        """Return the value in a Salesforce record. Raises UnreadableValue."""
        raise NotImplementedError

    def read_referral(self, referral: Json) -> Value | None:
        """Return the value in a referral. Raises UnreadableValue."""
        raise NotImplementedError

    def record_values(self, value: Any) -> dict[str, Any]:  # noqa: ANN401 - each type has its own kind of value
        """Return the values of a Salesforce record that stand for `value`."""
        raise NotImplementedError

    def patch_operations(self, value: Any, old: Any) -> list[Json]:  # noqa: ANN401 - as record_values
        """Return the JSON Patch operations that turn `old` into `value`, only for paths that differ."""
        raise NotImplementedError

    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - as record_values
        """Add `value` to the body of a new referral."""
        raise NotImplementedError


class SinglePathField(FieldBase):
    """A field with one path on each side."""

    referral: ReferralPath
    salesforce: SalesforcePath

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.salesforce,)

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {self.salesforce: self._to_salesforce(value)}

    @override
    def patch_operations(self, value: Any, old: Any) -> list[Json]:
        return [replace_operation(self.referral, self._to_referral(value))] if value != old else []

    @override
    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:
        if value is not None:
            set_value(body, self.referral, self._to_referral(value))

    def _to_salesforce(self, value: Any) -> Any:  # noqa: ANN401 - as in the base class
        return value

    def _to_referral(self, value: Any) -> Any:  # noqa: ANN401 - as in the base class
        return value


class CreateOnlyField(FieldBase):
    """A field that is written when its record is created, and never later, because other deals share the record.

    Source: docs/protocol.md#shared-records.
    """

    when: tuple[Literal["create"], ...] = ("create",)
