"""The schema of the mapping file, and its loading: a wrong file never starts the app, and the error names the line."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.domain.deal import Status
from shared.domain.latches import SUBSTATUSES
from shared.domain.states import Stage, StageTable
from shared.errors import ConfigurationError
from shared.mapping.fields import (
    DateField,
    FieldBase,
    MoneyField,
    NotesField,
    SalesforcePath,
    SolutionsField,
    StatusField,
    TextField,
)
from shared.mapping.people import CompanyField, ContactsField, SellerField

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


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ours(_Table):
    """The connector's own fields of the opportunity."""

    flag: SalesforcePath
    identifier: SalesforcePath
    link: SalesforcePath
    status: SalesforcePath
    audit: SalesforcePath
    help: SalesforcePath


class StageRow(_Table):
    """One line of the stage table."""

    name: str = Field(min_length=1)
    status: StatusText
    reason: str | None = None
    also: tuple[StatusText, ...] = ()
    arrives: bool = False

    def stage(self) -> Stage:
        """The line as the domain has it."""
        return Stage(
            self.name, _status(self.status, self.reason), tuple(_status(text) for text in self.also), self.arrives
        )


def _status(text: str, reason: str | None = None) -> Status:
    status, _, substatus = text.partition("/")
    return Status(status, substatus, reason)


class MappingFile(_Table):
    """The whole file."""

    version: Literal[1]
    ours: Ours
    fields: Mapping[str, AnyField]
    stages: tuple[StageRow, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _stages_are_sound(self) -> Self:
        names = [row.name.casefold() for row in self.stages]
        twice = {row.name for row in self.stages if names.count(row.name.casefold()) > 1}
        if twice:
            raise ValueError(f"stages: {', '.join(sorted(twice))} is named twice")
        for row in self.stages:
            for text in (row.status, *row.also):
                status, _, substatus = text.partition("/")
                if substatus not in SUBSTATUSES[status]:
                    raise ValueError(f"stages: {text!r} of {row.name!r} is no legal pair of status and substatus")
        return self

    def table(self) -> StageTable:
        """The stage table as the domain has it."""
        return StageTable(tuple(row.stage() for row in self.stages))

    def tables(self) -> dict[str, FieldBase]:
        """The fields by name, the status field knowing the stage table."""
        table = self.table()
        return {
            name: field.model_copy(update={"stages": table}) if isinstance(field, StatusField) else field
            for name, field in self.fields.items()
        }


def load(path: Path = DEFAULT) -> tuple[MappingFile, str]:
    """Read a mapping file; also the hash of what it says. Raises ConfigurationError naming file, line and remedy."""
    text = _text(path)
    said = _overlaid(_parsed(path, text))
    try:
        file = MappingFile.model_validate(said)
    except ValidationError as error:
        raise ConfigurationError(_explained(path, text, error)) from error
    return file, hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:12]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"MAPPING: {path.name} cannot be read: {type(error).__name__}") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name}: no valid TOML: {error}") from error


def _overlaid(said: dict[str, Any]) -> dict[str, Any]:
    """A file that extends the default names only what differs; lists, such as the stage table, are replaced whole."""
    if said.pop("extends", None) != "default":
        return said
    return _merged(_parsed(DEFAULT, _text(DEFAULT)), said)


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        result[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def _explained(path: Path, text: str, error: ValidationError) -> str:
    """One sentence per fault, each with its place in the file."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False):
        place = [str(step) for step in fault["loc"]]
        faults.append(f"{path.name}, line {_line_of(text, place)}: {'.'.join(place) or 'file'}: {fault['msg']}")
    return "; ".join(faults)


def _line_of(text: str, place: list[str]) -> int:
    """The line of the innermost step of `place` that can be found; 1 where none can (the fault is an absence)."""
    lines, found, start = text.splitlines(), 1, 0
    for step in place:
        if step.isdigit():
            headers = [number for number, line in enumerate(lines) if re.match(rf"\[\[{place[0]}\]\]", line)]
            start = headers[int(step)] if int(step) < len(headers) else start
            found = start + 1
            continue
        pattern = re.compile(rf"\s*(\[+[\w.]*\b{re.escape(step)}\]+|{re.escape(step)}\s*=)")
        hit = next((number for number in range(start, len(lines)) if pattern.match(lines[number])), None)
        if hit is not None:
            start, found = hit, hit + 1
    return found
