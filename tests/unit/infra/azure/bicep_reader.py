"""Reads Bicep files and returns the resources that they would deploy: with parameters, loops, modules and conditions
applied.

It does not check types. The Bicep CLI does, and test_bicep_tools.py runs it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

from tests.unit.infra.azure.bicep_values import Evaluator, Symbol, UnsupportedBicep, Value, named_children, source_of

_KINDS: Mapping[str, type] = {"string": str, "int": int, "bool": bool, "object": dict, "string[]": list}

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


@cache
def _parse_bicep(source: str) -> Node:
    return _PARSER.parse(source.encode()).root_node


def syntax_errors(node: Node) -> Iterator[str]:
    """The places that the parser could not read."""
    if node.type == "ERROR" or node.is_missing:
        yield f"line {node.start_point[0] + 1}: cannot be read near {source_of(node)[:40]!r}"
        return
    for child in node.children:
        yield from syntax_errors(child)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter. `rules` has the arguments of its decorators, by decorator."""

    name: str
    type: str
    default: Node | None
    rules: Mapping[str, Value]

    def why_invalid(self, value: Value) -> str | None:
        """Why a value is not allowed, in a few words, or None if it is allowed."""
        kind = _KINDS.get(self.type)
        if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            return f"is not of the type {self.type}"
        if "allowed" in self.rules and value not in self.rules["allowed"]:
            return f"is not one of {self.rules['allowed']}"
        size = value if isinstance(value, int) else len(value)
        low = self.rules.get("minValue", self.rules.get("minLength", size))
        high = self.rules.get("maxValue", self.rules.get("maxLength", size))
        return None if low <= size <= high else f"is not between {low} and {high}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that would be deployed, or one that is only referred to (`existing`)."""

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
        properties: Mapping[str, Any] = self.body.get("properties", {})
        return properties


