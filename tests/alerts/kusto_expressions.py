"""Expressions of the query language, made ready to be evaluated for one row.

A form, an operator or a function that no alert rule uses raises `NotEvaluated` here, before any row is seen. So does a
kind that an operator does not take.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.alerts import kusto_values as values
from tests.alerts.kusto_trees import Tree
from tests.alerts.kusto_values import Kind, NotEvaluated, Row, Scalar

type Columns = Mapping[str, Kind]
"""The columns that an expression may use."""
type Value = Callable[[Row, datetime], Any]
"""The value for a row, at the tick that `ago()` and `now()` count from."""


class Expression(NamedTuple):
    """An expression, the kind of its values, and whether it counts from the tick.

    One that is a column alone has its name, and one that is a text alone has that as `constant`.
    """

    kind: Kind
    of: Value
    is_timed: bool = False
    column: str | None = None
    constant: str | None = None


class _Operator(NamedTuple):
    """What a binary operator takes and gives. Without a kind, a result is real where one of the operands is."""

    takes: frozenset[Kind]
    kind: Kind | None
    rule: Callable[[Any, Any], Scalar]


_NUMBERS = frozenset({Kind.LONG, Kind.REAL})
_ORDERED = _NUMBERS | {Kind.TIME, Kind.SPAN}
_COMPARED = _ORDERED | {Kind.TEXT, Kind.TRUTH}

BINARY: Mapping[str, _Operator] = {
    "EqualExpression": _Operator(_COMPARED, Kind.TRUTH, values.equals),
    "NotEqualExpression": _Operator(_COMPARED, Kind.TRUTH, values.differs),
    "LessThanExpression": _Operator(_ORDERED, Kind.TRUTH, values.with_values(operator.lt)),
    "LessThanOrEqualExpression": _Operator(_ORDERED, Kind.TRUTH, values.with_values(operator.le)),
    "GreaterThanExpression": _Operator(_ORDERED, Kind.TRUTH, values.with_values(operator.gt)),
    "GreaterThanOrEqualExpression": _Operator(_ORDERED, Kind.TRUTH, values.with_values(operator.ge)),
    "StartsWithExpression": _Operator(frozenset({Kind.TEXT}), Kind.TRUTH, values.starts_with),
    "AddExpression": _Operator(_NUMBERS, None, values.with_values(operator.add)),
    "SubtractExpression": _Operator(_NUMBERS, None, values.with_values(operator.sub)),
    "MultiplyExpression": _Operator(_NUMBERS, None, values.with_values(operator.mul)),
    "DivideExpression": _Operator(_NUMBERS, None, values.with_values(values.divided)),
}
CONVERSIONS: Mapping[str, tuple[frozenset[Kind], Kind, Callable[[Any], Scalar]]] = {
    "parse_json": (frozenset({Kind.TEXT}), Kind.DYNAMIC, values.parsed_json),
    "tostring": (frozenset({Kind.TEXT, Kind.DYNAMIC}), Kind.TEXT, values.as_text),
    "tobool": (frozenset({Kind.DYNAMIC}), Kind.TRUTH, values.as_truth),
    "tolong": (frozenset({Kind.DYNAMIC}), Kind.LONG, values.as_long),
    "todouble": (frozenset({Kind.DYNAMIC}), Kind.REAL, values.as_real),
}
"""The functions of one argument: the kinds that they take, the kind that they give, and their rule."""
SPAN = re.compile(r"(\d+)([dhms])")
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def expression_of(node: Tree, columns: Columns) -> Expression:
    """The expression of a node. Raises NotEvaluated."""
    kind, *children = node
    if kind in BINARY:
        return _binary(kind, children, columns)
    if kind not in _FORMS:
        raise NotEvaluated(f"the form {kind}")
    return _FORMS[kind](children, columns)


def condition_of(node: Tree, columns: Columns) -> Expression:
    """The expression of a condition. A null does not fulfil it. Raises NotEvaluated."""
    expression = expression_of(node, columns)
    check_kind(expression, {Kind.TRUTH})
    return expression


def check_kind(expression: Expression, takes: frozenset[Kind] | set[Kind]) -> None:
    """Raise NotEvaluated for a kind that is not taken."""
    if expression.kind not in takes:
        raise NotEvaluated(f"{expression.kind} in place of {' or '.join(sorted(takes))}")


def name_in(node: Tree) -> str:
    """The name in a reference or a declaration. Raises NotEvaluated."""
    if node[0] not in ("NameReference", "NameDeclaration") or node[1][0] != "TokenName":
        raise NotEvaluated(f"{node[0]} in place of a name")
    return str(node[1][1][1])


def elements_of(node: Tree) -> list[Tree]:
    """The elements of a list with commas."""
    return [child[1] for child in node[1:]]


def call_of(node: Tree) -> tuple[str, list[Tree]]:
    """The name of a called function, and its arguments. Raises NotEvaluated."""
    if node[0] != "FunctionCallExpression":
        raise NotEvaluated(f"{node[0]} in place of a call")
    return name_in(node[1]), elements_of(node[2][2])


# --- operators


def _binary(kind: str, children: Sequence[Tree], columns: Columns) -> Expression:
    (takes, gives, rule), left, right = BINARY[kind], *(expression_of(each, columns) for each in children[::2])
    check_kind(left, takes)
    check_kind(right, takes)
    if left.kind != right.kind and not {left.kind, right.kind} <= _NUMBERS:
        raise NotEvaluated(f"{kind} of {left.kind} and {right.kind}")
    if kind == "DivideExpression" and Kind.REAL not in (left.kind, right.kind):
        raise NotEvaluated("a division of whole numbers, which leaves the rest away")
    if kind == "EqualExpression" and left.column is not None and right.constant is not None:
        name, text = left.column, right.constant
        return Expression(Kind.TRUTH, lambda row, _: row[name] == text)  # as below, in fewer steps: most rows need it
    real_or_long = Kind.REAL if Kind.REAL in (left.kind, right.kind) else Kind.LONG
    one, other = left.of, right.of
    is_timed = _timed(left, right)
    return Expression(gives or real_or_long, lambda row, tick: rule(one(row, tick), other(row, tick)), is_timed)


def _timed(*parts: Expression) -> bool:
    return any(part.is_timed for part in parts)


def _both(children: Sequence[Tree], columns: Columns) -> Expression:
    left, right = (condition_of(each, columns) for each in children[::2])
    one, other = left.of, right.of
    return Expression(Kind.TRUTH, lambda row, tick: bool(one(row, tick) and other(row, tick)), _timed(left, right))


def _either(children: Sequence[Tree], columns: Columns) -> Expression:
    left, right = (condition_of(each, columns) for each in children[::2])
    one, other = left.of, right.of
    return Expression(Kind.TRUTH, lambda row, tick: bool(one(row, tick) or other(row, tick)), _timed(left, right))


def _not_in(children: Sequence[Tree], columns: Columns) -> Expression:
    value, *listed = (expression_of(each, columns) for each in (children[0], *elements_of(children[2][2])))
    for each in (value, *listed):
        check_kind(each, {Kind.TEXT})
    others = [each.of for each in listed]
    return Expression(
        Kind.TRUTH,
        lambda row, tick: value.of(row, tick) not in [each(row, tick) for each in others],
        _timed(value, *listed),
    )


# --- columns, members and constants


def _column(children: Sequence[Tree], columns: Columns) -> Expression:
    name = name_in(["NameReference", *children])
    if name not in columns:
        raise NotEvaluated(f"no column {name}")
    return Expression(columns[name], lambda row, _: row[name], column=name)


def _member(children: Sequence[Tree], columns: Columns) -> Expression:
    return _member_named(children[0], name_in(children[2]), columns)


def _member_in_brackets(children: Sequence[Tree], columns: Columns) -> Expression:
    inner = children[1][2]
    if inner[0] != "StringLiteralExpression":
        raise NotEvaluated("a place in a list")
    return _member_named(children[0], _text_of(inner[1][1]), columns)


def _member_named(of: Tree, name: str, columns: Columns) -> Expression:
    whole = expression_of(of, columns)
    check_kind(whole, {Kind.DYNAMIC})
    return Expression(Kind.DYNAMIC, lambda row, tick: values.member(whole.of(row, tick), name), whole.is_timed)


def _constant(kind: Kind, read: Callable[[str], Scalar]) -> Callable[[Sequence[Tree], Columns], Expression]:
    def constant(children: Sequence[Tree], _: Columns) -> Expression:
        value = read(children[0][1])
        return Expression(kind, lambda *_: value, constant=value if isinstance(value, str) else None)

    return constant


def _text_of(token: str) -> str:
    if "\\" in token or token[0] not in "\"'" or token[0] != token[-1]:
        raise NotEvaluated(f"the text {token}")
    return token[1:-1]


def _span_of(token: str) -> timedelta:
    match = SPAN.fullmatch(token)
    if match is None:
        raise NotEvaluated(f"the time {token}")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


# --- functions


def _call(children: Sequence[Tree], columns: Columns) -> Expression:
    name, nodes = call_of(["FunctionCallExpression", *children])
    given = [expression_of(each, columns) for each in nodes]
    if name in CONVERSIONS and len(given) == 1:
        (takes, kind, rule), (part,) = CONVERSIONS[name], given
        check_kind(part, takes)
        return Expression(kind, lambda row, tick: rule(part.of(row, tick)), part.is_timed)
    for known in ((name, len(given)), (name, None)):
        if known in _FUNCTIONS:
            return _FUNCTIONS[known](given)
    raise NotEvaluated(f"the function {name} of {len(given)} arguments")


def _ago(given: Sequence[Expression]) -> Expression:
    check_kind(given[0], {Kind.SPAN})
    return Expression(Kind.TIME, lambda row, tick: tick - given[0].of(row, tick), is_timed=True)


def _now(_: Sequence[Expression]) -> Expression:
    return Expression(Kind.TIME, lambda _, tick: tick, is_timed=True)


def _iff(given: Sequence[Expression]) -> Expression:
    condition, yes, no = given
    check_kind(condition, {Kind.TRUTH})
    check_kind(no, {yes.kind})
    return Expression(
        yes.kind,
        lambda row, tick: yes.of(row, tick) if condition.of(row, tick) else no.of(row, tick),
        _timed(*given),
    )


def _strcat(given: Sequence[Expression]) -> Expression:
    for each in given:
        check_kind(each, {Kind.TEXT, Kind.DYNAMIC})
    return Expression(
        Kind.TEXT, lambda row, tick: "".join(values.as_text(each.of(row, tick)) for each in given), _timed(*given)
    )


def _coalesce(given: Sequence[Expression]) -> Expression:
    for each in given:
        check_kind(each, {given[0].kind} - {Kind.TEXT})

    def first(row: Row, tick: datetime) -> Scalar:
        return next((found for each in given if (found := each.of(row, tick)) is not None), None)

    return Expression(given[0].kind, first, _timed(*given))


_FUNCTIONS: Mapping[tuple[str, int | None], Callable[[Sequence[Expression]], Expression]] = {
    ("ago", 1): _ago,
    ("now", 0): _now,
    ("iff", 3): _iff,
    ("strcat", None): _strcat,
    ("coalesce", None): _coalesce,
}
"""The functions by name and number of arguments; None for any number."""

_FORMS: Mapping[str, Callable[[Sequence[Tree], Columns], Expression]] = {
    "NameReference": _column,
    "PathExpression": _member,
    "ElementExpression": _member_in_brackets,
    "ParenthesizedExpression": lambda children, columns: expression_of(children[1], columns),
    "AndExpression": _both,
    "OrExpression": _either,
    "NotInExpression": _not_in,
    "FunctionCallExpression": _call,
    "StringLiteralExpression": _constant(Kind.TEXT, _text_of),
    "LongLiteralExpression": _constant(Kind.LONG, int),
    "RealLiteralExpression": _constant(Kind.REAL, float),
    "TimespanLiteralExpression": _constant(Kind.SPAN, _span_of),
}
