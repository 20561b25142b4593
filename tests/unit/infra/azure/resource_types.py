"""Compares evaluated resources with Azure's resource types (types/NOTICE.md says how to read the table)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.unit.infra.azure.bicep_names import Symbol
from tests.unit.infra.azure.bicep_reader import Resource

_FILE = Path(__file__).parent / "types" / "types.json"
_KINDS: Mapping[str, type] = {"string": str, "bool": bool, "int": int}
_MARKS = "!-"
_BOUNDED = frozenset({"$string", "$int"})
_REFERENCE = re.compile(r"reference\(([^()]+)\)((?:\.\w+)+)")
"""A value that is a property of a resource, and nothing else."""

type Type = Any
"""An entry of the table."""


@cache
def resource_types() -> Mapping[str, Mapping[str, Type]]:
    """The types by name and version, as in `Microsoft.Web/sites@2025-03-01`."""
    types: Mapping[str, Mapping[str, Type]] = json.loads(_FILE.read_text(encoding="utf-8"))["types"]
    return types


def type_faults(resource: Resource) -> Iterator[str]:
    """What the type of a resource does not allow in its body."""
    expected = resource_types().get(f"{resource.type}@{resource.version}")
    if expected is None:
        yield f"{resource.type}@{resource.version} is not in types.json"
    elif not resource.existing:
        body = {name: value for name, value in resource.predicted().items() if name not in ("id", "type", "apiVersion")}
        body["name"] = resource.reference.full_name.rpartition("/")[2]
        yield from (f"{resource.type}{fault}" for fault in _value_faults(expected, body, ""))


def _value_faults(expected: Type, value: object, where: str) -> Iterator[str]:
    if expected in ("any", "...") or value is None:
        if expected == "..." and value is not None:
            yield f"{where} is not kept in types.json"
    elif isinstance(expected, Mapping) and not _BOUNDED & expected.keys():
        yield from _structure_faults(expected, value, where)
    elif not isinstance(value, Symbol):
        yield from _scalar_faults(expected, value, where)


def _scalar_faults(expected: Type, value: object, where: str) -> Iterator[str]:
    if isinstance(expected, list):
        if value not in expected or isinstance(value, bool):
            yield f"{where} is {value!r}, not one of {expected}"
        return
    kind, bounds = (expected, {}) if isinstance(expected, str) else next(iter(expected.items()))
    if type(value) is not _KINDS[kind.removeprefix("$")]:
        yield f"{where} is {value!r}, not of the type {kind.removeprefix('$')}"
        return
    size = value if isinstance(value, int) else len(str(value))
    low, high = (bounds.get(f"{end}Value", bounds.get(f"{end}Length", size)) for end in ("min", "max"))
    if not low <= size <= high or not re.search(bounds.get("pattern", ""), str(value)):
        yield f"{where} is {value!r}, outside {bounds}"


def _structure_faults(expected: Mapping[str, Type], value: object, where: str) -> Iterator[str]:
    if "$array" in expected:
        if not isinstance(value, list):
            yield f"{where} is not an array"
            return
        for index, each in enumerate(value):
            yield from _value_faults(expected["$array"], each, f"{where}[{index}]")
    elif not isinstance(value, Mapping):
        yield f"{where} is not an object"
    elif "$by" in expected:
        chosen = expected.get(str(value.get(expected["$by"])))
        if chosen is None:
            yield f"{where}.{expected['$by']} is {value.get(expected['$by'])!r}"
        else:
            yield from _object_faults(chosen, value, where)
    else:
        yield from _object_faults(expected, value, where)


def _object_faults(expected: Mapping[str, Type], value: Mapping[str, object], where: str) -> Iterator[str]:
    by_name = {name.rstrip(_MARKS): (name, each) for name, each in expected.items()}
    for name, each in value.items():
        key, kind = by_name.get(name, ("", expected.get("$other")))
        if kind is None:
            yield f"{where} has no property {name}"
        elif key.endswith("-"):
            yield f"{where}.{name} is read-only"
        else:
            yield from _value_faults(kind, each, f"{where}.{name}")
    given = {name for name, each in value.items() if each is not None}
    required = {name.rstrip(_MARKS) for name in expected if name.endswith("!")}
    yield from (f"{where} needs {name}" for name in sorted(required - given))


def reference_faults(resources: Iterable[Resource], outputs: Iterable[str] = ()) -> Iterator[str]:
    """The properties that values and outputs are read from, of resources whose types do not have them."""
    listed = list(resources)
    types = {each.id: resource_types().get(f"{each.type}@{each.version}", {}) for each in listed}
    texts = {text for each in listed for text in _symbols_of(each.body)} | set(outputs)
    for resource, path in sorted({match.groups() for text in texts if (match := _REFERENCE.fullmatch(text))}):
        if not _has_path(types.get(resource, {}), path.split(".")[1:]):
            yield f"{resource} has no {path[1:]}"


def _symbols_of(value: object) -> Iterator[str]:
    if isinstance(value, Symbol):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _symbols_of(key)
            yield from _symbols_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from _symbols_of(each)


def _has_path(expected: Type, steps: list[str]) -> bool:
    if not steps:
        return not isinstance(expected, Mapping)
    if not isinstance(expected, Mapping):
        return False
    found = [each for name, each in expected.items() if name.rstrip(_MARKS) == steps[0]]
    return bool(found) and _has_path(found[0], steps[1:])
