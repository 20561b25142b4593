"""Evaluates Bicep expressions before a deployment: to Python values, or to a Symbol if only Azure has the value.

It supports the part of the language that infra/azure uses. Anything else raises UnsupportedBicep, so that no check
skips an expression without notice.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.unit.infra.azure.bicep_names import (
    SUBSCRIPTION,
    TENANT_ID,
    ResourceReference,
    Symbol,
    guid,
    joined,
    resource_id,
    subscription,
    unique_string,
)
from tests.unit.infra.azure.bicep_tree import Node, named_children, source_of


class UnsupportedBicep(Exception):
    """The file uses a construct that this reader does not support."""


type Value = Any
type Lookup = Callable[[str], Value]

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
    "&&": lambda one, other: one and other,
    "||": lambda one, other: one or other,
    "??": lambda one, other: other if one is None else one,
}
_ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\$": "$"}


class Evaluator:
    """Evaluates the expressions of one file."""

    def __init__(self, lookup: Lookup, folder: Path, environ: Mapping[str, str], scope: str = SUBSCRIPTION) -> None:
        """`lookup` returns the value of a name. `folder` is the folder of files that the expressions load, and `scope`
        the id of the subscription or resource group that the file is deployed to.
        """
        self._lookup = lookup
        self._folder = folder
        self._environ = environ
        self._scope = scope

    def value(self, node: Node, local: Mapping[str, Value] | None = None) -> Value:
        """The value of the expression. Raises UnsupportedBicep."""
        method = getattr(self, f"_{node.type}", None)
        if method is None:
            raise UnsupportedBicep(f"{node.type} at line {node.line}: {source_of(node)[:60]}")
        return method(node, local or {})

    def _string(self, node: Node, local: Mapping[str, Value]) -> str:
        parts = [self._string_part(child, local) for child in node.named_children]
        if len(parts) > 1:
            parts = [Symbol(f"<{part}>") if isinstance(part, Symbol) else part for part in parts]
        whole = joined(*parts)
        return whole.removeprefix("\n") if source_of(node).startswith("'''") else whole

    def _string_part(self, node: Node, local: Mapping[str, Value]) -> str:
        if node.type == "interpolation":
            evaluated = self.value(named_children(node)[0], local)
            # The grammar counts white space before an interpolation to its opening token.
            before = source_of(node.children[0]).removesuffix("${")
            return joined(before, evaluated if isinstance(evaluated, Symbol) else str(evaluated))
        return _ESCAPES.get(source_of(node), source_of(node))

    def _number(self, node: Node, _: Mapping[str, Value]) -> int:
        return int(source_of(node))

    def _boolean(self, node: Node, _: Mapping[str, Value]) -> bool:
        return source_of(node) == "true"

    def _null(self, _node: Node, _local: Mapping[str, Value]) -> None:
        return None

    def _identifier(self, node: Node, local: Mapping[str, Value]) -> Value:
        name = source_of(node)
        return local[name] if name in local else self._lookup(name)

    def _parenthesized_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        return self.value(named_children(node)[0], local)

    def _array(self, node: Node, local: Mapping[str, Value]) -> list[Value]:
        return [self.value(child, local) for child in named_children(node)]

    def _object(self, node: Node, local: Mapping[str, Value]) -> dict[str, Value]:
        members: dict[str, Value] = {}
        for each in named_children(node, "object_property"):
            key, *rest = named_children(each)
            if key.type == "resource_declaration":
                continue
            name = self._string(key, local) if key.type == "string" else source_of(key)
            if name in members:
                raise UnsupportedBicep(f"{name} is twice in an object, line {each.line}")
            members[name] = self.value(rest[-1], local)
        return members

    def _member_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        of, member = named_children(node)
        return member_of(self.value(of, local), source_of(member))

    def _resource_expression(self, node: Node, _: Mapping[str, Value]) -> Value:
        return self._lookup(source_of(node))

    def _subscript_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        of, index = (self.value(child, local) for child in named_children(node))
        return Symbol(f"{of}[{index}]") if isinstance(of, Symbol) else of[index]

    def _unary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        evaluated = self.value(named_children(node)[0], local)
        if isinstance(evaluated, Symbol):
            return Symbol(source_of(node))
        return -evaluated if source_of(node).startswith("-") else not evaluated

    def _binary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        one, other = (self.value(child, local) for child in named_children(node))
        if isinstance(one, Symbol) or isinstance(other, Symbol):
            return Symbol(source_of(node))
        return _OPERATORS[source_of(node.children[1])](one, other)

    def _ternary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        condition, then, otherwise = named_children(node)
        evaluated = self.value(condition, local)
        return (
            Symbol(source_of(node))
            if isinstance(evaluated, Symbol)
            else self.value(then if evaluated else otherwise, local)
        )

    def _for_statement(self, node: Node, local: Mapping[str, Value]) -> list[Value]:
        return [self.value(body, inner) for body, inner in self.loop_rounds(node, local)]

    def loop_rounds(self, node: Node, local: Mapping[str, Value]) -> list[tuple[Node, Mapping[str, Value]]]:
        """The body of a loop and the loop's variables, once for each item."""
        head, over, body = named_children(node)
        names = [source_of(child) for child in named_children(head)] or [source_of(head)]
        items = self.value(over, local)
        return [(body, {**local, **dict(zip(names, (item, index), strict=False))}) for index, item in enumerate(items)]

    def _lambda_expression(self, node: Node, local: Mapping[str, Value]) -> Callable[[Value], Value]:
        name, body = named_children(node)
        return lambda item: self.value(body, {**local, source_of(name): item})

    def _call_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        function, arguments = named_children(node)
        name = source_of(function)
        values = [self.value(child, local) for child in named_children(arguments)]
        if name == "loadTextContent":
            return (self._folder / values[0]).read_text(encoding="utf-8")
        if name == "readEnvironmentVariable":
            return self._environ.get(*values) if len(values) > 1 else self._environ[values[0]]
        if name == "resourceGroup":
            return {"id": self._scope, "name": self._scope.rpartition("/")[2]}
        return _call(name, *values)


