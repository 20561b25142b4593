"""Resolve the parents that a save names by an external id, as in `"Solution__r": {"Solution_Id__c": "SOL-1"}`.

The rules: docs/reference/salesforce.md#upsert-by-external-id.
"""

from collections.abc import Mapping
from typing import Any

from emulators.salesforce.data.errors import ApiError, wrong_json_type
from emulators.salesforce.data.schema import Field, Model, SObject
from emulators.salesforce.data.tables import Tables


def with_ids_of_parents(
    tables: Tables, seen: Model, definition: SObject, values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The values with the id of each parent that they name by an external id; `seen` is what the caller sees.

    Raises ApiError.
    """
    if not any(isinstance(value, dict) for value in values.values()):
        return values
    written = {name.lower() for name in values}
    found: dict[str, Any] = {}
    for name, value in values.items():
        link = definition.reference_field(name) if isinstance(value, dict) else None
        if link is None:
            found[name] = value
            continue
        if link.name.lower() in written:
            message = f"Cannot specify both an external ID reference {name} and a salesforce id, {link.name}"
            raise ApiError(400, "INVALID_FIELD", message, [link.name])
        found[link.name] = _parent_id(tables, seen, link, value)
    return found


def _parent_id(tables: Tables, seen: Model, link: Field, key: Mapping[str, Any]) -> str:
    named = {name: value for name, value in key.items() if name != "attributes"}
    if len(named) != 1:
        raise wrong_json_type(dict(key), "string")
    ((name, value),) = named.items()
    parent = seen.find_object(link.refers)
    field = parent.find_field(name) if parent else None
    if parent is None or field is None or not field.external_id:
        message = f"Field name provided, {name} is not an External ID or indexed field for {link.refers}"
        raise ApiError(400, "INVALID_FIELD", message, [])
    matches = [each["Id"] for each in tables.records_by_value(parent.name, field.name, value)]
    if len(matches) > 1:
        message = f"{field.name}: more than one record found for external id field: {matches}"
        raise ApiError(300, "DUPLICATE_EXTERNAL_ID", message, [field.name])
    if not matches:
        message = f"Foreign key external ID: {value} not found for field {field.name} in entity {parent.name}"
        raise ApiError(400, "INVALID_FIELD", message, [])
    return str(matches[0])
