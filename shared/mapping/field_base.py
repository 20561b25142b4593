"""Defines the keys and the translation methods that all field types of the mapping file have."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, override

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_serializer

from shared.domain.cause import Cause
from shared.domain.deal import Side, Value
from shared.domain.field_rules import Direction, Rule
from shared.domain.records import Row
from shared.domain.sentences import cause
from shared.mapping.patch_paths import unlisted
from shared.mapping.paths import Json, has_item, replace_operation, set_value
from shared.mapping.polls import PollQuery

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


_NOT_READ = {
    "mark", "signs",
    "label", "direction", "when", "winner", "clearable", "default_days", "convert", "lost_declines", "optional",
    "default_first_name", "default_phone",
}  # fmt: skip
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

    A field that is absent where empty is in no deal that lacks its value. An optional field is as if the file lacked it
    where the org lacks its column. Columns that are hidden from the integration user, or read-only for them, are no
    keys of the file.
    """

    is_absent_where_empty: ClassVar[bool] = False
    label: str = Field(min_length=1)
    direction: Direction = Direction.BOTH
    when: tuple[Literal["create", "update"], ...] = ("create", "update")
    winner: Side = Side.SALESFORCE
    clearable: frozenset[Side] = frozenset()
    optional: bool = False
    _hidden: frozenset[str] = PrivateAttr(default=frozenset())
    _read_only: frozenset[str] = PrivateAttr(default=frozenset())
    _helpful: tuple[str, ...] = PrivateAttr(default=())

    @field_serializer("clearable")
    def _sorted_sides(self, sides: frozenset[Side]) -> list[Side]:
        """Sort the sides. The order of a set differs between processes, and the hash of the file must not."""
        return sorted(sides)

    @property
    def later_keys(self) -> set[str]:
        """The keys of later releases that say the same as their absence: they change no hash."""
        return set() if self.optional else {"optional"}

    def patch_paths(self) -> tuple[str, ...]:
        """Return the paths that a change of this field may name."""
        return ()

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
            unlisted=unlisted(self.patch_paths()),
            source=hashlib.sha256(self.model_dump_json(exclude=_NOT_READ | self.later_keys).encode()).hexdigest()[:8],
        )

    @property
    def variant(self) -> str:
        """How this org lets the value be read, where orgs differ: a base of another variant is not known."""
        return ""

    def select_items(self) -> tuple[str, ...]:
        """Return the SOQL select items that this field reads."""
        raise NotImplementedError

    def is_in(self, record: Json) -> bool:
        """Whether a Salesforce record has the value. A record that was read back has no parents or children."""
        return all(has_item(record, item) for item in self.select_items())

    def is_partial_in(self, _record: Json) -> bool:
        """Whether a record that has the value lacks a part of it."""
        return False

    def has_unseen_in(self, _record: Json) -> bool:
        """Whether a row of the list names somebody whom the integration user may not see."""
        return False

    def lacking(self, _record: Json) -> Cause | None:
        """Return what the value lacks that a new referral needs."""
        return None

    def optional_items(self) -> tuple[str, ...]:
        """Return those of the select items that a read can do without."""
        return self.select_items() if self.optional or self.is_absent_where_empty else ()

    def columns(self) -> tuple[str, ...]:
        """Return the paths of all columns that this field reads or writes, from the opportunity."""
        return self.select_items()

    def written_columns(self) -> tuple[str, ...]:
        """Return the paths of the columns that a value of Partner Center is written to, if its direction allows."""
        return self.columns()

    def needed_columns(self) -> tuple[str, ...]:
        """Return the paths without which nothing of this field can be read; one of the others is left out alone."""
        return self.columns()

    def limited_to(self, hidden: frozenset[str], read_only: frozenset[str]) -> Self:
        """Return a copy of this field for an org that hides these columns, or does not let them be written."""
        field = self.model_copy()
        field._hidden, field._read_only = hidden, read_only  # noqa: SLF001 - of its own class
        return field

    def helped_by(self, columns: tuple[str, ...]) -> Self:
        """Return a copy of this field for an org that has these of its `helpful_columns`."""
        field = self.model_copy()
        field._helpful = columns  # noqa: SLF001 - of its own class
        return field

    def is_writable(self, column: str) -> bool:
        """Whether a new record can have a value in this column."""
        return column not in self._hidden and column not in self._read_only

    @property
    def read_only_columns(self) -> frozenset[str]:
        """The columns that the integration user may see and not write."""
        return self._read_only

    def hidden_cause(self, columns: Iterable[str]) -> Cause:
        """Return the cause that names hidden columns of this field."""
        listed = ", ".join(columns)
        return cause("hidden_column", listed, label=self.label, columns=listed)

    def check_seen(self, *columns: str) -> None:
        """Raise UnreadableValue if one of these columns is hidden, of which a new referral needs the values."""
        if hidden := [column for column in columns if column in self._hidden]:
            raise UnreadableValue(self.hidden_cause(hidden))

    def helpful_columns(self) -> tuple[str, ...]:
        """Return the paths of columns that help where the org has them, and that nobody misses where it has not."""
        return ()

    def polls(self) -> tuple[PollQuery, ...]:
        """Return the queries of the poll that notice an edit of this field which leaves the opportunity as it was."""
        return ()

    @property
    def related_list(self) -> str | None:
        """The related list whose rows hold the members of this field; None if a column of the opportunity has all."""
        return None

    def read_rows(self, _record: Json) -> tuple[Row, ...]:
        """Return the rows of the related list in a Salesforce record."""
        return ()

    def read_unsendable(self, _record: Json) -> Mapping[str, str]:
        """Return the code of why Partner Center does not get a member that the record names, by the member's key."""
        return {}

    def with_rows(self, _rows: Sequence[Row]) -> Self:
        """Return this field with what the rows of a deal say of its members."""
        return self

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
    def patch_paths(self) -> tuple[str, ...]:
        return (self.referral,)

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
