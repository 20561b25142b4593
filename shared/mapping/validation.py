"""Read a mapping file and check it: a wrong file never starts the app, and the error names the line."""

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
from shared.mapping.field_types import (
    DateField,
    FieldBase,
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
"""The fields that a create cannot do without (`shared.domain.plan.REQUIRED`), each of its kind."""

LEGAL_STATUSES = frozenset(f"{status}/{substatus}" for status, known in SUBSTATUSES.items() for substatus in known)


type Violation = tuple[Place, str]
"""A place of the file, and what is wrong there."""


def load_mapping(path: Path = DEFAULT) -> tuple[MappingFile, str]:
    """Read a mapping file; also the hash of what it says. Raises ConfigurationError naming file, line and remedy."""
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
        raise ConfigurationError(f"{path.name}: no valid TOML: {error}") from error


def _extend_default(path: Path, text: str) -> dict[str, Any]:
    """A file that extends the default names only what differs; lists, such as the stage table, are replaced whole."""
    document = _parse_toml(path, text)
    if "extends" not in document:
        return document
    if document.pop("extends") != "default":
        raise ConfigurationError(_describe_violations(path, text, [(("extends",), 'only "default" can be extended')]))
    return _merge_tables(_parse_toml(DEFAULT, _read_text(DEFAULT)), document)


def _merge_tables(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        result[key] = _merge_tables(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def _describe_violations(path: Path, text: str, faults: list[Violation]) -> str:
    """One sentence per fault, each with its place in the file."""
    return "; ".join(
        f"{path.name}, line {line_of(text, place)}: {'.'.join(map(str, place)) or 'file'}: {said}"
        for place, said in faults
    )


def _schema_violations(error: ValidationError) -> list[Violation]:
    return [(_place_of(fault), fault["msg"]) for fault in error.errors(include_url=False, include_input=False)]


def _place_of(fault: ErrorDetails) -> Place:
    """Where a fault is: without the kind that pydantic puts behind a field's name."""
    place = fault["loc"]
    if fault["type"].startswith("union_tag"):
        return (*place, "type")
    return (*place[:2], *place[3:]) if place[:1] == ("fields",) else place


# --- what no single line shows ----------------------------------------------------------------------------------------


def _rule_violations(file: MappingFile) -> Iterator[Violation]:
    yield from _stage_violations(file.stages)
    yield from _required_field_violations(file.fields)
    for name, field in file.fields.items():
        yield from _parent_field_violations(name, field)
        connector_fields = set(field.select_items()) & set(file.ours.model_dump().values())
        if connector_fields:
            yield ("fields", name, "salesforce"), f"{', '.join(sorted(connector_fields))} is the connector's own"


def _stage_violations(stages: tuple[StageTableEntry, ...]) -> Iterator[Violation]:
    seen: set[str] = set()
    for number, row in enumerate(stages):
        if row.name.casefold() in seen:
            yield ("stages", number, "name"), f"{row.name!r} is named twice"
        seen.add(row.name.casefold())
        if row.status not in LEGAL_STATUSES:
            yield ("stages", number, "status"), f"{row.status!r} is no legal pair of status and substatus"
        for text in (text for text in row.also if text not in LEGAL_STATUSES):
            yield ("stages", number, "also"), f"{text!r} is no legal pair of status and substatus"
    if not stages[0].status.startswith("New/"):
        yield ("stages", 0, "status"), "the first stage is the on-hold stage: its status begins with New/"
    missing = LEGAL_STATUSES - {text for row in stages for text in (row.status, *row.also)}
    if missing:
        yield ("stages",), f"no stage shows {', '.join(sorted(missing))}"


def _required_field_violations(fields: Mapping[str, FieldBase]) -> Iterator[Violation]:
    """What every create must carry has to be mapped, by a field of the right kind that travels to Partner Center."""
    for name, kind in REQUIRED_FIELDS.items():
        field = fields.get(name)
        if field is None:
            yield ("fields", name), "is missing: no referral can be created without it"
        elif not isinstance(field, kind):
            yield ("fields", name, "type"), f"must be {get_args(kind.model_fields['type'].annotation)[0]}"
        elif field.direction is Direction.OFF or not (kind is StatusField or field.direction.owns(Side.SALESFORCE)):
            yield (
                ("fields", name, "direction"),
                f"no referral can be created without it: {field.direction} is too little",
            )
        elif "create" not in field.when and kind is not StatusField:
            yield ("fields", name, "when"), "no referral can be created without it: must name create"


def _parent_field_violations(name: str, field: FieldBase) -> Iterator[Violation]:
    """A column of a parent record cannot be written through the opportunity."""
    if isinstance(field, CompanyField | ContactsField) or not field.direction.owns(Side.PARTNER_CENTER):
        return
    parents = [column for column in field.select_items() if "." in column]
    if parents:
        listed = ", ".join(parents)
        yield ("fields", name, "salesforce"), f"{listed} is no field of the opportunity itself: it travels one way only"
