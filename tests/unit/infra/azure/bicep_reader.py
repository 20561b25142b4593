"""Reads Bicep files and returns the resources that they would deploy: with parameters, loops, modules and conditions
applied.

It does not check types. The Bicep CLI does, and test_bicep_tools.py runs it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.unit.infra.azure.bicep_names import SUBSCRIPTION, ResourceReference, Symbol, joined
from tests.unit.infra.azure.bicep_tree import (
    Node,
    find_objects,
    identifiers,
    named_children,
    nested_resources,
    object_members,
    parse_bicep,
    source_of,
    syntax_errors,
    type_of,
)
from tests.unit.infra.azure.bicep_values import Evaluator, UnsupportedBicep, Value

_KINDS: Mapping[str, type] = {"string": str, "int": int, "bool": bool, "object": dict, "string[]": list}

_OF_THE_LANGUAGE = frozenset({"name", "parent", "scope", "dependsOn"})
"""Members of a declaration that are no properties of the deployed resource as they stand."""

_NAMING = ("name", "parent", "scope")


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
    reference: ResourceReference
    version: str
    body: Mapping[str, Any]
    decorators: frozenset[str] = frozenset()
    existing: bool = False

    @property
    def type(self) -> str:
        """Its type, without the version."""
        return self.reference.type

    @property
    def id(self) -> str:
        """Its resource id."""
        return self.reference.id

    def given_by_azure(self, path: str) -> Symbol:
        """The Symbol of a property that only Azure knows, such as `properties.clientId`."""
        return Symbol(f"reference({self.id}).{path}")

    def predicted(self) -> dict[str, Any]:
        """What a snapshot of the Bicep CLI has of it."""
        body = {name: value for name, value in self.body.items() if name not in _OF_THE_LANGUAGE}
        named = {"id": self.id, "type": self.type, "name": self.reference.full_name, "apiVersion": self.version}
        return named | body

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
    scope: str = SUBSCRIPTION
    parameters: dict[str, Parameter] = field(default_factory=dict)
    outputs: dict[str, Node] = field(default_factory=dict)
    types: dict[str, Node] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    _variables: dict[str, Node] = field(default_factory=dict)
    _declared: dict[str, tuple[Node, frozenset[str]]] = field(default_factory=dict)
    _nested: dict[str, tuple[str, Node]] = field(default_factory=dict)
    _imports: dict[str, str] = field(default_factory=dict)
    _module_templates: dict[str, "Template"] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _evaluator: Evaluator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the declarations."""
        self._evaluator = Evaluator(self.value, self.path.parent, self.environ, self.scope)
        root = parse_bicep(self.source)
        if error := next(syntax_errors(root), None):
            raise UnsupportedBicep(f"{self.path.name}: {error}")
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
        whole = self.path.read_bytes().decode()
        if self.path.suffix != ".bicepparam":
            return whole
        lines = [line for line in whole.splitlines() if not line.startswith("using ")]
        return "\n".join(f"var {line[6:]}" if line.startswith("param ") else line for line in lines) + "\n"

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
        if "export" in decorators:
            self.exported.add(names[0])
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
                self.modules[name] = type_of(node)
                self._declared[name] = node, frozenset(decorators)
            case "resource_declaration":
                self._declared[name] = node, frozenset(decorators)
                for inner in nested_resources(node):
                    self._nested[f"{name}::{source_of(named_children(inner)[0])}"] = name, inner
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
            file = self.path.parent / self._imports[name]
            return _imported_value(file, file.read_text(encoding="utf-8"), name)
        if name in self.modules:
            return {"outputs": _Outputs(self._module_template(name))}
        if name in self._declared:
            return self._references(self._declared[name][0])
        if name in self._nested:
            outer, inner = self._nested[name]
            return self._reference(inner, named_children(inner)[-1], {}, self.value(outer))
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

    def _references(self, node: Node) -> Value:
        body = named_children(node)[-1]
        references = [self._reference(node, each, local) for each, local in self._bodies(body, {}, all_of_them=True)]
        return references if body.type == "for_statement" else references[0]

    def _reference(
        self, node: Node, body: Node, local: Mapping[str, Value], outer: ResourceReference | None = None
    ) -> ResourceReference:
        members = dict(object_members(body))
        given = {key: self._evaluator.value(members[key], local) for key in _NAMING if key in members}
        parent, name, kind = given.get("parent", outer), given["name"], type_of(node).partition("@")[0]
        scope = given["scope"].id if "scope" in given else self.scope
        if parent is None:
            return ResourceReference(scope, kind, name)
        whole_kind = kind if kind.startswith("Microsoft.") else f"{parent.type}/{kind}"
        if whole_kind.rpartition("/")[0] != parent.type:
            raise UnsupportedBicep(f"{self.path.name}: a {parent.type} is no parent of a {whole_kind} (BCP036)")
        return ResourceReference(parent.scope, whole_kind, joined(parent.full_name, "/", name))

    def _module_template(self, name: str) -> "Template":
        if name not in self._module_templates:
            body = self._evaluator.value(next(find_objects(self._declared[name][0])))
            scope = body["scope"].id if "scope" in body else self.scope
            path = self.path.parent / self.modules[name]
            self._module_templates[name] = Template(path, body.get("params", {}), self.environ, scope)
        return self._module_templates[name]

    def modules_before(self, file: str) -> set[str]:
        """The files of the modules that are deployed before the module of a file, because it refers to them."""
        found: set[str] = set()
        pending = [name for name, each in self.modules.items() if each == file]
        while pending:
            used = identifiers(self._declared[pending.pop()][0]) & self.modules.keys()
            pending += [name for name in used if self.modules[name] not in found]
            found |= {self.modules[name] for name in used}
        return found - {file}

    def module_arguments(self) -> Iterator[tuple[Parameter, Node]]:
        """The parameters that modules get, and the expressions of their values."""
        for name, file in self.modules.items():
            expected = Template(self.path.parent / file).parameters
            for body in find_objects(self._declared[name][0]):
                given = dict(object_members(dict(object_members(body))["params"]))
                yield from ((expected[parameter], value) for parameter, value in given.items())

    def resource_names(self) -> Iterator[tuple[str, Node]]:
        """The type of each resource that this file declares, and the expression of its name."""
        for node, _ in self._declared.values():
            if node.type == "resource_declaration":
                kind = type_of(node).partition("@")[0]
                yield from ((kind, dict(object_members(body))["name"]) for body in find_objects(node))

    def resources(self) -> Iterator[Resource]:
        """Every resource that would be deployed, those of modules included."""
        for name, (node, decorators) in self._declared.items():
            bodies = list(self._bodies(named_children(node)[-1], {}))
            if name in self.modules and bodies:
                yield from self._module_template(name).resources()
            elif name not in self.modules:
                yield from (self._make_resource(node, *body, decorators) for body in bodies)

    def _make_resource(
        self, node: Node, body: Node, local: Mapping[str, Value], decorators: frozenset[str]
    ) -> Resource:
        existing = any(source_of(child) == "existing" for child in node.children)
        reference, version = self._reference(node, body, local), type_of(node).partition("@")[2]
        values, symbol = self._evaluator.value(body, local), source_of(named_children(node)[0])
        return Resource(self.path.name, symbol, reference, version, values, decorators, existing)

    def _bodies(
        self, node: Node, local: Mapping[str, Value], *, all_of_them: bool = False
    ) -> Iterator[tuple[Node, Mapping[str, Value]]]:
        """The objects of a declaration, once for each round of its loop, with the loop's variables. Without
        `all_of_them`, only those whose condition holds; one that only Azure can decide counts as holding.
        """
        if node.type == "for_statement":
            for body, inner in self._evaluator.loop_rounds(node, local):
                yield from self._bodies(body, inner, all_of_them=all_of_them)
        elif node.type == "if_statement":
            condition, body = named_children(node)
            if all_of_them or self._evaluator.value(condition, local):
                yield from self._bodies(body, local, all_of_them=all_of_them)
        else:
            yield node, local


@cache
def _imported_value(path: Path, source: str, name: str) -> Value:  # noqa: ARG001 - a changed file is another one
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
