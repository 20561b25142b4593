"""Reads what `bicep snapshot` writes, as the resources that the checks judge.

What only Azure knows is an expression there, as in `[reference('ID', '2024-11-30').clientId]`. Here it becomes the
Symbol that the reader of this folder gives for the same Bicep text.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.unit.infra.azure.bicep_names import SUBSCRIPTION, ResourceReference, Symbol, joined, resource_id
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_values import UnsupportedBicep, Value

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(\w+)|(.))")


def snapshot_resources(file: Path) -> list[Resource]:
    """The resources of a snapshot. Raises UnsupportedBicep for an expression that the templates have no need of."""
    listed = json.loads(file.read_text(encoding="utf-8"))["predictedResources"]
    return [_resource(each) for each in listed]


def _resource(found: Mapping[str, Any]) -> Resource:
    name, kind = _full_name(found["name"]), found["type"]
    body = {key: _read(value) for key, value in found.items() if key not in ("id", "type", "apiVersion", "condition")}
    body["name"] = name if isinstance(name, Symbol) else name.rpartition("/")[2]
    return Resource(
        "snapshot", name, ResourceReference(_scope(found, kind, name), kind, name), found["apiVersion"], body
    )


def _full_name(written: str) -> str:
    """The names of parents and of the resource, without the marks of a text that is put together."""
    name: str = _read(written)
    return Symbol(re.sub(r"^<(.*)>/", r"\1/", name)) if isinstance(name, Symbol) else name


def _scope(found: Mapping[str, Any], kind: str, name: str) -> str:
    extended = re.match(r"\[extensionResourceId\('([^']+)'", found["id"])
    if extended:
        return extended[1]
    grouped = re.match(r"\[resourceId\('[^']+', '([^']+)'", found["id"])
    if grouped:
        return f"{SUBSCRIPTION}/resourceGroups/{grouped[1]}"
    return str(found["id"]).removesuffix(resource_id("", kind, name))


def _read(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {_read(key): _read(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_read(each) for each in value]
    if not isinstance(value, str) or not value.startswith("["):
        return value
    return value[1:] if value.startswith("[[") else _Expression(value[1:-1]).value()


class _Expression:
    """An expression of a template of Resource Manager."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match.groups() for match in _TOKEN.finditer(text)]

    def value(self) -> Value:
        literal, word, sign = self._tokens.pop(0)
        if literal is not None:
            return literal.replace("''", "'")
        if word is None or not self._next_is("("):
            raise UnsupportedBicep(f"{word or sign} in the snapshot's {self._text}")
        result = _call(word, list(self._arguments()))
        while self._next_is("."):
            self._tokens.pop(0)
            result = Symbol(f"{result}.{self._tokens.pop(0)[1]}")
        return result

    def _next_is(self, sign: str) -> bool:
        return bool(self._tokens) and self._tokens[0][2] == sign

    def _arguments(self) -> Iterator[Value]:
        self._tokens.pop(0)
        while not self._next_is(")"):
            if self._next_is(","):
                self._tokens.pop(0)
            yield self.value()
        self._tokens.pop(0)


def _format(pattern: str, *values: Value) -> str:
    parts = re.split(r"\{(\d+)\}", pattern)
    texts = [values[int(part)] if index % 2 else part for index, part in enumerate(parts)]
    return joined(*(Symbol(f"<{text}>") if isinstance(text, Symbol) else text for text in texts))


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "format": _format,
    "reference": lambda identity, _version: Symbol(f"reference({identity}).properties"),
    "resourceId": lambda _subscription, group, kind, name: joined(
        resource_id(f"{SUBSCRIPTION}/resourceGroups/{group}", kind, "NAME").removesuffix("NAME"), name
    ),
    "string": lambda value: value,
}


def _call(name: str, values: list[Value]) -> Value:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](*values)
    return Symbol(f"{name}({', '.join(map(str, values))})")
