"""SOQL: the subset of reference/salesforce.md 6.4, as a tree. What is outside of it is MALFORMED_QUERY."""

import re
from dataclasses import dataclass
from typing import NoReturn

from emulators.salesforce.data.errors import ApiError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
MAX_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query and where it stands."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or a field of a parent: `Account.Owner.Name`."""

    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: kind string, datetime, date, number, boolean or null; `raw` keeps LIKE's escapes."""

    kind: str
    value: str | float | bool | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path sign literal`; sign is one of = != < <= > >= LIKE."""

    path: Path
    sign: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`path [NOT] IN (literals)` or, as a semi-join, `path [NOT] IN (SELECT ...)`."""

    path: Path
    negated: bool
    among: "tuple[Literal, ...] | Select"


@dataclass(frozen=True, slots=True)
class Combined:
    """Conditions under one connective: AND, OR, or NOT with a single part."""

    connective: str
    parts: "tuple[Condition, ...]"


type Condition = Comparison | Membership | Combined


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY item; nulls come first unless told otherwise."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A query; `items` is empty for COUNT()."""

    text: str
    items: "tuple[Path | Select, ...]"
    sobject: str
    at: int
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int


def error(text: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """An error with the query's context lines, as the service prints them."""
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    line = text.splitlines()[row - 1] if text else ""
    return ApiError(400, code, f"\n{line}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n{message}")


def parse(text: str) -> Select:
    """The tree of a query. Raises ApiError (MALFORMED_QUERY)."""
    if len(text) > MAX_LENGTH:
        raise ApiError(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    parser = _Parser(text)
    select = parser.select()
    parser.end()
    return select


_MOST_NESTED = 100  # made up: the service documents no such limit


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._place = 0
        self._depth = 0

    def _split(self, text: str) -> list[Token]:
        tokens, at, end = [], 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                start = at + len(text[at:]) - len(text[at:].lstrip())
                raise error(text, start, f"unexpected token: '{text[start : start + 1]}'")
            kind = str(match.lastgroup)
            tokens.append(Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*tokens, Token("end", "<EOF>", end)]

    # --- tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _unexpected(self) -> NoReturn:
        raise error(self._text, self._next.at, f"unexpected token: '{self._next.text}'")

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _is(self, *words: str) -> bool:
        return self._next.kind in {"name", "sign"} and self._next.text.upper() in words

    def _skip(self, *words: str) -> bool:
        """Take one of these words if it comes next."""
        if self._is(*words):
            self._place += 1
            return True
        return False

    def _need(self, word: str) -> Token:
        if not self._is(word):
            self._unexpected()
        return self._take()

    def _kind(self, kind: str) -> Token:
        if self._next.kind != kind:
            self._unexpected()
        return self._take()

    def end(self) -> None:
        """Nothing may follow the query."""
        if self._next.kind != "end":
            self._unexpected()

    # --- the query

    def select(self) -> Select:
        """SELECT ... FROM ... [WHERE] [ORDER BY] [LIMIT] [OFFSET]."""
        self._need("SELECT")
        items = self._items()
        self._need("FROM")
        sobject = self._kind("name")
        where = self._condition() if self._skip("WHERE") else None
        order = self._order() if self._skip("ORDER") else ()
        limit = self._count() if self._skip("LIMIT") else None
        offset = self._count() if self._skip("OFFSET") else 0
        return Select(self._text, items, sobject.text, sobject.at, where, order, limit, offset)

    def _items(self) -> tuple[Path | Select, ...]:
        if self._is("COUNT"):
            self._take()
            self._need("(")
            self._need(")")
            return ()
        items = [self._item()]
        while self._skip(","):
            items.append(self._item())
        return tuple(items)

    def _item(self) -> Path | Select:
        if not self._skip("("):
            return self._path()
        select = self.select()
        self._need(")")
        return select

    def _path(self) -> Path:
        if self._is("FROM", "SELECT", "WHERE"):
            self._unexpected()
        token = self._kind("name")
        return Path(tuple(token.text.split(".")), token.at)

    def _count(self) -> int:
        token = self._kind("number")
        if not token.text.isdigit():
            raise error(self._text, token.at, f"unexpected token: '{token.text}'")
        return int(token.text)

    def _order(self) -> tuple[Order, ...]:
        self._need("BY")
        orders = [self._ordering()]
        while self._skip(","):
            orders.append(self._ordering())
        return tuple(orders)

    def _ordering(self) -> Order:
        path = self._path()
        descending = self._is("DESC")
        self._skip("ASC", "DESC")
        last = False
        if self._skip("NULLS"):
            last = self._is("LAST")
            if not self._skip("FIRST", "LAST"):
                self._unexpected()
        return Order(path, descending, last)

    # --- conditions

    def _condition(self) -> Condition:
        """One level knows one connective: AND and OR mix only with parentheses."""
        parts = [self._unary()]
        connective = self._next.text.upper()
        while connective in {"AND", "OR"} and self._skip(connective):
            parts.append(self._unary())
        if len(parts) > 1 and self._is("AND", "OR"):
            self._unexpected()
        return parts[0] if len(parts) == 1 else Combined(connective, tuple(parts))

    def _unary(self) -> Condition:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise error(self._text, self._next.at, "the condition is nested too deeply")
        found = self._single()
        self._depth -= 1
        return found

    def _single(self) -> Condition:
        if self._skip("NOT"):
            return Combined("NOT", (self._unary(),))
        if self._skip("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._simple()

    def _simple(self) -> Condition:
        path = self._path()
        if self._skip("IN"):
            return Membership(path, negated=False, among=self._among())
        if self._skip("NOT"):
            self._need("IN")
            return Membership(path, negated=True, among=self._among())
        if not self._is("=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"):
            self._unexpected()
        sign = self._take().text.upper()
        return Comparison(path, "!=" if sign == "<>" else sign, self._literal())

    def _among(self) -> tuple[Literal, ...] | Select:
        self._need("(")
        if self._is("SELECT"):
            select = self.select()
            self._need(")")
            return select
        literals = [self._literal()]
        while self._skip(","):
            literals.append(self._literal())
        self._need(")")
        return tuple(literals)

    def _literal(self) -> Literal:
        token = self._next
        words = {"TRUE": Literal("boolean", value=True), "FALSE": Literal("boolean", value=False)}
        words["NULL"] = Literal("null", None)
        if token.kind == "name" and token.text.upper() in words:
            self._take()
            return words[token.text.upper()]
        if token.kind not in {"string", "number", "date", "datetime"}:
            self._unexpected()
        self._take()
        match token.kind:
            case "string":
                return Literal("string", self._unescaped(token), token.text[1:-1])
            case "number":
                return Literal("number", float(token.text))
        return Literal(token.kind, token.text)

    def _unescaped(self, token: Token) -> str:
        def one(match: re.Match[str]) -> str:
            if match[1]:
                return chr(int(match[1], 16))
            if match[2] not in "\\'\"nrtbf_%":
                raise error(self._text, token.at, f"Illegal character sequence '\\{match[2]}' in string literal")
            return _ESCAPES.get(match[2], match[2])

        return re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", one, token.text[1:-1], flags=re.DOTALL)
