"""Describe the columns of a query without running it, as `columns=true` asks.

The shape: docs/reference/salesforce.md#requests-of-the-salesforce-cli.
"""

from typing import Any

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import NUMBER_KINDS, Field, Kind, SObject
from emulators.salesforce.query.conditions import unknown_object
from emulators.salesforce.query.paths import no_such_column, resolve_parent
from emulators.salesforce.query.soql import Path, Select, parse_soql
from emulators.salesforce.query.tokens import soql_error

_APEX_TYPES = {
    Kind.ID: "Id", Kind.REFERENCE: "Id", Kind.BOOLEAN: "Boolean", Kind.CURRENCY: "Double", Kind.DOUBLE: "Double",
    Kind.PERCENT: "Double", Kind.INT: "Integer", Kind.DATE: "Date", Kind.DATETIME: "Datetime",
}  # fmt: skip


def query_columns(org: Org, text: str) -> dict[str, Any]:
    """The columns that the query selects. Raises ApiError as the query would."""
    select = parse_soql(text)
    sobject = org.seen.find_object(select.sobject)
    if sobject is None:
        raise unknown_object(select.sobject)
    columns = _columns(org, sobject, select)
    return {
        "columnMetadata": columns, "entityName": sobject.name, "groupBy": False,
        "idSelected": any(each["columnName"] == "Id" for each in columns), "keyPrefix": sobject.prefix,
    }  # fmt: skip


def _columns(org: Org, sobject: SObject, select: Select) -> list[dict[str, Any]]:
    paths = [item for item in select.items if isinstance(item, Path)]
    inner = [item for item in select.items if isinstance(item, Select)]
    return _path_columns(org, sobject, paths, select.text) + [_child_column(org, sobject, each) for each in inner]


def _path_columns(org: Org, sobject: SObject, paths: list[Path], text: str) -> list[dict[str, Any]]:
    """One column for each field, and one for each parent, which holds those of its fields."""
    columns: dict[str, dict[str, Any]] = {}
    for path in paths:
        if len(path.names) == 1:
            field = sobject.find_field(path.names[0])
            if field is None:
                raise no_such_column(sobject, path, text)
            columns[field.name] = _field_column(field)
            continue
        link, parent = resolve_parent(org, sobject, path, text)
        first = path.names[0].lower()
        below = [Path(each.names[1:], each.at) for each in paths if each.names[0].lower() == first and each.names[1:]]
        joined = _path_columns(org, parent, below, text)
        columns.setdefault(link.relationship, _joined_column(link.relationship, joined, aggregate=False))
    return list(columns.values())


def _child_column(org: Org, sobject: SObject, inner: Select) -> dict[str, Any]:
    name = {each.lower(): each for each in sobject.children}.get(inner.sobject.lower())
    if name is None:
        message = f"Didn't understand relationship '{inner.sobject}' in FROM part of query call."
        raise soql_error(inner.text, inner.at, message, "INVALID_TYPE")
    child = org.seen.get(sobject.children[name][0])
    return _joined_column(name, _columns(org, child, inner), aggregate=True)


def _field_column(field: Field) -> dict[str, Any]:
    is_number = field.kind in NUMBER_KINDS
    return {
        "aggregate": False, "apexType": _APEX_TYPES.get(field.kind, "String"),
        "booleanType": field.kind is Kind.BOOLEAN, "columnName": field.name, "custom": field.is_custom,
        "displayName": field.name, "foreignKeyName": field.relationship or None, "insertable": field.writable,
        "joinColumns": [], "numberType": is_number, "textType": not is_number and field.kind is not Kind.BOOLEAN,
        "updatable": field.writable and not field.fixed,
    }  # fmt: skip


def _joined_column(name: str, columns: list[dict[str, Any]], *, aggregate: bool) -> dict[str, Any]:
    return {
        "aggregate": aggregate, "apexType": None, "booleanType": False, "columnName": name, "custom": False,
        "displayName": name, "foreignKeyName": None, "insertable": False, "joinColumns": columns, "numberType": False,
        "textType": False, "updatable": False,
    }  # fmt: skip
