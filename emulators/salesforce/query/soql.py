"""Parse SOQL into a tree: the subset of docs/reference/salesforce.md#soql-that-the-emulator-understands.

Anything outside of the subset raises MALFORMED_QUERY.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NoReturn

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.query.tokens import Token, soql_error, tokens_of

_HEAD = re.compile(r"([^']*?\bFROM\s+\w+)\s+WHERE\b", re.IGNORECASE)
"""The text before the first WHERE. If that stands in a subquery, the text is no query."""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
MAX_LENGTH = 100_000
_MAX_DEPTH = 100  # our own choice: the service does not document a limit


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or a field of a parent: `Account.Owner.Name`."""

    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of the kind string, datetime, date, number, boolean or null; `raw` keeps the escapes for LIKE."""

    kind: str
    value: str | float | bool | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path sign literal`, where sign is one of = != < <= > >= LIKE."""

    path: Path
    sign: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`path [NOT] IN (literals)`, or the semi-join `path [NOT] IN (SELECT ...)`."""

    path: Path
    negated: bool
    among: "tuple[Literal, ...] | Select"


@dataclass(frozen=True, slots=True)
class Combined:
    """Conditions joined by AND or OR, or one condition under NOT."""

    connective: str
    parts: "tuple[Condition, ...]"


type Condition = Comparison | Membership | Combined


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY item; nulls come first by default."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A query or subquery; `items` is empty for COUNT(), and `at` is the position of the object's name."""

    text: str
    items: "tuple[Path | Select, ...]"
    sobject: str
    at: int
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int


