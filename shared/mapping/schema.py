"""Define the schema of the mapping file. `validation.py` reads and checks a file, and `field_types.py` has the fields.

The meaning of each key: docs/mapping.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.deal import Status
from shared.domain.stage_table import Stage, StageTable
from shared.mapping.field_base import FieldBase, MappingTable, SalesforcePath
from shared.mapping.field_types import (
    DateField,
    MoneyField,
    NotesField,
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
    """The fields of the opportunity that belong to the connector itself."""

    flag: SalesforcePath
    identifier: SalesforcePath
    link: SalesforcePath
    status: SalesforcePath
    audit: SalesforcePath
    help: SalesforcePath


class StageTableEntry(MappingTable):
    """One entry of the stage table."""

    name: str = Field(min_length=1)
    status: StatusText
    reason: str | None = None
    also: tuple[StatusText, ...] = ()
    arrives: bool = False

    def to_stage(self) -> Stage:
        """Return the entry as the domain uses it."""
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
    """A whole mapping file."""

    version: Literal[1]
    ours: Ours
    fields: Mapping[str, AnyField]
    stages: tuple[StageTableEntry, ...] = Field(min_length=1)

    def stage_table(self) -> StageTable:
        """Return the stage table as the domain uses it."""
        return StageTable(tuple(entry.to_stage() for entry in self.stages))

    def fields_with_stages(self) -> dict[str, FieldBase]:
        """Return the fields by name; the status field has the stage table."""
        table = self.stage_table()
        return {
            name: field.with_stages(table) if isinstance(field, StatusField) else field
            for name, field in self.fields.items()
        }
