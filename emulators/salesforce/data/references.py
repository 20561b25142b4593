"""What happens to the records that refer to a deleted one: they go with it, lose the reference, or forbid the deletion.

The rules: docs/reference/salesforce.md#custom-fields-in-metadata.
"""

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Field, Model, Record, SObject
from emulators.salesforce.data.tables import Tables


def cascading_fields(model: Model, sobject: str) -> list[tuple[str, str]]:
    """The (object, reference field) pairs whose records are deleted with a record of this object."""
    return [(child.name, field.name) for child, field in _references_to(model, sobject) if field.cascade]


def emptied_fields(model: Model, sobject: str) -> list[tuple[str, str]]:
    """The (object, custom lookup) pairs that are emptied with a record of this object."""
    found = _references_to(model, sobject)
    return [(child.name, field.name) for child, field in found if field.is_custom and not field.cascade]


def check_not_referenced(tables: Tables, sobject: str, record: Record) -> None:
    """Raise ApiError (DELETE_FAILED) if a lookup that restricts deletions refers to the record."""
    for child, field in _references_to(tables.model, sobject):
        if not field.restricts:
            continue
        names = [str(each.get("Name")) for each in tables.records_by_value(child.name, field.name, record["Id"])]
        if names:
            message = (
                f"Your attempt to delete {record.get('Name')} could not be completed because it is associated with the "
                f"following {child.plural.lower()}.: {', '.join(names)}\n"
            )
            raise ApiError(400, "DELETE_FAILED", message, [])


def _references_to(model: Model, sobject: str) -> list[tuple[SObject, Field]]:
    every = ((child, field) for child in model for field in child.fields.values())
    return [(child, field) for child, field in every if field.refers == sobject]