def _call(name: str, *values: Value) -> Value:
    if name not in _FUNCTIONS:
        raise UnsupportedBicep(f"the function {name}")
    if name != "string" and any(isinstance(value, Symbol) for value in values):
        return Symbol(f"{name}({', '.join(map(str, values))})")
    return _FUNCTIONS[name](*values)


def member_of(of: Value, name: str) -> Value:
    """A member of an object, or a Symbol for a member of a Symbol."""
    if isinstance(of, Symbol):
        return Symbol(f"{of}.{name}")
    if isinstance(of, ResourceReference):
        return of.member(name)
    if isinstance(of, Mapping):
        return of[name]
    raise UnsupportedBicep(f"the member {name} of {type(of).__name__}")


def _merge_objects(*values: Mapping[str, Value]) -> dict[str, Value]:
    return {key: value for each in values for key, value in each.items()}


def _cidr_subnet(prefix: str, length: int, index: int) -> str:
    return str(list(ipaddress.ip_network(prefix).subnets(new_prefix=length))[index])


def _object_items(of: Mapping[str, Value]) -> list[dict[str, Value]]:
    return [{"key": key, "value": of[key]} for key in sorted(of, key=str.upper)]


def _as_string(value: Value) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _filter_values(values: Sequence[Value], keep: Callable[[Value], Value]) -> list[Value]:
    return [value for value in values if keep(value)]


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "cidrSubnet": _cidr_subnet,
    "deployer": lambda: Symbol("deployer()"),
    "empty": lambda value: not value,
    "environment": lambda: Symbol("environment()"),
    "filter": _filter_values,
    "guid": guid,
    "items": _object_items,
    "replace": lambda value, old, new: value.replace(old, new),
    "split": lambda value, by: value.split(by),
    "string": _as_string,
    "subscription": subscription,
    "subscriptionResourceId": lambda kind, name: resource_id(SUBSCRIPTION, kind, name),
    "take": lambda value, count: value[:count],
    "tenant": lambda: {"tenantId": TENANT_ID},
    "toLower": lambda value: value.lower(),
    "union": _merge_objects,
    "uniqueString": unique_string,
    "utcNow": lambda form: Symbol(f"utcNow({form})"),
}
