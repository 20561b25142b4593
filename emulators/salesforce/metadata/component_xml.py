"""Read a custom object, a custom field or a validation rule from the XML element that describes it.

Sources: docs/reference/salesforce.md#custom-fields-in-metadata, docs/reference/salesforce.md#validation-rules.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from emulators.salesforce.data.field_shapes import text_field
from emulators.salesforce.data.formula import Formula, FormulaError, parse_formula
from emulators.salesforce.data.schema import Field, Kind, Model, SObject
from emulators.salesforce.data.standard_objects import custom_object
from emulators.salesforce.data.validation_rules import DeployedRule

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_KINDS = {
    "Text": Kind.STRING, "LongTextArea": Kind.TEXTAREA, "TextArea": Kind.TEXTAREA, "Url": Kind.URL,
    "Checkbox": Kind.BOOLEAN, "Picklist": Kind.PICKLIST, "Number": Kind.DOUBLE, "Currency": Kind.CURRENCY,
    "Percent": Kind.PERCENT, "Date": Kind.DATE, "DateTime": Kind.DATETIME, "Email": Kind.EMAIL, "Phone": Kind.PHONE,
    "Lookup": Kind.REFERENCE, "MasterDetail": Kind.REFERENCE,
}  # fmt: skip
_DEFAULT_LENGTHS = {
    Kind.URL: 255,
    Kind.TEXTAREA: 255,
    Kind.PICKLIST: 255,
    Kind.EMAIL: 80,
    Kind.PHONE: 40,
    Kind.REFERENCE: 18,
}
_FORMULA_LENGTH = 1300


class MetadataError(ValueError):
    """The metadata uses something that this model of an org does not have."""


def field_from_xml(root: Any) -> Field:  # noqa: ANN401 - an element of the standard library or of lxml, which ships no types
    """The field that a CustomField element describes. Raises MetadataError."""
    texts = _child_texts(root)
    name, kind = texts.get("fullName", ""), _KINDS.get(texts.get("type", ""))
    if kind is None or not name.endswith("__c"):
        raise MetadataError(f"{name}: the emulator does not know custom fields of the type {texts.get('type')}")
    formula = _field_formula(name, texts["formula"]) if "formula" in texts else None
    picklist = tuple(_picklist_values(root))
    parent = texts.get("referenceTo", "")
    is_master, constraint = texts["type"] == "MasterDetail", texts.get("deleteConstraint", "SetNull")
    if constraint not in {"SetNull", "Restrict"}:
        raise MetadataError(f"{name}: the emulator knows no lookups that are deleted with their parent")
    default_pick = next((value for value, _, is_default in picklist if is_default), None)
    return Field(
        name,
        kind,
        texts.get("label", ""),
        _FORMULA_LENGTH if formula else int(texts.get("length", _DEFAULT_LENGTHS.get(kind, 0))),
        precision=int(texts.get("precision", 18)),
        scale=int(texts.get("scale", 0)),
        required=is_master or texts.get("required") == "true",
        writable=formula is None,
        fixed=is_master and texts.get("reparentableMasterDetail") != "true",
        unique=texts.get("unique") == "true",
        external_id=texts.get("externalId") == "true",
        case_sensitive=texts.get("caseSensitive") == "true",
        default=texts.get("defaultValue") == "true" if kind is Kind.BOOLEAN else default_pick,
        values=tuple((value, label) for value, label, _ in picklist),
        restricted=root.findtext(f"{NAMESPACE}valueSet/{NAMESPACE}restricted") == "true",
        refers=parent,
        relationship=name.removesuffix("c") + "r" if parent else "",
        children=f"{texts['relationshipName']}__r" if parent and "relationshipName" in texts else "",
        cascade=is_master,
        restricts=constraint == "Restrict",
        is_master=is_master,
        formula=formula,
        help=texts.get("inlineHelpText", ""),
    )


def object_from_xml(name: str, root: Any, model: Model) -> SObject:  # noqa: ANN401 - as field_from_xml
    """The custom object that the elements of an `objects` file describe, for an org with the objects of `model`."""
    texts = _child_texts(root)
    number = sum(sobject.name.endswith("__c") for sobject in model)
    label = root.findtext(f"{NAMESPACE}nameField/{NAMESPACE}label") or "Name"
    is_numbered = root.findtext(f"{NAMESPACE}nameField/{NAMESPACE}type") == "AutoNumber"
    sobject = custom_object(
        name,
        texts["label"],
        texts["pluralLabel"],
        text_field("Name", 80, label, writable=not is_numbered),
        number=number,
        multi_currency=model.find_object("CurrencyType") is not None,
        has_owner=texts.get("sharingModel") != "ControlledByParent",
    )
    if is_numbered:
        sobject.auto_number = root.findtext(f"{NAMESPACE}nameField/{NAMESPACE}displayFormat") or "{0}"
    return sobject


def rule_from_xml(definition: SObject, root: Any) -> DeployedRule:  # noqa: ANN401 - as field_from_xml
    """The rule that a ValidationRule element describes. Raises MetadataError."""
    texts = _child_texts(root)
    field = texts.get("errorDisplayField", "")
    rule = rule_of_formula(definition, texts["errorConditionFormula"], texts["errorMessage"], field)
    return replace(rule, active=texts["active"] == "true")


def rule_of_formula(definition: SObject, source: str, message: str, field: str) -> DeployedRule:
    """An active rule with this error condition. Raises MetadataError."""
    try:
        formula = parse_formula(source)
    except FormulaError as error:
        raise MetadataError(f"Error in the formula: {error}") from error
    for name in sorted({*formula.fields, *([field.lower()] if field else [])}):
        if name not in definition.fields:
            raise MetadataError(f"Field {name} does not exist. Check spelling.")
    return DeployedRule(definition.name, active=True, formula=formula, message=message, field=field)


def _child_texts(root: Any) -> dict[str, str]:  # noqa: ANN401 - as field_from_xml
    return {str(each.tag).removeprefix(NAMESPACE): each.text or "" for each in root}


def _field_formula(name: str, source: str) -> Formula:
    try:
        formula = parse_formula(source)
    except FormulaError as error:
        raise MetadataError(f"{name}: {error}") from error
    if formula.save_functions:
        raise MetadataError(f"{name}: {', '.join(formula.save_functions)} may not stand in a field's formula")
    return formula


def _picklist_values(root: Any) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401 - as field_from_xml
    for value in root.iterfind(f"{NAMESPACE}valueSet/{NAMESPACE}valueSetDefinition/{NAMESPACE}value"):
        name, label, default = (value.findtext(NAMESPACE + tag) or "" for tag in ("fullName", "label", "default"))
        yield name, label, default == "true"
