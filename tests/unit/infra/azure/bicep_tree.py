"""The syntax tree of a Bicep file, as tree-sitter reads it."""

from collections.abc import Iterator
from functools import cached_property, lru_cache

import tree_sitter
import tree_sitter_bicep

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
_ASIDE = ("comment", "decorators")


class Node:
    """A node of the tree. tree-sitter makes its own anew at each look, and the checks look at each one often."""

    def __init__(self, node: tree_sitter.Node) -> None:
        self._node = node
        self.type = node.type
        self.has_error = node.has_error
        self.is_error = node.type == "ERROR" or node.is_missing

    @property
    def line(self) -> int:
        """The number of its first line."""
        return self._node.start_point[0] + 1

    @cached_property
    def text(self) -> str:
        """Its source text."""
        return (self._node.text or b"").decode()

    @cached_property
    def children(self) -> list["Node"]:
        """All its children."""
        return [Node(child) for child in self._node.children]

    @cached_property
    def named_children(self) -> list["Node"]:
        """Its children without punctuation."""
        return [child for child in self.children if child._node.is_named]

    @cached_property
    def content(self) -> list["Node"]:
        """Its named children without comments and decorators."""
        return [child for child in self.named_children if child.type not in _ASIDE]


@lru_cache(maxsize=64)
def parse_bicep(source: str) -> Node:
    """The root of the tree of a source text. Only the trees of all files and of some changed ones are kept."""
    return Node(_PARSER.parse(source.encode()).root_node)


def syntax_errors(node: Node) -> Iterator[str]:
    """The places that the parser could not read."""
    if node.is_error:
        yield f"line {node.line}: cannot be read near {node.text[:40]!r}"
        return
    if node.has_error:
        for child in node.children:
            yield from syntax_errors(child)


def source_of(node: Node) -> str:
    """The source text of a node."""
    return node.text


def named_children(node: Node, *types: str) -> list[Node]:
    """The named children of these types, or without types all except comments and decorators."""
    return [child for child in node.content if child.type in types] if types else node.content


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
