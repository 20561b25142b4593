"""Give the JSON Schema of a mapping file, for editors: of a whole file, and of one that extends the default."""

from collections.abc import Mapping
from typing import Any

from shared.mapping.extension import EXTENDS, REMOVE
from shared.mapping.schema import REQUIRED_FIELDS, MappingFile
from shared.mapping.validation import load_mapping

type Node = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTIAL = "_partial"
"""Ends the name of a table of which a file that extends the default may set some keys only."""


def file_schema() -> Node:
    """Return the schema. A file that extends the default may leave out every key that the default has."""
    schema = MappingFile.model_json_schema()
    required = schema.pop("required")
    definitions = _as_in_toml(schema.pop("$defs"))
    schema = _as_in_toml(schema)
    fields = schema["properties"]["fields"]
    types = fields["additionalProperties"]["discriminator"]["mapping"]
    default = load_mapping()[0].fields
    definitions |= {f"{name}{_PARTIAL}": _partial(node, definitions) for name, node in definitions.items()}
    fields["properties"] = {name: {"$ref": f"{types[field.type]}{_PARTIAL}"} for name, field in default.items()}
    schema["properties"]["ours"] = {"$ref": f"#/$defs/Ours{_PARTIAL}"}
    schema["properties"] |= {EXTENDS: {"const": "default"}, REMOVE: _removable(default)}
    whole = {"required": required, "properties": {REMOVE: False}}
    schema |= {"$schema": DIALECT, "$defs": definitions, "title": "Mapping file of cosell"}
    return {**schema, "if": {"not": {"required": [EXTENDS]}}, "then": whole}


def _removable(fields: Mapping[str, Any]) -> Node:
    names = [name for name in fields if name not in REQUIRED_FIELDS]
    return {"type": "array", "items": {"enum": names}, "uniqueItems": True}


def _partial(value: Any, tables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    """Return a table, and the tables in it, without the demand for any key."""
    if isinstance(value, list):
        return [_partial(each, tables) for each in value]
    if not isinstance(value, dict):
        return value
    node = {key: _partial(each, tables) for key, each in value.items() if key != "required"}
    name = str(node.get("$ref", "")).rpartition("/")[2]
    return {**node, "$ref": f"{node['$ref']}{_PARTIAL}"} if name in tables else node


def _as_in_toml(value: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Return the schema without the null that TOML lacks, and with the texts that a key allows as a choice.

    pydantic names them as examples only.
    """
    if isinstance(value, list):
        return [_as_in_toml(each) for each in value]
    if not isinstance(value, dict):
        return value
    node = {key: _as_in_toml(each) for key, each in value.items() if key != "default" or each is not None}
    if node.get("type") == "string" and isinstance(node.get("examples"), list):
        node["enum"] = node.pop("examples")
    kinds = [each for each in node.pop("anyOf", ()) if each != {"type": "null"}]
    return {**node, **kinds[0]} if len(kinds) == 1 else {**node, "anyOf": kinds} if kinds else node
