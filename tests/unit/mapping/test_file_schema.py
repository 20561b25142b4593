"""The JSON Schema knows every key of the files that the app takes, and refuses what it can name."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shared.mapping.file_schema import file_schema
from shared.mapping.schema import DEFAULT

SCHEMA = file_schema()
MAPPINGS = Path(__file__).parents[3] / "mapping"
WHOLE = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))


def node_of(node: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference means."""
    while "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    return node


KINDS: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def faults_of(value: Any, node: dict[str, Any], at: str = "") -> list[str]:  # noqa: ANN401 - any value of a file
    """The places of a document that the schema refuses: as far as our schema goes, which has few kinds of nodes."""
    node = node_of(node)
    if "discriminator" in node:
        kinds = node["discriminator"]["mapping"]
        return faults_of(value, {"$ref": kinds[value["type"]]}, at) if value.get("type") in kinds else [f"{at}.type"]
    is_kind = isinstance(value, KINDS.get(node.get("type", ""), object))
    is_listed = value in node.get("enum", [value]) and value == node.get("const", value)
    if not (is_kind and is_listed and (not isinstance(value, str) or re.search(node.get("pattern", ""), value))):
        return [at]
    if isinstance(value, list):
        return [fault for each in value for fault in faults_of(each, node.get("items", {}), at)]
    return faults_of_table(value, node, at) if isinstance(value, dict) else []


def faults_of_table(table: dict[str, Any], node: dict[str, Any], at: str) -> list[str]:
    """The places of a table that the schema refuses."""
    missing = [f"{at}.{key}" for key in node.get("required", ()) if key not in table]
    known, more = node.get("properties", {}), node.get("additionalProperties", {})
    for key, value in table.items():
        own = known.get(key, more)
        missing += [f"{at}.{key}"] if own is False else faults_of(value, own if own is not True else {}, f"{at}.{key}")
    return missing


@pytest.mark.parametrize("path", [DEFAULT, *sorted(MAPPINGS.glob("*.toml"))], ids=lambda path: path.stem)
def test_the_files_of_the_product_fit(path: Path) -> None:
    assert faults_of(tomllib.loads(path.read_text(encoding="utf-8")), SCHEMA) == []


def test_a_whole_file_needs_what_the_default_has() -> None:
    assert SCHEMA["if"] == {"not": {"required": ["extends"]}}
    assert set(SCHEMA["then"]["required"]) == {"version", "ours", "fields", "stages"} <= WHOLE.keys()
    assert SCHEMA["then"]["properties"] == {"remove": False}, "a whole file leaves the table out"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('extends = "other"', ".extends"),
        ('remove = ["money"]', ".remove"),
        ('[fields.money]\nwiner = "salesforce"', ".fields.money.winer"),
        ('[fields.money]\nwinner = "nobody"', ".fields.money.winner"),
        ('[fields.money.salesforce]\nfixed_currency = "Euro"', ".fields.money.salesforce.fixed_currency"),
        ('[fields.region]\nlabel = "Region"', ".fields.region.type"),
        ('[fields.region]\ntype = "date"\nlabel = "Day"\nsalesforce = "Day__c"', ".fields.region.referral"),
        ('[[stages]]\nname = "Won"\nstatus = "Won"', ".stages.status"),
        ('[ours]\nflag = "A b"', ".ours.flag"),
    ],
)
def test_a_fault_is_found_at_its_place(text: str, at: str) -> None:
    assert faults_of(tomllib.loads(text), SCHEMA) == [at]


def test_a_file_that_extends_names_only_what_differs() -> None:
    text = 'extends = "default"\nremove = ["contacts"]\n[fields.money]\nsalesforce = { fixed_currency = "EUR" }\n'
    assert faults_of(tomllib.loads(text), SCHEMA) == []
