"""Evaluate formulas: the part of the language that the metadata of this project uses.

    IF ISPICKVAL ISBLANK AND OR NOT CASE TEXT CONTAINS, literals, field names, & = == <> != < <= > >= && ||
    ISNEW ISCLONE, in validation rules only: they depend on how the record is saved, not on its values

Loading metadata that uses anything else fails with FormulaError.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Values = Mapping[str, Any]
type Node = Callable[[Values], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<sign>&&|\|\||==|<>|!=|<=|>=|[(),&=<>]))"
)
_ESCAPES = {"n": "\n", "t": "\t"}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SAVE_FUNCTIONS = frozenset({"ISNEW", "ISCLONE"})


class FormulaError(ValueError):
    """The formula uses something that this evaluator does not know."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled formula. `fields` holds the lower-case names that it reads, `save_functions` its SAVE_FUNCTIONS."""

    source: str
    fields: frozenset[str]
    evaluate: Node
    save_functions: frozenset[str] = frozenset()


def parse_formula(source: str) -> Formula:
    """Compile a formula. Raises FormulaError."""
    parser = _Parser(source)
    node = parser.parse_or()
    parser.expect_end()
    return Formula(source, frozenset(parser.fields), node, frozenset(parser.save_functions))


def _is_blank(value: object) -> bool:
    return value is None or value == ""


def _as_text(value: object) -> str:
    return "" if value is None else str(value)


def _are_equal(left: object, right: object) -> bool:
    return (_is_blank(left) and _is_blank(right)) or left == right


def _order_test(test: Callable[[Any, Any], bool], left: Node, right: Node) -> Node:
    """A comparison of size, which no blank value fulfils."""

    def compare(values: Values) -> bool:
        first, second = left(values), right(values)
        return not _is_blank(first) and not _is_blank(second) and test(first, second)

    return compare


def _case_result(arguments: list[Any]) -> Any:  # noqa: ANN401 - a formula's value
    subject, *pairs, otherwise = arguments
    matches = (pairs[i + 1] for i in range(0, len(pairs) - 1, 2) if _are_equal(subject, pairs[i]))
    return next(matches, otherwise)


# The number of arguments (0: any), and a function of their values. No function has side effects, so all arguments may
# be evaluated first.
_FUNCTIONS: dict[str, tuple[int, Callable[[list[Any]], Any]]] = {
    "IF": (3, lambda a: a[1] if a[0] else a[2]),
    "ISPICKVAL": (2, lambda a: _are_equal(a[0], a[1])),
    "ISBLANK": (1, lambda a: _is_blank(a[0])),
    "NOT": (1, lambda a: not a[0]),
    "TEXT": (1, lambda a: _as_text(a[0])),
    "CONTAINS": (2, lambda a: _as_text(a[1]) in _as_text(a[0])),
    "AND": (0, all),
    "OR": (0, any),
    "CASE": (0, _case_result),
}


class _Parser:
    """A recursive descent parser with one method for each level of precedence."""

    def __init__(self, source: str) -> None:
        self.fields: set[str] = set()
        self.save_functions: set[str] = set()
        self._tokens = self._tokenize(source)
        self._at = 0

    def _tokenize(self, source: str) -> list[tuple[str, str]]:
        tokens, place = [], 0
        text = source.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise FormulaError(f"cannot read the formula from: {text[place : place + 20]}")
            tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        return tokens

    def _accept_sign(self, *signs: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at] in [("sign", sign) for sign in signs]:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _expect_sign(self, sign: str) -> None:
        if self._accept_sign(sign) is None:
            raise FormulaError(f"'{sign}' expected")

    def expect_end(self) -> None:
        """Raise FormulaError if anything follows the formula."""
        if self._at < len(self._tokens):
            raise FormulaError(f"unexpected '{self._tokens[self._at][1]}'")

    def parse_or(self) -> Node:
        """`a || b`, the lowest precedence."""
        parts = [self._parse_and()]
        while self._accept_sign("||"):
            parts.append(self._parse_and())
        return parts[0] if len(parts) == 1 else lambda values: any(part(values) for part in parts)

    def _parse_and(self) -> Node:
        parts = [self._parse_comparison()]
        while self._accept_sign("&&"):
            parts.append(self._parse_comparison())
        return parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)

    def _parse_comparison(self) -> Node:
        left = self._parse_concatenation()
        sign = self._accept_sign("=", "==", "<>", "!=", *_ORDER)
        if sign is None:
            return left
        if sign in _ORDER:
            return _order_test(_ORDER[sign], left, self._parse_concatenation())
        right, is_equality = self._parse_concatenation(), sign in {"=", "=="}
        return lambda values: _are_equal(left(values), right(values)) is is_equality

    def _parse_concatenation(self) -> Node:
        parts = [self._parse_primary()]
        while self._accept_sign("&"):
            parts.append(self._parse_primary())
        return parts[0] if len(parts) == 1 else lambda values: "".join(_as_text(part(values)) for part in parts)

    def _parse_primary(self) -> Node:
        if self._accept_sign("("):
            node = self.parse_or()
            self._expect_sign(")")
            return node
        if self._at >= len(self._tokens):
            raise FormulaError("the formula ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "name":
            return self._parse_name(text)
        if kind == "sign":
            raise FormulaError(f"unexpected '{text}'")
        constant = float(text) if kind == "number" else _unescape_literal(text)
        return lambda _: constant

    def _parse_name(self, name: str) -> Node:
        """A function call, a constant or a field."""
        upper, folded = name.upper(), name.lower()
        if self._accept_sign("("):
            arguments = self._parse_arguments()
            if upper in SAVE_FUNCTIONS and not arguments:
                self.save_functions.add(upper)
                return lambda values: values[upper]
            return self._function_call(upper, arguments)
        if upper in {"TRUE", "FALSE", "NULL"}:
            constant = {"TRUE": True, "FALSE": False}.get(upper)
            return lambda _: constant
        self.fields.add(folded)
        return lambda values: values[folded]

    def _parse_arguments(self) -> list[Node]:
        if self._accept_sign(")"):
            return []
        arguments = [self.parse_or()]
        while self._accept_sign(","):
            arguments.append(self.parse_or())
        self._expect_sign(")")
        return arguments

    @staticmethod
    def _function_call(name: str, arguments: list[Node]) -> Node:
        if name not in _FUNCTIONS:
            raise FormulaError(f"the emulator does not know the function {name}")
        count, function = _FUNCTIONS[name]
        if not arguments or (count and len(arguments) != count):
            raise FormulaError(f"{name} takes {count or 'some'} arguments, not {len(arguments)}")
        return lambda values: function([argument(values) for argument in arguments])


def _unescape_literal(literal: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), literal[1:-1])