@dataclass(slots=True)
class Template:
    """One file with values for its parameters. Raises UnsupportedBicep, here or when a value is read."""

    path: Path
    arguments: Mapping[str, Value] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    outputs: dict[str, Node] = field(default_factory=dict)
    types: dict[str, Node] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, Node] = field(default_factory=dict)
    _declared: list[tuple[Node, frozenset[str]]] = field(default_factory=list)
    _imports: dict[str, str] = field(default_factory=dict)
    _symbols: set[str] = field(default_factory=set)
    _module_templates: dict[str, "Template"] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the declarations."""
        root = _parse_bicep(self.source)
        if root.has_error:
            raise UnsupportedBicep(f"{self.path.name}: {next(syntax_errors(root))}")
        pending: dict[str, Value] = {}
        for node in root.named_children:
            if node.type == "decorators":
                pending |= dict(self._read_decorators(node))
            elif node.type != "comment":
                self._read_declaration(node, pending)
                pending = {}

    @property
    def source(self) -> str:
        """The file's text. In a parameter file, each `param` is read as a `var`."""
        whole = self.path.read_text(encoding="utf-8")
        if self.path.suffix != ".bicepparam":
            return whole
        lines = [line for line in whole.splitlines() if not line.startswith("using ")]
        return "\n".join(f"var {line[6:]}" if line.startswith("param ") else line for line in lines) + "\n"

    @property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.value, self.path.parent, self.environ)

    def _read_decorators(self, node: Node) -> Iterator[tuple[str, Value]]:
        for each in named_children(node, "decorator"):
            function, arguments = named_children(named_children(each, "call_expression")[0])
            values = [self._evaluator.value(child) for child in named_children(arguments)]
            yield source_of(function), values[0] if values else True

    def _read_declaration(self, node: Node, decorators: Mapping[str, Value]) -> None:
        names = [source_of(child) for child in named_children(node, "identifier", "compatible_identifier")]
        if node.type == "import_functionality":
            self._imports |= dict.fromkeys(names, source_of(named_children(named_children(node, "string")[0])[0]))
            return
        if node.type == "target_scope_assignment":
            return
        self._add_declaration(node, names[0], decorators)

    def _add_declaration(self, node: Node, name: str, decorators: Mapping[str, Value]) -> None:
        match node.type:
            case "parameter_declaration":
                _, kind, *default = named_children(node)
                self.parameters[name] = Parameter(name, source_of(kind), default[0] if default else None, decorators)
            case "variable_declaration":
                self._variables[name] = named_children(node)[-1]
            case "output_declaration":
                self.outputs[name] = named_children(node)[-1]
            case "type_declaration":
                self.types[name] = named_children(node)[-1]
            case "module_declaration":
                self.modules[name] = source_of(named_children(named_children(node, "string")[0])[0])
                self._declared.append((node, frozenset(decorators)))
            case "resource_declaration":
                self._symbols.add(name)
                self._declared.append((node, frozenset(decorators)))
            case node_type:
                raise UnsupportedBicep(f"{self.path.name}: {node_type}")

    def value(self, name: str) -> Value:
        """The value of a name."""
        if name not in self._values:
            self._values[name] = self._evaluate_name(name)
        return self._values[name]

    def _evaluate_name(self, name: str) -> Value:
        if name in self._variables:
            return self._evaluator.value(self._variables[name])
        if name in self.parameters:
            return self._parameter_value(self.parameters[name])
        if name in self._imports:
            return _imported_value(self.path.parent / self._imports[name], name)
        if name in self._symbols:
            return Symbol(name)
        if name in self.modules:
            return {"outputs": _Outputs(self._module_template(name))}
        raise UnsupportedBicep(f"{self.path.name}: the name {name} is not declared")

    def _parameter_value(self, parameter: Parameter) -> Value:
        if parameter.name in self.arguments:
            return self.arguments[parameter.name]
        if parameter.default is None:
            raise UnsupportedBicep(f"{self.path.name}: the parameter {parameter.name} has no value")
        return self._evaluator.value(parameter.default)

    @property
    def variables(self) -> dict[str, Value]:
        """The value of every variable; for a parameter file, of every parameter that it sets."""
        return {name: self.value(name) for name in self._variables}

    def output_value(self, name: str) -> Value:
        """The value of an output."""
        return self._evaluator.value(self.outputs[name])

    def _module_template(self, name: str) -> "Template":
        if name not in self._module_templates:
            node = next(each for each, _ in self._declared if source_of(named_children(each)[0]) == name)
            body = next(each for each in _find_objects(node))
            arguments = self._evaluator.value(body).get("params", {})
            self._module_templates[name] = Template(self.path.parent / self.modules[name], arguments, self.environ)
        return self._module_templates[name]

    def module_arguments(self) -> Iterator[tuple[Parameter, Node]]:
        """The parameters that modules get, and the expressions of their values."""
        for node, _ in self._declared:
            if node.type == "module_declaration":
                path = self.path.parent / self.modules[source_of(named_children(node)[0])]
                expected = Template(path).parameters
                for body in _find_objects(node):
                    given = dict(_object_members(dict(_object_members(body))["params"]))
                    yield from ((expected[name], value) for name, value in given.items())

    def resource_names(self) -> Iterator[tuple[str, Node]]:
        """The type of each resource that this file declares, and the expression of its name."""
        for node, _ in self._declared:
            if node.type == "resource_declaration":
                kind = source_of(named_children(named_children(node, "string")[0])[0]).partition("@")[0]
                yield from ((kind, dict(_object_members(body))["name"]) for body in _find_objects(node))

    def resources(self) -> Iterator[Resource]:
        """Every resource that would be deployed, those of modules included."""
        for node, decorators in self._declared:
            bodies = list(self._evaluated_bodies(named_children(node)[-1], {}))
            if node.type == "module_declaration" and bodies:
                yield from self._module_template(source_of(named_children(node)[0])).resources()
            elif node.type == "resource_declaration":
                yield from (self._make_resource(node, body, decorators) for body in bodies)

    def _make_resource(self, node: Node, body: Mapping[str, Value], decorators: frozenset[str]) -> Resource:
        kind, _, version = source_of(named_children(named_children(node, "string")[0])[0]).partition("@")
        existing = any(source_of(child) == "existing" for child in node.children)
        return Resource(self.path.name, source_of(named_children(node)[0]), kind, version, body, decorators, existing)

    def _evaluated_bodies(self, node: Node, local: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
        if node.type == "for_statement":
            for body, inner in self._evaluator.loop_rounds(node, local):
                yield from self._evaluated_bodies(body, inner)
        elif node.type == "if_statement":
            condition, body = named_children(node)
            if self._evaluator.value(condition, local):
                yield from self._evaluated_bodies(body, local)
        else:
            yield self._evaluator.value(node, local)


@cache
def _imported_value(path: Path, name: str) -> Value:
    return Template(path).value(name)


class _Outputs(Mapping[str, Value]):
    """The outputs of a module. Each is evaluated when it is read."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def __getitem__(self, name: str) -> Value:
        return self._template.output_value(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._template.outputs)

    def __len__(self) -> int:
        return len(self._template.outputs)


def _find_objects(node: Node) -> Iterator[Node]:
    for child in named_children(node):
        if child.type == "object":
            yield child
        elif child.type in ("if_statement", "for_statement"):
            yield from _find_objects(child)


def _object_members(node: Node) -> Iterator[tuple[str, Node]]:
    for each in named_children(node, "object_property"):
        key, *rest = named_children(each)
        if rest:  # a nested resource has no value
            yield source_of(key), rest[-1]
