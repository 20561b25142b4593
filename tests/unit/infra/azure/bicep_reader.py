"""Bicep files as what they would deploy: parameters put in, loops and modules unfolded, conditions decided.

Types are not looked at: that is for the Bicep CLI (and test_bicep_tools.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

from tests.unit.infra.azure.bicep_values import Evaluator, NotUnderstood, Symbol, Value, named, text

_KINDS: Mapping[str, type] = {"string": str, "int": int, "bool": bool, "object": dict, "string[]": list}

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


@cache
def _parsed(source: str) -> Node:
    return _PARSER.parse(source.encode()).root_node


def faults(node: Node) -> Iterator[str]:
    """Where the parser gave up."""
    if node.type == "ERROR" or node.is_missing:
        yield f"line {node.start_point[0] + 1}: cannot be read near {text(node)[:40]!r}"
        return
    for child in node.children:
        yield from faults(child)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; `rules` are its decorators with their arguments."""

    name: str
    type: str
    default: Node | None
    rules: Mapping[str, Value]

    def wrong(self, value: Value) -> str | None:
        """Why a value is not taken, in a few words."""
        kind = _KINDS.get(self.type)
        if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            return f"is no {self.type}"
        if "allowed" in self.rules and value not in self.rules["allowed"]:
            return f"is none of {self.rules['allowed']}"
        size = value if isinstance(value, int) else len(value)
        low = self.rules.get("minValue", self.rules.get("minLength", size))
        high = self.rules.get("maxValue", self.rules.get("maxLength", size))
        return None if low <= size <= high else f"is not within {low} and {high}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that would be deployed, or one that is referred to (`existing`)."""

    file: str
    symbol: str
    type: str
    version: str
    body: Mapping[str, Any]
    decorators: frozenset[str] = frozenset()
    existing: bool = False

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its `properties`."""
        found: Mapping[str, Any] = self.body.get("properties", {})
        return found


@dataclass(slots=True)
class Template:
    """One file with its parameters put in. Raises NotUnderstood, at once or when a value is asked for."""

    path: Path
    given: Mapping[str, Value] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    outputs: dict[str, Node] = field(default_factory=dict)
    types: dict[str, Node] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, Node] = field(default_factory=dict)
    _declared: list[tuple[Node, frozenset[str]]] = field(default_factory=list)
    _imports: dict[str, str] = field(default_factory=dict)
    _symbols: set[str] = field(default_factory=set)
    _unfolded: dict[str, "Template"] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the declarations."""
        root = _parsed(self.source)
        if root.has_error:
            raise NotUnderstood(f"{self.path.name}: {next(faults(root))}")
        pending: dict[str, Value] = {}
        for node in root.named_children:
            if node.type == "decorators":
                pending |= dict(self._decorators(node))
            elif node.type != "comment":
                self._declare(node, pending)
                pending = {}

    @property
    def source(self) -> str:
        """The file's text; a parameter file's parameters read as variables."""
        whole = self.path.read_text(encoding="utf-8")
        if self.path.suffix != ".bicepparam":
            return whole
        lines = [line for line in whole.splitlines() if not line.startswith("using ")]
        return "\n".join(f"var {line[6:]}" if line.startswith("param ") else line for line in lines) + "\n"

    @property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.value, self.path.parent, self.environ)

    def _decorators(self, node: Node) -> Iterator[tuple[str, Value]]:
        for each in named(node, "decorator"):
            function, arguments = named(named(each, "call_expression")[0])
            values = [self._evaluator.value(child) for child in named(arguments)]
            yield text(function), values[0] if values else True

    def _declare(self, node: Node, decorators: Mapping[str, Value]) -> None:
        names = [text(child) for child in named(node, "identifier", "compatible_identifier")]
        if node.type == "import_functionality":
            self._imports |= dict.fromkeys(names, text(named(named(node, "string")[0])[0]))
            return
        if node.type == "target_scope_assignment":
            return
        self._keep(node, names[0], decorators)

    def _keep(self, node: Node, name: str, decorators: Mapping[str, Value]) -> None:
        match node.type:
            case "parameter_declaration":
                _, kind, *default = named(node)
                self.parameters[name] = Parameter(name, text(kind), default[0] if default else None, decorators)
            case "variable_declaration":
                self._variables[name] = named(node)[-1]
            case "output_declaration":
                self.outputs[name] = named(node)[-1]
            case "type_declaration":
                self.types[name] = named(node)[-1]
            case "module_declaration":
                self.modules[name] = text(named(named(node, "string")[0])[0])
                self._declared.append((node, frozenset(decorators)))
            case "resource_declaration":
                self._symbols.add(name)
                self._declared.append((node, frozenset(decorators)))
            case other:
                raise NotUnderstood(f"{self.path.name}: {other}")

    def value(self, name: str) -> Value:
        """What a name stands for."""
        if name not in self._values:
            self._values[name] = self._found(name)
        return self._values[name]

    def _found(self, name: str) -> Value:
        if name in self._variables:
            return self._evaluator.value(self._variables[name])
        if name in self.parameters:
            return self._parameter(self.parameters[name])
        if name in self._imports:
            return _imported(self.path.parent / self._imports[name], name)
        if name in self._symbols:
            return Symbol(name)
        if name in self.modules:
            return {"outputs": _Outputs(self._module(name))}
        raise NotUnderstood(f"{self.path.name}: nothing is called {name}")

    def _parameter(self, parameter: Parameter) -> Value:
        if parameter.name in self.given:
            return self.given[parameter.name]
        if parameter.default is None:
            raise NotUnderstood(f"{self.path.name}: the parameter {parameter.name} is not given")
        return self._evaluator.value(parameter.default)

    @property
    def variables(self) -> dict[str, Value]:
        """Every variable's value; of a parameter file, the parameters it sets."""
        return {name: self.value(name) for name in self._variables}

    def output(self, name: str) -> Value:
        """What an output is worth."""
        return self._evaluator.value(self.outputs[name])

    def _module(self, name: str) -> "Template":
        if name not in self._unfolded:
            node = next(each for each, _ in self._declared if text(named(each)[0]) == name)
            body = next(each for each in _objects(node))
            given = self._evaluator.value(body).get("params", {})
            self._unfolded[name] = Template(self.path.parent / self.modules[name], given, self.environ)
        return self._unfolded[name]

    def resources(self) -> Iterator[Resource]:
        """Everything that would be deployed, modules included; what a condition leaves out is left out."""
        for node, decorators in self._declared:
            kept = list(self._bodies(named(node)[-1], {}))
            if node.type == "module_declaration" and kept:
                yield from self._module(text(named(node)[0])).resources()
            elif node.type == "resource_declaration":
                yield from (self._resource(node, body, decorators) for body in kept)

    def _resource(self, node: Node, body: Mapping[str, Value], decorators: frozenset[str]) -> Resource:
        kind, _, version = text(named(named(node, "string")[0])[0]).partition("@")
        existing = any(text(child) == "existing" for child in node.children)
        return Resource(self.path.name, text(named(node)[0]), kind, version, body, decorators, existing)

    def _bodies(self, node: Node, local: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
        if node.type == "for_statement":
            for body, inner in self._evaluator.rounds(node, local):
                yield from self._bodies(body, inner)
        elif node.type == "if_statement":
            condition, body = named(node)
            if self._evaluator.value(condition, local):
                yield from self._bodies(body, local)
        else:
            yield self._evaluator.value(node, local)


@cache
def _imported(path: Path, name: str) -> Value:
    return Template(path).value(name)


class _Outputs(Mapping[str, Value]):
    """A module's outputs, each evaluated when asked for."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def __getitem__(self, name: str) -> Value:
        return self._template.output(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._template.outputs)

    def __len__(self) -> int:
        return len(self._template.outputs)


def _objects(node: Node) -> Iterator[Node]:
    for child in named(node):
        if child.type == "object":
            yield child
        elif child.type in ("if_statement", "for_statement"):
            yield from _objects(child)
