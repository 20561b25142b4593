"""The kinds of fields a mapping file can name: each is the pydantic model of its table and its translation both ways.

A field reads from a row or a referral into a value in normal form, and writes a value back as row values, as JSON Patch
operations, or into the body of a new referral. `Unreadable` says that a side holds something the deal cannot carry.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self, override

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_serializer, model_validator

from shared.domain.cause import Cause
from shared.domain.deal import Money, Side, Status, Value
from shared.domain.field_rules import Direction, Rule
from shared.domain.iso_codes import CURRENCIES
from shared.domain.sentences import cause
from shared.domain.states import StageTable
from shared.mapping.paths import Json, in_referral, in_row, normal_text, replace_operation, set_value, utc_day

ReferralPath = Annotated[str, Field(pattern=r"^(/[A-Za-z][A-Za-z0-9]*)+$")]
SalesforcePath = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]


class UnreadableValue(Exception):
    """A value that the deal cannot carry; `cause` tells the seller what to do."""

    def __init__(self, reason: Cause) -> None:
        """Keep the cause."""
        super().__init__(reason.code)
        self.cause = reason


class MappingTable(BaseModel):
    """A table of the mapping file. One model checks the whole file: a checker for each table alone is never built."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class FieldBase(MappingTable):
    """What every field says: label, direction, when it travels, who wins a conflict, which side may be emptied."""

    label: str = Field(min_length=1)
    direction: Direction = Direction.BOTH
    when: tuple[Literal["create", "update"], ...] = ("create", "update")
    winner: Side = Side.SALESFORCE
    clearable: frozenset[Side] = frozenset()

    @field_serializer("clearable")
    def _sorted_sides(self, sides: frozenset[Side]) -> list[Side]:
        """A set has another order in every process; the file's hash must not."""
        return sorted(sides)

    def to_rule(self, name: str) -> Rule:
        """What the domain needs to know of this field."""
        return Rule(
            name,
            self.label,
            self.direction,
            on_create="create" in self.when,
            on_update="update" in self.when,
            winner=self.winner,
            merges_text=isinstance(self, NotesField),
            length=self.length if isinstance(self, NotesField) else None,
            clearable=self.clearable,
        )

    def select_items(self) -> tuple[str, ...]:
        """The SOQL select items that this field reads."""
        raise NotImplementedError

    def read_record(self, row: Json) -> Value | None:
        """The value in a row. Raises Unreadable."""
        raise NotImplementedError

    def read_referral(self, referral: Json) -> Value | None:
        """The value in a referral. Raises Unreadable."""
        raise NotImplementedError

    def record_values(self, value: Any) -> dict[str, Any]:  # noqa: ANN401 - each kind takes its own value
        """The row values that carry `value`."""
        raise NotImplementedError

    def patch_operations(self, value: Any, old: Any) -> list[Json]:  # noqa: ANN401 - as write_row
        """The JSON Patch operations that turn `old` into `value`: the differing paths only."""
        raise NotImplementedError

    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - as write_row
        """Put `value` into the body of a new referral."""
        raise NotImplementedError


class _SinglePathField(FieldBase):
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


class TextField(_SinglePathField):
    """One line of text, cut to what Salesforce holds."""

    type: Literal["text"]
    length: int | None = Field(default=None, gt=0)

    @override
    def read_record(self, row: Json) -> str | None:
        return normal_text(in_row(row, self.salesforce), self.length)

    @override
    def read_referral(self, referral: Json) -> str | None:
        return normal_text(in_referral(referral, self.referral), self.length)


class NotesField(TextField):
    """A long text, of which the merge keeps both sides' edits."""

    type: Literal["notes"]  # type: ignore[assignment]  # the tag is what tells the two tables apart


class DateField(_SinglePathField):
    """A day."""

    type: Literal["date"]

    @override
    def read_record(self, row: Json) -> date | None:
        return utc_day(in_row(row, self.salesforce))

    @override
    def read_referral(self, referral: Json) -> date | None:
        try:
            return utc_day(in_referral(referral, self.referral))
        except ValueError as error:
            raise UnreadableValue(cause("missing_closing", self.referral)) from error

    def _to_salesforce(self, value: date | None) -> str | None:
        return value.isoformat() if value else None

    def _to_referral(self, value: date | None) -> str | None:
        return f"{value.isoformat()}T00:00:00Z" if value else None


class MoneyPaths(MappingTable):
    """Where the amount is, and where its currency."""

    amount: ReferralPath
    currency: ReferralPath


class MoneyColumns(MappingTable):
    """Where the amount is; without multi-currency the org's one currency stands in `fixed_currency`."""

    amount: SalesforcePath
    currency: SalesforcePath | None = None
    fixed_currency: str | None = None

    @model_validator(mode="after")
    def _has_one_currency(self) -> Self:
        if (self.currency is None) == (self.fixed_currency is None):
            raise ValueError("either currency or fixed_currency must be given")
        if self.fixed_currency and self.fixed_currency not in CURRENCIES:
            raise ValueError("fixed_currency is no ISO 4217 currency")
        return self


