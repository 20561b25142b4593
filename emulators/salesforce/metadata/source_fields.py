"""Loads custom fields from the project's own source-format metadata, so that emulator and deployment cannot drift.

Layout: `objects/<Object>/fields/<Field>.field-meta.xml` under any package directory of `sfdx-project.json`
(reference/salesforce.md 5.1). What the emulator does not know raises MetadataError: it never guesses.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse as parse_xml

from emulators.salesforce.data.formula import FormulaError
from emulators.salesforce.data.formula import parse as parse_formula
from emulators.salesforce.data.schema import Field, Kind, Model
from emulators.salesforce.data.standard_objects import standard_objects

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
PROJECT = Path(__file__).parents[3] / "infra" / "salesforce"
_KINDS = {
    "Text": Kind.STRING, "LongTextArea": Kind.TEXTAREA, "TextArea": Kind.TEXTAREA, "Url": Kind.URL,
    "Checkbox": Kind.BOOLEAN, "Picklist": Kind.PICKLIST, "Number": Kind.DOUBLE, "Currency": Kind.CURRENCY,
    "Percent": Kind.PERCENT, "Date": Kind.DATE, "DateTime": Kind.DATETIME, "Email": Kind.EMAIL, "Phone": Kind.PHONE,
}  # fmt: skip
_LENGTHS = {Kind.URL: 255, Kind.TEXTAREA: 255, Kind.PICKLIST: 255, Kind.EMAIL: 80, Kind.PHONE: 40}
_FORMULA_LENGTH = 1300


class MetadataError(ValueError):
    """The metadata asks for something that this org model does not have."""


def load(project: Path = PROJECT, *, multi_currency: bool = True, bare: bool = False) -> Model:
    """The standard objects with the custom fields of a source project, `bare` without. Raises MetadataError."""
    objects = standard_objects(multi_currency=multi_currency)
    for folder in () if bare else _object_folders(project):
        if folder.name not in objects:
            raise MetadataError(f"object {folder.name} is not in this org model")
        for path in sorted(folder.glob("fields/*.field-meta.xml")):
            objects[folder.name].add(_field(path))
    for sobject in objects.values():
        _check_formulas(sobject.fields)
    return Model(objects)


def package_folders(project: Path) -> list[Path]:
    """The package directories of a source project."""
    described = json.loads((project / "sfdx-project.json").read_text())
    return [project / package["path"] for package in described["packageDirectories"]]


def _object_folders(project: Path) -> Iterator[Path]:
    for package in package_folders(project):
        yield from sorted(path for path in package.glob("**/objects/*") if path.is_dir())


def _field(path: Path) -> Field:
    root = parse_xml(path).getroot()  # noqa: S314 - the project's own files
    if path.name != f"{root.findtext(NAMESPACE + 'fullName')}.field-meta.xml":
        raise MetadataError(f"{path.name}: its fullName is another")
    return field_of(root)


def field_of(root: Any) -> Field:  # noqa: ANN401 - an element of the standard library or of lxml, which ships no types
    """The field that a CustomField element describes. Raises MetadataError."""
    texts = {str(e.tag).removeprefix(NAMESPACE): e.text or "" for e in root}
    name, kind = texts.get("fullName", ""), _KINDS.get(texts.get("type", ""))
    if kind is None or not name.endswith("__c"):
        raise MetadataError(f"{name}: a custom field of the type {texts.get('type')} is not known here")
    try:
        formula = parse_formula(texts["formula"]) if "formula" in texts else None
    except FormulaError as error:
        raise MetadataError(f"{name}: {error}") from error
    if formula and formula.asks:
        raise MetadataError(f"{name}: {', '.join(formula.asks)} may not stand in a field's formula")
    picks = tuple(_values(root))
    chosen = next((value for value, _, default in picks if default), None)
    return Field(
        name,
        kind,
        texts.get("label", ""),
        _FORMULA_LENGTH if formula else int(texts.get("length", _LENGTHS.get(kind, 0))),
        precision=int(texts.get("precision", 18)),
        scale=int(texts.get("scale", 0)),
        required=texts.get("required") == "true",
        writable=formula is None,
        unique=texts.get("unique") == "true",
        external_id=texts.get("externalId") == "true",
        case_sensitive=texts.get("caseSensitive") == "true",
        default=texts.get("defaultValue") == "true" if kind is Kind.BOOLEAN else chosen,
        values=tuple((value, label) for value, label, _ in picks),
        restricted=root.findtext(f"{NAMESPACE}valueSet/{NAMESPACE}restricted") == "true",
        formula=formula,
        help=texts.get("inlineHelpText", ""),
    )


def _values(root: Any) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401 - as field_of
    for value in root.iterfind(f"{NAMESPACE}valueSet/{NAMESPACE}valueSetDefinition/{NAMESPACE}value"):
        name, label, default = (value.findtext(NAMESPACE + tag) or "" for tag in ("fullName", "label", "default"))
        yield name, label, default == "true"


def _check_formulas(fields: dict[str, Field]) -> None:
    for field in fields.values():
        for name in field.formula.fields if field.formula else ():
            if name not in fields or fields[name].formula:
                raise MetadataError(f"{field.name}: its formula reads {name}, which is no stored field")
