"""The syntax tree of a Bicep file, as tree-sitter reads it."""

from collections.abc import Iterator
from functools import cache

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


@cache
def parse_bicep(source: str) -> Node:
    """The root of the tree of a source text."""
    return _PARSER.parse(source.encode()).root_node


def syntax_errors(node: Node) -> Iterator[str]:
    """The places that the parser could not read."""
    if node.type == "ERROR" or node.is_missing:
        yield f"line {node.start_point[0] + 1}: cannot be read near {source_of(node)[:40]!r}"
        return
    for child in node.children:
        yield from syntax_errors(child)


def source_of(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode()


def named_children(node: Node, *types: str) -> list[Node]:
    """The named children of these types, or without types all except comments and decorators."""
    children = [child for child in node.named_children if child.type not in ("comment", "decorators")]
    return [child for child in children if not types or child.type in types]


def find_objects(node: Node) -> Iterator[Node]:
    """The body objects of a declaration, those in loops and conditions included."""
    for child in named_children(node):
        if child.type == "object":
            yield child
        elif child.type in ("if_statement", "for_statement"):
            yield from find_objects(child)


def identifiers(node: Node) -> set[str]:
    """The names that an expression or a declaration uses."""
    found = {source_of(node)} if node.type == "identifier" else set()
    return found.union(*map(identifiers, node.named_children))


def object_members(node: Node) -> Iterator[tuple[str, Node]]:
    """The members of an object, and the expressions of their values."""
    for each in named_children(node, "object_property"):
        key, *rest = named_children(each)
        if rest:  # a nested resource has no value
            yield source_of(key), rest[-1]


def type_of(node: Node) -> str:
    """The type of a resource with its version, or the file of a module."""
    return source_of(named_children(named_children(node, "string")[0])[0])


def nested_resources(node: Node) -> Iterator[Node]:
    """The resources that are declared inside a resource."""
    for body in find_objects(node):
        for each in named_children(body, "object_property"):
            yield from named_children(each, "resource_declaration")
