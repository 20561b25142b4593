"""Define the types of fields that a mapping file can have. Each is the schema of its table, and translates its value.

A field reads its value, in normal form, from a Salesforce record or a referral. It writes a value as values of a
record, as JSON Patch operations, or into the body of a new referral. `UnreadableValue` means that a side holds
something that the deal cannot carry.
"""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import date, timedelta
from typing import Any, Literal, Self, override

from pydantic import Field, PrivateAttr

from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import Status
from shared.domain.field_rules import Answers, Rule
from shared.domain.link_states import Mark
from shared.domain.listed_texts import listed
from shared.domain.name_mark import KNOWN_SIGNS, SIGNS_BY_CHOICE, without_mark
from shared.domain.org_shape import OrgShape
from shared.domain.sentences import cause
from shared.domain.stage_table import StageTable
from shared.mapping.field_base import (
    FieldBase,
    MappingTable,
    ReferralPath,
    SalesforcePath,
    SinglePathField,
    UnreadableValue,
)
from shared.mapping.paths import (
    Json,
    calendar_day,
    in_referral,
    normal_text,
    replace_operation,
    value_in_record,
)

YEARS = range(1700, 4001)
"""The years of a date in Salesforce (docs/reference/salesforce.md#values-on-the-wire).

A service may send the year 1 where it has no date.
"""


class LimitedText(SinglePathField):
    """A text, cut to the length that Salesforce holds. A mark in front of an opportunity's name is no part of it."""

    type: Literal["text", "notes"]
    length: int | None = Field(default=None, gt=0)

    @override
    def read_record(self, record: Json) -> str | None:
        return self._fitting(value_in_record(record, self.salesforce))

    @override
    def read_referral(self, referral: Json) -> str | None:
        return self._fitting(in_referral(referral, self.referral))

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), length=self.length)

    @property
    def is_name(self) -> bool:
        """Whether this is the name of the opportunity."""
        return self.salesforce.casefold() == "name"

    def _fitting(self, value: object) -> str | None:
        """Return what fits. Raises UnreadableValue with it, if the text was cut."""
        if isinstance(value, str) and value[:1] in KNOWN_SIGNS and self.is_name:
            value = without_mark(value)
        text = normal_text(value, self.length)
        if self.length is None or len(str(value)) <= self.length:
            return text
        if len(normal_text(value) or "") > self.length:
            raise UnreadableValue(cause(TEXT_CUT, self.referral, label=self.label, length=self.length), text)
        return text


class TextField(LimitedText):
    """One line of text. `mark` shows how the sync stands in front of it, if it is the name of the opportunity.

    `signs` says which: our own, those of Microsoft's former connector, or none, which takes off what is there.
    `values` are the only values, as Salesforce calls them, each with its counterpart in Partner Center. The deal holds
    the value of Salesforce.
    """

    type: Literal["text"]
    mark: bool = False
    signs: Literal["own", "former", "none"] = "own"
    values: Mapping[str, str] | None = Field(
        default=None,
        min_length=1,
        description='a table of values in Partner Center by their values in Salesforce, such as { "Web" = "Online" }',
    )

    @property
    @override
    def later_keys(self) -> set[str]:
        return super().later_keys | {"mark", "signs"} | (set() if self.values else {"values"})

    @override
    def read_record(self, record: Json) -> str | None:
        text = super().read_record(record)
        if text is None or self.values is None:
            return text
        known = next((value for value in self.values if value.casefold() == text.casefold()), None)
        if known is None:
            listing = listed(list(self.values))
            raise UnreadableValue(cause("bad_attribute", self.salesforce, label=self.label, value=text, known=listing))
        return known

    @override
    def read_referral(self, referral: Json) -> str | None:
        text = super().read_referral(referral)
        if text is None or self.values is None:
            return text
        known = next((value for value, sent in self.values.items() if sent.casefold() == text.casefold()), None)
        if known is None:
            raise UnreadableValue(cause("unknown_attribute", self.referral, label=self.label, value=text))
        return known

    @override
    def _to_referral(self, value: Any) -> Any:
        return (self.values or {}).get(value, value)


def marked_column(fields: Iterable[FieldBase], org: OrgShape | None) -> str | None:
    """Return the column that has a mark in front of it, if the file asks for one and the user may write it."""
    marked = (field.salesforce for field in fields if isinstance(field, TextField) and field.mark)
    return next((column for column in marked if org is None or _is_updateable(org, column)), None)


