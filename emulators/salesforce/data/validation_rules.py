"""Validation rules of the org: formulas that forbid a save, from the metadata that is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.formula import Formula, FormulaError, parse
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.values import read
from emulators.salesforce.metadata.source_fields import NAMESPACE, MetadataError


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `field` is where its message is shown, empty for the top of the page."""

    sobject: str
    active: bool
    formula: Formula
    message: str
    field: str

    def refuses(self, definition: SObject, new: Record, *, is_new: bool, is_clone: bool) -> bool:
        """Whether the record may not be saved as it is."""
        names = {folded: field.name for folded, field in definition.fields.items()}
        values: dict[str, Any] = {f: read(definition.fields[f], names)(new) for f in self.formula.fields}
        return bool(self.formula.evaluate(values | {"ISNEW": is_new, "ISCLONE": is_clone}))


def rule_of(definition: SObject, root: Any) -> Rule:  # noqa: ANN401 - an element of the standard library or of lxml
    """The rule that a ValidationRule element describes. Raises MetadataError."""
    texts = {str(each.tag).removeprefix(NAMESPACE): each.text or "" for each in root}
    try:
        formula = parse(texts["errorConditionFormula"])
    except FormulaError as error:
        raise MetadataError(f"Error in the formula: {error}") from error
    field = texts.get("errorDisplayField", "")
    for name in sorted({*formula.fields, *([field.lower()] if field else [])}):
        if name not in definition.fields:
            raise MetadataError(f"Field {name} does not exist. Check spelling.")
    return Rule(definition.name, texts["active"] == "true", formula, texts["errorMessage"], field)


def check(rules: Mapping[str, Rule], definition: SObject, new: Record, *, is_new: bool, is_clone: bool) -> None:
    """Raises FIELD_CUSTOM_VALIDATION_EXCEPTION with the text of the first rule that refuses the record."""
    for rule in rules.values():
        concerned = rule.active and rule.sobject == definition.name
        if concerned and rule.refuses(definition, new, is_new=is_new, is_clone=is_clone):
            fields = [definition.fields[rule.field.lower()].name] if rule.field else []
            raise ApiError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)
