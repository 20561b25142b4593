"""Check a record against the validation rules that were deployed to the org."""

from collections.abc import Iterable
from dataclasses import dataclass

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.formula import Formula
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.values import field_reader


@dataclass(frozen=True, slots=True)
class DeployedRule:
    """One rule of the metadata; `field` names the field that shows its message, empty for the top of the page."""

    sobject: str
    active: bool
    formula: Formula
    message: str
    field: str

    def forbids(self, definition: SObject, new: Record, *, is_new: bool, is_clone: bool) -> bool:
        """Whether the error condition holds, so that the record may not be saved."""
        values = {name: field_reader(definition, definition.fields[name])(new) for name in self.formula.fields}
        return bool(self.formula.evaluate({**values, "ISNEW": is_new, "ISCLONE": is_clone}))


def check_deployed_rules(
    rules: Iterable[DeployedRule], definition: SObject, new: Record, *, is_new: bool, is_clone: bool
) -> None:
    """Raise FIELD_CUSTOM_VALIDATION_EXCEPTION with the message of the first active rule that forbids the record."""
    for rule in rules:
        applies = rule.active and rule.sobject == definition.name
        if applies and rule.forbids(definition, new, is_new=is_new, is_clone=is_clone):
            fields = [definition.fields[rule.field.lower()].name] if rule.field else []
            raise ApiError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)
