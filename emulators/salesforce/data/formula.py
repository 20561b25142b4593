"""Enough of the formula language to evaluate our own formula fields: text, Boolean logic, picklists.

    IF ISPICKVAL ISBLANK AND OR NOT CASE TEXT, literals, field names, & = == <> != && ||
    ISNEW ISCLONE, in validation rules only: they ask how the record is saved, not what is in it
Anything else is refused when the metadata is loaded, never guessed at.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Values = Mapping[str, Any]
type Node = Callable[[Values], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<sign>&&|\|\||==|<>|!=|[(),&=]))"
)
_ESCAPES = {"n": "\n", "t": "\t"}
SAVING = frozenset({"ISNEW", "ISCLONE"})


class FormulaError(ValueError):
    """The formula uses what this evaluator does not know."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled formula; `fields` are the lower-case names it reads, `asks` what it wants to know of SAVING."""

    source: str
    fields: frozenset[str]
    evaluate: Node
    asks: frozenset[str] = frozenset()


def parse(source: str) -> Formula:
    """Compile a formula. Raises FormulaError."""
    parser = _Parser(source)
    node = parser.disjunction()
    parser.end()
    return Formula(source, frozenset(parser.fields), node, frozenset(parser.asks))


def _blank(value: object) -> bool:
    return value is None or value == ""


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _equal(left: object, right: object) -> bool:
    return (_blank(left) and _blank(right)) or left == right


def _case(arguments: list[Any]) -> Any:  # noqa: ANN401 - a formula's value
    subject, *pairs, otherwise = arguments
    matches = (pairs[i + 1] for i in range(0, len(pairs) - 1, 2) if _equal(subject, pairs[i]))
    return next(matches, otherwise)


# Each takes evaluated arguments: none of our functions has side effects, so nothing need be lazy.
_FUNCTIONS: dict[str, tuple[int, Callable[[list[Any]], Any]]] = {
    "IF": (3, lambda a: a[1] if a[0] else a[2]),
    "ISPICKVAL": (2, lambda a: _equal(a[0], a[1])),
    "ISBLANK": (1, lambda a: _blank(a[0])),
    "NOT": (1, lambda a: not a[0]),
    "TEXT": (1, lambda a: _text(a[0])),
    "AND": (0, all),
    "OR": (0, any),
    "CASE": (0, _case),
}


class _Parser:
    """Recursive descent, one method a level of precedence."""

    def __init__(self, source: str) -> None:
        self.fields: set[str] = set()
        self.asks: set[str] = set()
        self._tokens = self._split(source)
        self._at = 0

    def _split(self, source: str) -> list[tuple[str, str]]:
        tokens, place = [], 0
        text = source.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise FormulaError(f"cannot read the formula from: {text[place : place + 20]}")
            tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        return tokens

    def _take(self, *signs: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at] in [("sign", sign) for sign in signs]:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            raise FormulaError(f"'{sign}' expected")

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise FormulaError(f"unexpected '{self._tokens[self._at][1]}'")

    def disjunction(self) -> Node:
        """`a || b`."""
        parts = [self._conjunction()]
        while self._take("||"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda values: any(part(values) for part in parts)

    def _conjunction(self) -> Node:
        parts = [self._comparison()]
        while self._take("&&"):
            parts.append(self._comparison())
        return parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)

    def _comparison(self) -> Node:
        left = self._concatenation()
        sign = self._take("=", "==", "<>", "!=")
        if sign is None:
            return left
        right, wanted = self._concatenation(), sign in {"=", "=="}
        return lambda values: _equal(left(values), right(values)) is wanted

    def _concatenation(self) -> Node:
        parts = [self._primary()]
        while self._take("&"):
            parts.append(self._primary())
        return parts[0] if len(parts) == 1 else lambda values: "".join(_text(part(values)) for part in parts)

    def _primary(self) -> Node:
        if self._take("("):
            node = self.disjunction()
            self._need(")")
            return node
        if self._at >= len(self._tokens):
            raise FormulaError("the formula ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "name":
            return self._named(text)
        if kind == "sign":
            raise FormulaError(f"unexpected '{text}'")
        constant = float(text) if kind == "number" else _unescaped(text)
        return lambda _: constant

    def _named(self, name: str) -> Node:
        if self._take("("):
            arguments = self._arguments()
            if name.upper() in SAVING and not arguments:
                self.asks.add(name.upper())
                return lambda values: values[name.upper()]
            return self._function(name.upper(), arguments)
        if name.upper() in {"TRUE", "FALSE", "NULL"}:
            constant = {"TRUE": True, "FALSE": False}.get(name.upper())
            return lambda _: constant
        folded = name.lower()
        self.fields.add(folded)
        return lambda values: values[folded]

    def _arguments(self) -> list[Node]:
        if self._take(")"):
            return []
        arguments = [self.disjunction()]
        while self._take(","):
            arguments.append(self.disjunction())
        self._need(")")
        return arguments

    @staticmethod
    def _function(name: str, arguments: list[Node]) -> Node:
        known = _FUNCTIONS.get(name)
        if known is None:
            raise FormulaError(f"function {name} is not known here")
        count, function = known
        if not arguments or (count and len(arguments) != count):
            raise FormulaError(f"{name} takes {count or 'some'} arguments, not {len(arguments)}")
        return lambda values: function([argument(values) for argument in arguments])


def _unescaped(literal: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), literal[1:-1])
