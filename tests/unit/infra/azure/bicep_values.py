"""What a Bicep expression is worth before a deployment: Python values, and a Symbol where only Azure knows.

Enough of the language for infra/azure; anything else raises NotUnderstood, so that nothing is passed over in silence.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tree_sitter import Node

UNIQUE_LENGTH = 13
"""The length of uniqueString's answer."""


class NotUnderstood(Exception):
    """A construct that this reader does not know."""


class Symbol(str):
    """An expression that only Azure can answer, as text; as a string in another one it stands in angle brackets."""

    __slots__ = ()


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


def text(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def named(node: Node, *types: str) -> list[Node]:
    """The named children of these types; without types all but comments and decorators."""
    wanted = [child for child in node.named_children if child.type not in ("comment", "decorators")]
    return [child for child in wanted if not types or child.type in types]


class Evaluator:
    """Evaluates expressions of one file."""

    def __init__(self, lookup: Lookup, folder: Path, environ: Mapping[str, str]) -> None:
        """`lookup` answers names; `folder` is where loaded files are looked for."""
        self._lookup = lookup
        self._folder = folder
        self._environ = environ

    def value(self, node: Node, local: Mapping[str, Value] | None = None) -> Value:
        """What the expression is worth. Raises NotUnderstood."""
        method = getattr(self, f"_{node.type}", None)
        if method is None:
            raise NotUnderstood(f"{node.type} at line {node.start_point[0] + 1}: {text(node)[:60]}")
        return method(node, local or {})

    def _string(self, node: Node, local: Mapping[str, Value]) -> str:
        parts = [self._part(child, local) for child in node.named_children]
        whole = "".join(parts)
        return whole.removeprefix("\n") if text(node).startswith("'''") else whole

    def _part(self, node: Node, local: Mapping[str, Value]) -> str:
        if node.type == "interpolation":
            worth = self.value(named(node)[0], local)
            return f"<{worth}>" if isinstance(worth, Symbol) else str(worth)
        return _ESCAPES.get(text(node), text(node))

    def _number(self, node: Node, _: Mapping[str, Value]) -> int:
        return int(text(node))

    def _boolean(self, node: Node, _: Mapping[str, Value]) -> bool:
        return text(node) == "true"

    def _null(self, _node: Node, _local: Mapping[str, Value]) -> None:
        return None

    def _identifier(self, node: Node, local: Mapping[str, Value]) -> Value:
        name = text(node)
        return local[name] if name in local else self._lookup(name)

    def _parenthesized_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        return self.value(named(node)[0], local)

    def _array(self, node: Node, local: Mapping[str, Value]) -> list[Value]:
        return [self.value(child, local) for child in named(node)]

    def _object(self, node: Node, local: Mapping[str, Value]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for each in named(node, "object_property"):
            key, *rest = named(each)
            if key.type == "resource_declaration":
                continue
            name = self._string(key, local) if key.type == "string" else text(key)
            if name in found:
                raise NotUnderstood(f"{name} stands twice in an object, line {each.start_point[0] + 1}")
            found[name] = self.value(rest[-1], local)
        return found

    def _member_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        of, member = named(node)
        return member_of(self.value(of, local), text(member))

    def _resource_expression(self, node: Node, _: Mapping[str, Value]) -> Symbol:
        return Symbol(text(node))

    def _subscript_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        of, index = (self.value(child, local) for child in named(node))
        return Symbol(f"{of}[{index}]") if isinstance(of, Symbol) else of[index]

    def _unary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        worth = self.value(named(node)[0], local)
        if isinstance(worth, Symbol):
            return Symbol(text(node))
        return -worth if text(node).startswith("-") else not worth

    def _binary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        one, other = (self.value(child, local) for child in named(node))
        if isinstance(one, Symbol) or isinstance(other, Symbol):
            return Symbol(text(node))
        return _OPERATORS[text(node.children[1])](one, other)

    def _ternary_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        condition, then, otherwise = named(node)
        worth = self.value(condition, local)
        return Symbol(text(node)) if isinstance(worth, Symbol) else self.value(then if worth else otherwise, local)

    def _for_statement(self, node: Node, local: Mapping[str, Value]) -> list[Value]:
        return [self.value(body, inner) for body, inner in self.rounds(node, local)]

    def rounds(self, node: Node, local: Mapping[str, Value]) -> list[tuple[Node, Mapping[str, Value]]]:
        """The body of a loop, once for each item, with the loop's own names."""
        head, over, body = named(node)
        names = [text(child) for child in named(head)] or [text(head)]
        items = self.value(over, local)
        if isinstance(items, Symbol):
            items = [Symbol(f"{items}[]")]
        return [(body, {**local, **dict(zip(names, (item, index), strict=False))}) for index, item in enumerate(items)]

    def _lambda_expression(self, node: Node, local: Mapping[str, Value]) -> Callable[[Value], Value]:
        name, body = named(node)
        return lambda item: self.value(body, {**local, text(name): item})

    def _call_expression(self, node: Node, local: Mapping[str, Value]) -> Value:
        function, arguments = named(node)
        name = text(function)
        values = [self.value(child, local) for child in named(arguments)]
        if name == "loadTextContent":
            return (self._folder / values[0]).read_text(encoding="utf-8")
        if name == "readEnvironmentVariable":
            return self._environ.get(*values) if len(values) > 1 else self._environ[values[0]]
        known = _FUNCTIONS.get(name)
        if known is None:
            raise NotUnderstood(f"the function {name}")
        return known(*values)


def member_of(of: Value, name: str) -> Value:
    """A member of an object, or of what only Azure knows."""
    if isinstance(of, Symbol):
        return Symbol(f"{of}.{name}")
    if isinstance(of, Mapping):
        return of[name]
    raise NotUnderstood(f"{name} of {type(of).__name__}")


def _unknown(name: str) -> Callable[..., Symbol]:
    return lambda *values: Symbol(f"{name}({', '.join(str(value) for value in values)})")


def _union(*values: Mapping[str, Value]) -> dict[str, Value]:
    return {key: worth for value in values for key, worth in value.items()}


def _subnet(prefix: str, length: int, index: int) -> str:
    return str(list(ipaddress.ip_network(prefix).subnets(new_prefix=length))[index])


def _items(of: Mapping[str, Value]) -> list[dict[str, Value]]:
    return [{"key": key, "value": of[key]} for key in sorted(of)]


def _as_string(value: Value) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _filter(values: Sequence[Value], keep: Callable[[Value], Value]) -> list[Value]:
    return [value for value in values if keep(value)]


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "cidrSubnet": _subnet,
    "deployer": _unknown("deployer"),
    "empty": lambda value: not value,  # what Azure answers is never empty
    "environment": _unknown("environment"),
    "filter": _filter,
    "guid": _unknown("guid"),
    "items": _items,
    "replace": lambda value, old, new: value.replace(old, f"<{new}>" if isinstance(new, Symbol) else new),
    "resourceGroup": _unknown("resourceGroup"),
    "split": lambda value, by: value.split(by),
    "string": _as_string,
    "subscription": _unknown("subscription"),
    "subscriptionResourceId": _unknown("subscriptionResourceId"),
    "take": lambda value, count: value[:count],
    "tenant": _unknown("tenant"),
    "toLower": lambda value: value.lower(),
    "union": _union,
    "uniqueString": lambda *_: "u" * UNIQUE_LENGTH,
    "utcNow": lambda form: {"yyyy-MM-01": "2026-11-01"}[form],
}
