"""The schema of the mapping file, and its loading: a wrong file never starts the app, and the error names the line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.deal import Status
from shared.domain.states import Stage, StageTable
from shared.mapping.field_types import (
    DateField,
    FieldBase,
    MappingTable,
    MoneyField,
    NotesField,
    SalesforcePath,
    SolutionsField,
    StatusField,
    TextField,
)
from shared.mapping.people_fields import CompanyField, ContactsField, SellerField

DEFAULT = Path(__file__).with_name("default.toml")

AnyField = Annotated[
    TextField
    | NotesField
    | DateField
    | MoneyField
    | StatusField
    | SolutionsField
    | CompanyField
    | ContactsField
    | SellerField,
    Field(discriminator="type"),
]
StatusText = Annotated[str, Field(pattern=r"^(New|Active|Closed)/[A-Za-z]+$")]


class Ours(MappingTable):
    """The connector's own fields of the opportunity."""

    flag: SalesforcePath
    identifier: SalesforcePath
    link: SalesforcePath
    status: SalesforcePath
    audit: SalesforcePath
    help: SalesforcePath


class StageTableEntry(MappingTable):
    """One line of the stage table."""

    name: str = Field(min_length=1)
    status: StatusText
    reason: str | None = None
    also: tuple[StatusText, ...] = ()
    arrives: bool = False

    def to_stage(self) -> Stage:
        """The line as the domain has it."""
        return Stage(
            self.name,
            _status_from(self.status, self.reason),
            tuple(_status_from(text) for text in self.also),
            self.arrives,
        )


def _status_from(text: str, reason: str | None = None) -> Status:
    status, _, substatus = text.partition("/")
    return Status(status, substatus, reason)


class MappingFile(MappingTable):
    """The whole file."""

    version: Literal[1]
    ours: Ours
    fields: Mapping[str, AnyField]
    stages: tuple[StageTableEntry, ...] = Field(min_length=1)

    def stage_table(self) -> StageTable:
        """The stage table as the domain has it."""
        return StageTable(tuple(row.to_stage() for row in self.stages))

    def fields_with_stages(self) -> dict[str, FieldBase]:
        """The fields by name, the status field knowing the stage table."""
        table = self.stage_table()
        return {
            name: field.with_stages(table) if isinstance(field, StatusField) else field
            for name, field in self.fields.items()
        }
