"""Say in plain words where the content of a mapping file does not fit the schema.

The words come from the JSON Schema of `MappingFile`, so that a new key of the schema is described without further code.
The texts of pydantic's own errors are never used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.mapping.extension import EXTENDS, REMOVE
from shared.mapping.schema import REQUIRED_FIELDS, MappingFile
from shared.mapping.violations import (
    Place,
    Violation,
    describe_value,
    did_you_mean,
    expectation,
    nearest,
    one_of,
    quote,
)

type Node = Mapping[str, Any]
"""A node of the JSON Schema: what a value must be."""

_EXTENDS_HINT = ' A file that contains only what differs begins with extends = "default".'

type IsOwn = Callable[[Place], bool]
"""Whether the file itself has a place. If not, the default file that it extends has it."""


def schema_violations(document: Mapping[str, Any], is_own: IsOwn) -> list[Violation]:
    """Return every place where the document does not fit the schema, also in tables with a wrong type."""
    violations = list(_type_violations(document))
    try:
        MappingFile.model_validate(_assume_types(document))
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        details = []
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    meant = {_place_of(detail): _nearest_key(detail, is_own) for detail in unknown}
    corrected = {(*place[:-1], key) for place, key in meant.items() if key}
    for detail in details:
        place = _place_of(detail)
        if not _is_consequence(detail, corrected):
            violations.append(Violation(place, _describe(detail, meant.get(place), is_own)))
    return violations


def _is_consequence(detail: ErrorDetails, corrected: set[Place]) -> bool:
    """Whether another violation has said it: about a type, an element of a list, or a key with a wrong name."""
    kind = detail["type"]
    return (
        kind.startswith("union_tag")
        or (kind == "too_short" and bool(detail["input"]))
        or (kind == "missing" and _place_of(detail) in corrected)
    )


# --- types of fields --------------------------------------------------------------------------------------------------


def _field_tables(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = document.get("fields")
    for name, field in fields.items() if isinstance(fields, dict) else ():
        if isinstance(field, dict):
            yield name, field


def _type_violations(document: Mapping[str, Any]) -> Iterator[Violation]:
    names = {*REQUIRED_FIELDS, *(name for name, _ in _field_tables(document))}
    for name, field in _field_tables(document):
        place: Place = ("fields", name, "type")
        if "type" not in field:
            table = nearest(name, names - {name})
            hint = did_you_mean(f"the table fields.{table}") if table else ""
            yield Violation(place, f"this key is missing; expected {one_of(_field_types())}.{hint}")
        elif field["type"] not in list(_field_types()):
            value = field["type"]
            yield Violation(
                place, expectation(one_of(_field_types()), describe_value(value), nearest(value, _field_types()))
            )


def _assume_types(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the types that were probably meant, so that the other keys of a table can be checked."""
    fields = {name: {**field, "type": _probable_type(name, field)} for name, field in _field_tables(document)}
    return {**document, "fields": {**document["fields"], **fields}} if fields else dict(document)


def _probable_type(name: str, field: Mapping[str, Any]) -> object:
    given = field.get("type")
    required = REQUIRED_FIELDS.get(name)
    if required:
        return given if given in required else required[0]
    return given if given in list(_field_types()) else nearest(given, _field_types())


# --- words of the schema ----------------------------------------------------------------------------------------------


@cache
def _schema() -> Node:
    return MappingFile.model_json_schema()


def _field_types() -> Mapping[str, str]:
    """Return the types of fields, each with the reference to its node."""
    types: Mapping[str, str] = _schema()["properties"]["fields"]["additionalProperties"]["discriminator"]["mapping"]
    return types


def _resolve(node: Node) -> Node:
    """Return the node itself instead of a reference to it, or of a choice between it and nothing."""
    while True:
        if "$ref" in node:
            node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            node = node["anyOf"][0]
        else:
            return node


def _node_at(location: Place) -> Node:
    """Return the node of a value. In a location of pydantic the type of a field follows its name."""
    node = _schema()
    for step in location:
        if "discriminator" in node:
            node = {"$ref": node["discriminator"]["mapping"][step]}
        elif "properties" in node:
            node = node["properties"][step]
        else:
            node = node["items"] if "items" in node else node["additionalProperties"]
        node = _resolve(node)
    return node