def signs_of(fields: Iterable[FieldBase]) -> Mapping[Mark, str]:
    """Return the signs of the marks."""
    chosen = (field.signs for field in fields if isinstance(field, TextField) and field.mark)
    return SIGNS_BY_CHOICE[next(chosen, "own")]


def _is_updateable(org: OrgShape, path: str) -> bool:
    column = org.column(path)
    return column is not None and column.updateable


class NotesField(LimitedText):
    """A long text. If both sides edit it, the merge keeps both edits."""

    type: Literal["notes"]

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), merges_text=True)


class DateField(SinglePathField):
    """A day, which Partner Center keeps as the midnight of the person who chose it.

    `zone` is the easternmost zone of these people. It names an offset and not a place, so that no list of time zones is
    needed: one offset serves summer and winter, because the day is right for each zone up to 23 hours west of it.
    `default_days` is how long after its arrival a deal closes if its referral has no readable closing date.
    """

    type: Literal["date"]
    zone: Literal["UTC+12", "UTC+13", "UTC+14"] = "UTC+12"
    default_days: int = Field(default=90, gt=0)

    @override
    def read_record(self, record: Json) -> date | None:
        return self._day_of(value_in_record(record, self.salesforce))

    def _day_of(self, value: object) -> date | None:
        return calendar_day(value, timedelta(hours=int(self.zone.removeprefix("UTC+"))))

    @override
    def read_referral(self, referral: Json) -> date | None:
        try:
            day = self._day_of(in_referral(referral, self.referral))
        except ValueError as error:
            raise UnreadableValue(cause("bad_closing", self.referral)) from error
        if day is not None and day.year not in YEARS:
            raise UnreadableValue(cause("bad_closing", self.referral))
        return day

    def _to_salesforce(self, value: date | None) -> str | None:
        return value.isoformat() if value else None

    def _to_referral(self, value: date | None) -> str | None:
        return f"{value.isoformat()}T00:00:00Z" if value else None


class StatusPaths(MappingTable):
    """The paths of the status, the substatus and the reason."""

    status: ReferralPath
    substatus: ReferralPath
    reason: ReferralPath


class StatusField(FieldBase):
    """The stage of the opportunity. It is compared as the status of the deal, not as the name of a stage."""

    type: Literal["status"]
    referral: StatusPaths
    salesforce: SalesforcePath
    lost_declines: bool = True
    _stages: StageTable = PrivateAttr(default=StageTable(()))
    _status_by_stage: Mapping[str, Status] = PrivateAttr(default_factory=dict)
    _normal_status: Mapping[Status, Status] = PrivateAttr(default_factory=dict)

    def with_stages(self, stages: StageTable) -> Self:
        """Return a copy of this field with the stage table of the file."""
        field = self.model_copy()
        # Every record and referral is looked up here, so the table is asked once for each stage and status.
        # Private attributes are no keys of the file.
        field._stages = stages  # noqa: SLF001 - of its own class
        field._status_by_stage = stages.status_by_stage()  # noqa: SLF001 - as above
        field._normal_status = stages.normal_status_by_status()  # noqa: SLF001 - as above
        return field

    @property
    def answers(self) -> Answers:
        """What the stages say to Microsoft."""
        accepted = Status("Active", "Accepted")
        return Answers(self._normal_status.get(accepted, accepted), self.lost_declines)

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.salesforce,)

    @override
    def read_record(self, record: Json) -> Status | None:
        stage = str(value_in_record(record, self.salesforce) or "")
        status = self._status_by_stage.get(stage.casefold())
        if status is None:
            raise UnreadableValue(cause("unknown_stage", self.salesforce, value=stage))
        return status

    @override
    def read_referral(self, referral: Json) -> Status | None:
        raw = self.raw_status(referral)
        normal = self._normal_status.get(raw)
        if normal is None:
            raise UnreadableValue(cause("unmapped_status", self.referral.status, value=raw))
        return normal

    def raw_status(self, referral: Json) -> Status:
        """Return the status as the referral has it, before normal form."""
        status, substatus = in_referral(referral, self.referral.status), in_referral(referral, self.referral.substatus)
        return Status(str(status or "None"), str(substatus or "None"))

    @override
    def record_values(self, value: Status | None) -> dict[str, Any]:
        """Return the stage. Without a known status it is the on-hold stage, because Salesforce demands a stage."""
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
        """Add nothing: the service decides the status of a new referral.

        Source: docs/reference/partner-center.md#creating-a-referral.
        """