@lru_cache(maxsize=64)
def parse_soql(text: str) -> Select:
    """The tree of a query. Raises ApiError. Clients send the same queries again and again.

    Few are kept: one that names 2,000 records makes a tree of half a megabyte.
    """
    if len(text) > MAX_LENGTH:
        raise ApiError(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    head = _HEAD.match(text)
    known = _parse_head(head[1]) if head else None
    parser = _Parser(text, len(known.text) if known else 0)
    select = parser.parse_rest(known) if known else parser.parse_select()
    parser.expect_end()
    return select


@lru_cache(maxsize=256)
def _parse_head(text: str) -> Select | None:
    """The tree of a query's text before its WHERE; None if that is no query.

    Clients select the same fields again and again, under ever new conditions.
    """
    parser = _Parser(text)
    try:
        select = parser.parse_select()
        parser.expect_end()
    except ApiError:
        return None
    return select


_CONSTANTS = {
    "TRUE": Literal("boolean", value=True), "FALSE": Literal("boolean", value=False), "NULL": Literal("null", None)
}  # fmt: skip


class _Parser:
    """A recursive descent parser."""

    def __init__(self, text: str, start: int = 0) -> None:
        """The next token is the first one at `start` or behind it."""
        self._text = text
        self._tokens = tokens_of(text, start)
        self._position = 0
        self._depth = 0

    # --- tokens

    @property
    def _next_token(self) -> Token:
        return self._tokens[self._position]

    def _raise_unexpected(self) -> NoReturn:
        raise soql_error(self._text, self._next_token.at, f"unexpected token: '{self._next_token.text}'")

    def _take_token(self) -> Token:
        token = self._next_token
        self._position += 1
        return token

    def _next_is(self, *words: str) -> bool:
        return self._tokens[self._position].word in words

    def _accept_word(self, *words: str) -> bool:
        """Take the next token if it is one of these words."""
        if self._next_is(*words):
            self._position += 1
            return True
        return False

    def _expect_word(self, word: str) -> Token:
        if not self._next_is(word):
            self._raise_unexpected()
        return self._take_token()

    def _expect_kind(self, kind: str) -> Token:
        if self._next_token.kind != kind:
            self._raise_unexpected()
        return self._take_token()

    def expect_end(self) -> None:
        """Raise ApiError if anything follows the query."""
        if self._next_token.kind != "end":
            self._raise_unexpected()

    # --- the query

    def parse_select(self) -> Select:
        """Parse `SELECT ... FROM ... [WHERE] [ORDER BY] [LIMIT] [OFFSET]`. Raises ApiError."""
        self._expect_word("SELECT")
        items = self._parse_items()
        self._expect_word("FROM")
        sobject = self._expect_kind("name")
        return self.parse_rest(Select(self._text, items, sobject.text, sobject.at, None, (), None, 0))

    def parse_rest(self, head: Select) -> Select:
        """Parse what follows the name of the object. Raises ApiError."""
        where = self._parse_condition() if self._accept_word("WHERE") else None
        order = self._parse_order_by() if self._accept_word("ORDER") else ()
        limit = self._parse_count() if self._accept_word("LIMIT") else None
        offset = self._parse_count() if self._accept_word("OFFSET") else 0
        items = tuple(replace(each, text=self._text) if isinstance(each, Select) else each for each in head.items)
        return replace(head, text=self._text, items=items, where=where, order=order, limit=limit, offset=offset)

    def _parse_items(self) -> tuple[Path | Select, ...]:
        if self._next_is("COUNT"):
            self._take_token()
            self._expect_word("(")
            self._expect_word(")")
            return ()
        items = [self._parse_item()]
        while self._accept_word(","):
            items.append(self._parse_item())
        return tuple(items)

    def _parse_item(self) -> Path | Select:
        if not self._accept_word("("):
            return self._parse_path()
        select = self.parse_select()
        self._expect_word(")")
        return select

    def _parse_path(self) -> Path:
        if self._next_is("FROM", "SELECT", "WHERE"):
            self._raise_unexpected()
        token = self._expect_kind("name")
        return Path(tuple(token.text.split(".")), token.at)

    def _parse_count(self) -> int:
        token = self._expect_kind("number")
        if not token.text.isdigit():
            raise soql_error(self._text, token.at, f"unexpected token: '{token.text}'")
        return int(token.text)

    def _parse_order_by(self) -> tuple[Order, ...]:
        self._expect_word("BY")
        orders = [self._parse_order_item()]
        while self._accept_word(","):
            orders.append(self._parse_order_item())
        return tuple(orders)

    def _parse_order_item(self) -> Order:
        path = self._parse_path()
        descending = self._next_is("DESC")
        self._accept_word("ASC", "DESC")
        last = False
        if self._accept_word("NULLS"):
            last = self._next_is("LAST")
            if not self._accept_word("FIRST", "LAST"):
                self._raise_unexpected()
        return Order(path, descending, last)

    # --- conditions

    def _parse_condition(self) -> Condition:
        """One level has one connective: AND and OR mix only with parentheses."""
        parts = [self._parse_nested()]
        connective = self._next_token.word
        while connective in {"AND", "OR"} and self._accept_word(connective):
            parts.append(self._parse_nested())
        if len(parts) > 1 and self._next_is("AND", "OR"):
            self._raise_unexpected()
        return parts[0] if len(parts) == 1 else Combined(connective, tuple(parts))

    def _parse_nested(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise soql_error(self._text, self._next_token.at, "the condition is nested too deeply")
        condition = self._parse_negation_or_group()
        self._depth -= 1
        return condition

    def _parse_negation_or_group(self) -> Condition:
        if self._accept_word("NOT"):
            return Combined("NOT", (self._parse_nested(),))
        if self._accept_word("("):
            inner = self._parse_condition()
            self._expect_word(")")
            return inner
        return self._parse_comparison()

    def _parse_comparison(self) -> Condition:
        path = self._parse_path()
        if self._accept_word("IN"):
            return Membership(path, negated=False, among=self._parse_in_list())
        if self._accept_word("NOT"):
            self._expect_word("IN")
            return Membership(path, negated=True, among=self._parse_in_list())
        if not self._next_is("=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"):
            self._raise_unexpected()
        sign = self._take_token().word
        return Comparison(path, "!=" if sign == "<>" else sign, self._parse_literal())

    def _parse_in_list(self) -> tuple[Literal, ...] | Select:
        self._expect_word("(")
        if self._next_is("SELECT"):
            select = self.parse_select()
            self._expect_word(")")
            return select
        literals = [self._parse_literal()]
        while self._accept_word(","):
            literals.append(self._parse_literal())
        self._expect_word(")")
        return tuple(literals)

    def _parse_literal(self) -> Literal:
        token = self._next_token
        if token.word in _CONSTANTS:
            self._take_token()
            return _CONSTANTS[token.word]
        if token.kind not in {"string", "number", "date", "datetime"}:
            self._raise_unexpected()
        self._take_token()
        match token.kind:
            case "string":
                return Literal("string", self._unescape_text(token), token.text[1:-1])
            case "number":
                return Literal("number", float(token.text))
        return Literal(token.kind, token.text)

    def _unescape_text(self, token: Token) -> str:
        def replace_escape(match: re.Match[str]) -> str:
            if match[1]:
                return chr(int(match[1], 16))
            if match[2] not in "\\'\"nrtbf_%":
                raise soql_error(self._text, token.at, f"Illegal character sequence '\\{match[2]}' in string literal")
            return _ESCAPES.get(match[2], match[2])

        return re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", replace_escape, token.text[1:-1], flags=re.DOTALL)