def _place_of(detail: ErrorDetails) -> Place:
    """Return the place of an error, without the type that pydantic adds after a field's name."""
    place = detail["loc"]
    return (*place[:2], *place[3:]) if place[:1] == ("fields",) else place


def _describe(detail: ErrorDetails, nearest_key: str | None, is_own: IsOwn) -> str:
    """Return the sentence for one error of pydantic, of which only kind, location and input are used."""
    if detail["type"] == "extra_forbidden":
        origin = "" if is_own(_place_of(detail)) else " The default file has this key."
        return f"this key is not known; expected {one_of(_keys_beside(detail))}.{did_you_mean(nearest_key)}{origin}"
    node = _node_at(detail["loc"])
    if detail["type"] == "missing":
        hint = _EXTENDS_HINT if detail["loc"] == ("version",) else ""
        return f"this key is missing; expected {_describe_node(node)}.{hint}"
    if detail["type"] == "value_error" and "properties" in node:
        return f"{detail['ctx']['error']}."
    value = detail["input"]
    origin = "" if is_own(_place_of(detail)) else " in the default file"
    return expectation(_describe_node(node), f"{_describe_input(value, node)}{origin}", _suggestion(value, node))


def _keys_beside(detail: ErrorDetails) -> list[str]:
    """Return the keys that the table of an unknown key can have."""
    keys = _node_at(detail["loc"][:-1])["properties"]
    return [*keys, EXTENDS, REMOVE] if len(detail["loc"]) == 1 else list(keys)


def _nearest_key(detail: ErrorDetails, is_own: IsOwn) -> str | None:
    """Return the key that was probably meant. A key that the file has already is not meant, unless it is a table."""
    table = _place_of(detail)[:-1]
    is_table = isinstance(detail["input"], dict | list)
    candidates = [key for key in _keys_beside(detail) if is_table or not is_own((*table, key))]
    return nearest(detail["loc"][-1], candidates)


def _describe_node(node: Node) -> str:
    """Return words for what a value must be."""
    if node.get("type") == "string" and "description" in node and "enum" not in node:
        return str(node["description"])
    return one_of(_allowed_values(node)) or _describe_kind(node)


def _describe_kind(node: Node) -> str:
    match node.get("type"):
        case "array":
            return _describe_list_of(_resolve(node["items"]))
        case "integer":
            return f"a whole number above {node['exclusiveMinimum']}"
        case "number":
            return f"a number above {node['exclusiveMinimum']:g}"
        case "boolean":
            return "true or false"
        case "string":
            return f"a text in quotation marks{_describe_length(node)}"
    return _describe_table(node)


def _allowed_values(node: Node) -> list[object]:
    return [node["const"]] if "const" in node else list(node.get("enum") or node.get("examples") or ())


def _describe_length(node: Node) -> str:
    if "minLength" in node:
        return " that is not empty"
    return f" of at most {node['maxLength']} characters" if "maxLength" in node else ""


def _describe_list_of(items: Node) -> str:
    if "properties" in items:
        return "a list of tables [[owners]]" if items["title"] == "OwnerRule" else "at least one [[stages]] table"
    if "const" in items:
        return f"[{quote(items['const'])}]"
    return f"a list in [ ], where each text is {_describe_node(items)}"


def _describe_table(node: Node) -> str:
    if "properties" in node:
        return f"a table with the keys {', '.join(node['properties'])}"
    if "discriminator" in node:
        return "a table with the keys of a field"
    return str(node.get("description") or "a table for each field, such as [fields.money]")


def _describe_input(value: object, node: Node) -> str:
    """Return words for a wrong value. A text that is too long and a number for a text can be personal, so not these."""
    if isinstance(value, str) and len(value) > node.get("maxLength", len(value)):
        return f"a text of {len(value)} characters"
    if node.get("type") == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    return describe_value(value)


def _suggestion(value: object, node: Node) -> str | None:
    """Return the value that was probably meant."""
    if not isinstance(value, str):
        return None
    if "pattern" in node:
        path = value.strip(" /\\")
        guesses = (path, f"/{path}", path.replace("/", "."), f"/{path.replace('.', '/')}")
        return next((guess for guess in guesses if path and re.fullmatch(node["pattern"], guess)), None)
    if node.get("type") == "array":
        item = _suggestion(value, _resolve(node["items"]))
        return f"[{quote(item)}]" if item else None
    return nearest(value, [name for name in _allowed_values(node) if isinstance(name, str)])
