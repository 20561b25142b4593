"""Read a mapping file and check it. With a wrong file the app does not start, and the error names the line."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.domain.deal import Side
from shared.domain.field_rules import Direction
from shared.domain.latches import SUBSTATUSES
from shared.foundation.errors import ConfigurationError
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import (
    DateField,
    MoneyField,
    SolutionsField,
    StatusField,
    TextField,
)
from shared.mapping.people_fields import CompanyField, ContactsField, SellerField
from shared.mapping.schema import DEFAULT, MappingFile, StageTableEntry
from shared.mapping.toml_lines import Place, line_of

REQUIRED_FIELDS: Mapping[str, type[FieldBase]] = {
    "name": TextField,
    "account": CompanyField,
    "money": MoneyField,
    "closing": DateField,
    "solutions": SolutionsField,
    "team": SellerField,
    "status": StatusField,
}
"""The fields that every new referral needs (`shared.domain.plan.REQUIRED`), each with its type."""

LEGAL_STATUSES = frozenset(f"{status}/{substatus}" for status, known in SUBSTATUSES.items() for substatus in known)


type Violation = tuple[Place, str]
"""A place of the file, and what is wrong there."""


def load_mapping(path: Path = DEFAULT) -> tuple[MappingFile, str]:
    """Read and check a mapping file; return it with the hash of its content.

    Comments and layout do not change the hash. Raises ConfigurationError, which names the file, the line and the place
    of every violation.
    """
    text = _read_text(path)
    document = _extend_default(path, text)
    try:
        file = MappingFile.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError(_describe_violations(path, text, _schema_violations(error))) from error
    violations = list(_rule_violations(file))
    if violations:
        raise ConfigurationError(_describe_violations(path, text, violations))
    return file, hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:12]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"MAPPING: {path.name} cannot be read: {type(error).__name__}") from error


def _parse_toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name}: not valid TOML: {error}") from error


def _extend_default(path: Path, text: str) -> dict[str, Any]:
    """Return the file's content, merged with the default if the file extends it.

    Tables are merged key by key. Lists, such as the stage table, are replaced whole
    (docs/mapping.md#a-file-of-your-own).
    """
    document = _parse_toml(path, text)
    if "extends" not in document:
        return document
    if document.pop("extends") != "default":
        raise ConfigurationError(_describe_violations(path, text, [(("extends",), 'only "default" can be extended')]))
    return _merge_tables(_parse_toml(DEFAULT, _read_text(DEFAULT)), document)


def _merge_tables(default: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(default)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = _merge_tables(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _describe_violations(path: Path, text: str, violations: list[Violation]) -> str:
    """Return one sentence for each violation, with its line and its place in the file."""
    return "; ".join(
        f"{path.name}, line {line_of(text, place)}: {'.'.join(map(str, place)) or 'file'}: {problem}"
        for place, problem in violations
    )


def _schema_violations(error: ValidationError) -> list[Violation]:
    return [(_place_of(detail), detail["msg"]) for detail in error.errors(include_url=False, include_input=False)]


def _place_of(detail: ErrorDetails) -> Place:
    """Return the place of an error, without the field type that pydantic adds after a field's name."""
    place = detail["loc"]
    if detail["type"].startswith("union_tag"):
        return (*place, "type")
    return (*place[:2], *place[3:]) if place[:1] == ("fields",) else place


# --- rules that the schema cannot express -----------------------------------------------------------------------------


def _rule_violations(file: MappingFile) -> Iterator[Violation]:
    yield from _stage_violations(file.stages)
    yield from _required_field_violations(file.fields)
    for name, field in file.fields.items():
        yield from _parent_field_violations(name, field)
        connector_fields = set(field.select_items()) & set(file.ours.model_dump().values())
        if connector_fields:
            listed = ", ".join(sorted(connector_fields))
            yield ("fields", name, "salesforce"), f"{listed} belongs to the connector itself and cannot be mapped"


def _stage_violations(stages: tuple[StageTableEntry, ...]) -> Iterator[Violation]:
    seen: set[str] = set()
    for number, stage in enumerate(stages):
        if stage.name.casefold() in seen:
            yield ("stages", number, "name"), f"{stage.name!r} is named twice"
        seen.add(stage.name.casefold())
        if stage.status not in LEGAL_STATUSES:
            yield ("stages", number, "status"), f"{stage.status!r} is not a legal pair of status and substatus"
        for text in (text for text in stage.also if text not in LEGAL_STATUSES):
            yield ("stages", number, "also"), f"{text!r} is not a legal pair of status and substatus"
    if not stages[0].status.startswith("New/"):
        yield ("stages", 0, "status"), "the first stage is the on-hold stage, so its status must begin with New/"
    missing = LEGAL_STATUSES - {text for stage in stages for text in (stage.status, *stage.also)}
    if missing:
        yield ("stages",), f"no stage shows {', '.join(sorted(missing))}"


def _required_field_violations(fields: Mapping[str, FieldBase]) -> Iterator[Violation]:
    """Every new referral needs certain fields: of the right type, and written to Partner Center on create."""
    for name, kind in REQUIRED_FIELDS.items():
        field = fields.get(name)
        if field is None:
            yield ("fields", name), "is missing: no referral can be created without it"
        elif not isinstance(field, kind):
            yield ("fields", name, "type"), f"must be {get_args(kind.model_fields['type'].annotation)[0]}"
        elif field.direction is Direction.OFF or not (kind is StatusField or field.direction.owns(Side.SALESFORCE)):
            yield (
                ("fields", name, "direction"),
                f"no referral can be created without it, but the direction is {field.direction}",
            )
        elif "create" not in field.when and kind is not StatusField:
            yield ("fields", name, "when"), "no referral can be created without it, so it must contain create"


def _parent_field_violations(name: str, field: FieldBase) -> Iterator[Violation]:
    """A column of a parent record, such as the account, cannot be written through the opportunity."""
    if isinstance(field, CompanyField | ContactsField) or not field.direction.owns(Side.PARTNER_CENTER):
        return
    parents = [column for column in field.select_items() if "." in column]
    if parents:
        listed = ", ".join(parents)
        remedy = 'set direction = "to_partner_center"'
        yield ("fields", name, "salesforce"), f"{listed} cannot be written through the opportunity: {remedy}"