class MoneyField(FieldBase):
    """An amount with its currency: one value."""

    type: Literal["money"]
    referral: MoneyPaths
    salesforce: MoneyColumns

    @override
    def select_items(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.salesforce.amount, self.salesforce.currency)))

    @override
    def read_record(self, row: Json) -> Money | None:
        columns = self.salesforce
        currency = in_row(row, columns.currency) if columns.currency else columns.fixed_currency
        return _money_from(in_row(row, columns.amount), currency)

    @override
    def read_referral(self, referral: Json) -> Money | None:
        return _money_from(in_referral(referral, self.referral.amount), in_referral(referral, self.referral.currency))

    @override
    def record_values(self, value: Money | None) -> dict[str, Any]:
        if value is None:
            return {self.salesforce.amount: None}
        currency = {self.salesforce.currency: value.currency} if self.salesforce.currency else {}
        return {self.salesforce.amount: value.amount, **currency}

    @override
    def patch_operations(self, value: Money | None, old: Money | None) -> list[Json]:
        if value is None:
            return [replace_operation(self.referral.amount, None)] if old else []
        amount = (
            [replace_operation(self.referral.amount, value.amount)] if not old or old.amount != value.amount else []
        )
        changed = not old or old.currency != value.currency
        return amount + ([replace_operation(self.referral.currency, value.currency)] if changed else [])

    @override
    def add_to_body(self, value: Money | None, body: dict[str, Any]) -> None:
        if value:
            set_value(body, self.referral.amount, value.amount)
            set_value(body, self.referral.currency, value.currency)


def _money_from(amount: object, currency: object) -> Money | None:
    if amount is None or not currency:
        return None
    code = str(currency).strip().upper()
    if code not in CURRENCIES:
        raise UnreadableValue(cause("bad_currency", "money", value=currency))
    try:
        return Money(Decimal(str(amount)), code)
    except (ValueError, InvalidOperation) as error:
        raise UnreadableValue(cause("bad_amount", "money")) from error


class StatusPaths(MappingTable):
    """Status and substatus always travel together; the reason where the stage table gives one."""

    status: ReferralPath
    substatus: ReferralPath
    reason: ReferralPath


class StatusField(FieldBase):
    """The stage, compared as a deal's status and not as a stage name."""

    type: Literal["status"]
    referral: StatusPaths
    salesforce: SalesforcePath
    _stages: StageTable = PrivateAttr(default=StageTable(()))

    def with_stages(self, stages: StageTable) -> Self:
        """The same field with the file's stage table."""
        field = self.model_copy()
        field._stages = stages  # noqa: SLF001 - of its own class; a private attribute is no key of the file
        return field

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.salesforce,)

    @override
    def read_record(self, row: Json) -> Status | None:
        stage = str(in_row(row, self.salesforce) or "")
        status = self._stages.status_of(stage)
        if status is None:
            raise UnreadableValue(cause("unknown_stage", self.salesforce, value=stage))
        return status

    @override
    def read_referral(self, referral: Json) -> Status | None:
        raw = self.raw_status(referral)
        normal = self._stages.normal(raw)
        if normal is None:
            raise UnreadableValue(cause("no_such_move", self.referral.status, value=raw))
        return normal

    def raw_status(self, referral: Json) -> Status:
        """The referral's own status, before normal form."""
        status, substatus = in_referral(referral, self.referral.status), in_referral(referral, self.referral.substatus)
        return Status(str(status or "None"), str(substatus or "None"))

    @override
    def record_values(self, value: Status | None) -> dict[str, Any]:
        """A deal whose status nobody knows begins on the on-hold stage: Salesforce demands one."""
        return {self.salesforce: self._stages.stage_for(value) if value else self._stages.on_hold}

    @override
    def patch_operations(self, value: Status, old: Status | None) -> list[Json]:
        if value == old:
            return []
        reason = [replace_operation(self.referral.reason, value.reason)] if value.reason else []
        both = [
            replace_operation(self.referral.status, value.status),
            replace_operation(self.referral.substatus, value.substatus),
        ]
        return both + reason

    @override
    def add_to_body(self, value: Status | None, body: dict[str, Any]) -> None:
        """Nothing: the service decides the status of a new referral (reference/partner-center.md 5.1)."""


class SolutionsField(_SinglePathField):
    """Solution ids: a text separated by semicolons, and a list of solution tags; they travel on create."""

    type: Literal["solutions"]
    when: tuple[Literal["create"], ...] = ("create",)
    length: int = Field(default=255, gt=0)
    at_most: int = Field(default=50, gt=0)

    @override
    def read_record(self, row: Json) -> tuple[str, ...] | None:
        ids = _distinct_ids(str(in_row(row, self.salesforce) or "").split(";"))
        if len(ids) > self.at_most:
            raise UnreadableValue(cause("too_many_solutions", self.salesforce))
        return ids or None

    @override
    def read_referral(self, referral: Json) -> tuple[str, ...] | None:
        tags = in_referral(referral, self.referral)
        found = [str(tag.get("id") or "") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
        return _distinct_ids(found) or None

    def ids_that_fit(self, value: tuple[str, ...]) -> tuple[str, ...]:
        """The leading ids that fit the text field whole: a shortened id would be another id."""
        kept: list[str] = []
        for item in value:
            if len(";".join([*kept, item])) > self.length:
                break
            kept.append(item)
        return tuple(kept)

    def _to_salesforce(self, value: tuple[str, ...] | None) -> str | None:
        return ";".join(self.ids_that_fit(value)) if value else None

    def _to_referral(self, value: tuple[str, ...] | None) -> list[Json]:
        return [{"id": item, "type": "Name"} for item in value or ()]


def _distinct_ids(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in ids if item.strip()))
