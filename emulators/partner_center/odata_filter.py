"""Parse the `$filter` of the list call into a test on a record (docs/reference/partner-center.md#filters).

The grammar:

    or := and ('or' and)*        and := not ('and' not)*        not := 'not' not | '(' or ')' | any | comparison
    any := collection '/any(' variable ':' or ')'               comparison := path operator literal

Literals: 'quoted' with '' for a quote, GUID or date-time without quotes, number, true, false, null.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.partner_center import timestamps
from emulators.partner_center.referral_shape import ELEMENTS, REFERRAL
from emulators.partner_center.referral_store import CREATED, UPDATED, Span
from emulators.partner_center.service_errors import ServiceError, invalid_request

# The service's own limits are not documented; these are made up.
_MOST_TOKENS, _MOST_NESTED = 1_000, 100

type Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w/]*)"
    r"|(?P<mark>[():]))"
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None}
_GUIDS = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Filter:
    """A test on a record. `spans` are the ranges of the two dates outside of which the test cannot hold.

    With `exact` the test holds for every record within the spans. It holds only for records that have one certain value
    in each property in `fixed`.
    """

    test: Test
    spans: Mapping[str, Span] = field(default_factory=dict)
    exact: bool = False
    fixed: frozenset[str] = frozenset()

    def span_of(self, name: str) -> Span:
        """Return the ticks of one date outside of which the test cannot hold."""
        return self.spans.get(name, Span())


EVERYTHING = Filter(lambda _: True, exact=True)


def parse_filter(text: str, unfilterable: frozenset[str] = frozenset()) -> Filter:
    """Return the filter that the text describes. Raises ServiceError (400), also for a field in `unfilterable`."""
    tokens = _split_tokens(text)
    deepening = sum(token in (("mark", "("), ("word", "not")) for token in tokens)
    if len(tokens) > _MOST_TOKENS or deepening > _MOST_NESTED:
        raise _filter_error("it is too complex")
    return _Parser(tokens, unfilterable).parse_whole()


def _split_tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _filter_error(f"syntax error at position {position}")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return tokens


def _filter_error(message: str) -> ServiceError:
    return invalid_request(f"The query specified in the URI is not valid: {message}.", target="$filter")


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], unfilterable: frozenset[str]) -> None:
        self._tokens = tokens
        self._unfilterable = unfilterable
        self._position = 0
        self._variables: dict[str, Mapping[str, Any]] = {}

    def parse_whole(self) -> Filter:
        parsed = self._parse_or()
        if self._position < len(self._tokens):
            raise _filter_error(f"'{self._tokens[self._position][1]}' was not expected")
        return parsed

    def _take_token(self, kind: str = "", text: str = "") -> str | None:
        """Return the next token if it has this kind and text, and move on. Otherwise return None and stay."""
        if self._position >= len(self._tokens):
            return None
        token_kind, token = self._tokens[self._position]
        if (kind and kind != token_kind) or (text and text != token):
            return None
        self._position += 1
        return token

    def _require_token(self, kind: str, text: str = "") -> str:
        token = self._take_token(kind, text)
        if token is None:
            raise _filter_error(f"expected {text or kind}")
        return token

    def _parse_or(self) -> Filter:
        parsed = self._parse_and()
        while self._take_token("word", "or"):
            parsed = _combine_with_or(parsed, self._parse_and())
        return parsed

    def _parse_and(self) -> Filter:
        parsed = self._parse_not()
        while self._take_token("word", "and"):
            parsed = _combine_with_and(parsed, self._parse_not())
        return parsed

    def _parse_not(self) -> Filter:
        if self._take_token("word", "not"):
            inner = self._parse_not().test
            return Filter(lambda record: not inner(record))
        if self._take_token("mark", "("):
            parsed = self._parse_or()
            self._require_token("mark", ")")
            return parsed
        path = self._require_token("word")
        return self._parse_any(path.removesuffix("/any")) if path.endswith("/any") else self._parse_comparison(path)

    def _parse_any(self, path: str) -> Filter:
        if path not in ELEMENTS:
            raise _filter_error(f"'{path}' is not a collection")
        self._require_token("mark", "(")
        variable = self._require_token("word")
        self._require_token("mark", ":")
        self._variables[variable] = ELEMENTS[path]
        inner = self._parse_or().test
        del self._variables[variable]
        self._require_token("mark", ")")
        read = _property_reader(path.split("/"))
        return Filter(lambda record: any(inner(item) for item in read(record) or ()))

    def _parse_comparison(self, path: str) -> Filter:
        shape, parts = self._resolve_path(path)
        _check_property(shape, parts, path)
        name = self._require_token("word")
        if name not in _OPERATORS:
            raise _filter_error(f"'{name}' is not an operator")
        kind, literal = self._parse_literal()
        if parts[-1].endswith("DateTime"):
            return _date_test(path, parts, name, kind, literal)
        if kind == "moment":
            raise _filter_error(f"'{path}' is not a date")
        fixed = frozenset({path}) if name == "eq" else frozenset[str]()
        return Filter(_plain_test(_property_reader(parts), _OPERATORS[name], literal), fixed=fixed)

    def _resolve_path(self, path: str) -> tuple[Mapping[str, Any], list[str]]:
        head, *rest = path.split("/")
        if head in self._variables:
            return self._variables[head], rest
        if path in self._unfilterable:
            raise _filter_error(f"'{path}' cannot be used in a filter")
        return REFERRAL, [head, *rest]

    def _parse_literal(self) -> tuple[str, object]:
        if self._position >= len(self._tokens):
            raise _filter_error("a value is missing")
        kind, text = self._tokens[self._position]
        self._position += 1
        match kind:
            case "string":
                return kind, text[1:-1].replace("''", "'")
            case "guid":
                return kind, text.lower()
            case "moment":
                return kind, _parse_date(text)
            case "number":
                return kind, float(text)
            case "word" if text in _CONSTANTS:
                return kind, _CONSTANTS[text]
        raise _filter_error(f"'{text}' is not a value")


def _check_property(shape: Mapping[str, Any], parts: list[str], path: str) -> None:
    value: object = shape
    for part in parts:
        if not isinstance(value, dict) or part not in value:
            raise _filter_error(f"Could not find a property named '{path}'")
        value = value[part]
    if not parts or isinstance(value, dict | list):
        raise _filter_error(f"'{path}' is not a plain property")


def _property_reader(parts: list[str]) -> Callable[[Mapping[str, Any]], Any]:
    if len(parts) == 1:
        name = parts[0]
        return lambda record: record.get(name)

    def read(record: Mapping[str, Any]) -> object:
        value: Any = record
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    return read


def _parse_date(text: str) -> int:
    try:
        return timestamps.parse_ticks(text)
    except ValueError:
        raise _filter_error(f"'{text}' is not a date") from None


def _plain_test(read: Callable[[Mapping[str, Any]], Any], compare: Callable[[Any, Any], bool], literal: object) -> Test:
    guid = isinstance(literal, str) and bool(_GUIDS.fullmatch(literal))
    expected = literal.lower() if guid and isinstance(literal, str) else literal

    def test(record: Mapping[str, Any]) -> bool:
        value = read(record)
        if guid and isinstance(value, str):
            value = value.lower()
        if compare in (operator.eq, operator.ne):
            return compare(value, expected)
        try:
            return compare(value, expected)
        except TypeError:
            return False

    return test


def _date_test(path: str, parts: list[str], name: str, kind: str, literal: object) -> Filter:
    if literal is not None and kind != "moment":
        raise _filter_error(f"'{path}' is a date and needs a date-time without quotes")
    read, compare = _property_reader(parts), _OPERATORS[name]

    def test(record: Mapping[str, Any]) -> bool:
        value = read(record)
        ticks = timestamps.parse_ticks(value) if isinstance(value, str) else None
        if ticks is None or literal is None:
            return compare in (operator.eq, operator.ne) and compare(ticks, literal)
        return compare(ticks, literal)

    if path in (UPDATED, CREATED) and isinstance(literal, int) and name != "ne":
        return Filter(test, {path: _span_of_comparison(name, literal)}, exact=True)
    return Filter(test)


def _span_of_comparison(name: str, ticks: int) -> Span:
    match name:
        case "eq":
            return Span(ticks, ticks)
        case "gt":
            return Span(low=ticks + 1)
        case "ge":
            return Span(low=ticks)
        case "lt":
            return Span(high=ticks - 1)
    return Span(high=ticks)


def _combine_with_and(one: Filter, other: Filter) -> Filter:
    left, right = one.test, other.test
    names = set(one.spans) | set(other.spans)
    spans = {name: one.span_of(name).intersection(other.span_of(name)) for name in names}
    fixed = one.fixed | other.fixed
    return Filter(lambda record: left(record) and right(record), spans, exact=one.exact and other.exact, fixed=fixed)


def _combine_with_or(one: Filter, other: Filter) -> Filter:
    left, right = one.test, other.test
    return Filter(lambda record: left(record) or right(record), fixed=one.fixed & other.fixed)
