"""An engine for the queries of the alert rules: the operators `where`, `extend`, `project` and `summarize`.

It runs the tree of Microsoft's parser. What it does not know raises `NotEvaluated`. `test_kusto_results.py` has results
that were computed by hand.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.alerts.kusto_expressions import (
    Columns,
    Expression,
    Value,
    call_of,
    check_kind,
    condition_of,
    elements_of,
    expression_of,
    name_in,
)
from tests.alerts.kusto_trees import Tree
from tests.alerts.kusto_values import Kind, NotEvaluated, Row

TABLE: Columns = {"TimeGenerated": Kind.TIME, "Message": Kind.TEXT, "OperationName": Kind.TEXT}
"""The columns of `AppTraces` that a query may use."""

type Table = Sequence[Row]

NO_TICK = datetime.min.replace(tzinfo=UTC)
"""For steps that look at no clock."""


class Step(NamedTuple):
    """One operator: its text as a tree, and what it makes of rows at a tick."""

    key: str
    run: Callable[[Table, datetime], Table]


class SharedRows:
    """Rows of which the first steps of several queries make the same: each is made once."""

    def __init__(self, rows: Table) -> None:
        self.rows = rows
        self._after = dict[str, SharedRows]()

    def after(self, steps: Iterable[Step]) -> Table:
        """The rows after steps that look at no clock."""
        shared = self
        for step in steps:
            if step.key not in shared._after:
                shared._after[step.key] = SharedRows(step.run(shared.rows, NO_TICK))
            shared = shared._after[step.key]
        return shared.rows


class Query(NamedTuple):
    """A query in two parts. `first` looks at each row alone and at no clock, so it may run before a window is cut."""

    first: Sequence[Step]
    then: Sequence[Step]

    def answer(self, prepared: Table, tick: datetime) -> Table:
        """What the query answers at a tick, from rows after the first part."""
        for step in self.then:
            prepared = step.run(prepared, tick)
        return prepared


class _Made(NamedTuple):
    """An operator, ready to run; the columns that come out of it, and whether it counts from the tick."""

    run: Callable[[Table, datetime], Table]
    columns: Columns
    is_timed: bool


def query_of(tree: Tree) -> Query:
    """The query of a tree. Raises NotEvaluated."""
    if tree[0] != "QueryBlock" or len(tree[2]) != 2 or tree[2][1][1][0] != "ExpressionStatement":
        raise NotEvaluated(f"not one query: {tree[:2]}")
    source, operators = _pipe_of(tree[2][1][1][1])
    if name_in(source) != "AppTraces":
        raise NotEvaluated(f"the table {name_in(source)}")
    columns, first, then = TABLE, list[Step](), list[Step]()
    for node in operators:
        if node[0] not in _OPERATORS:
            raise NotEvaluated(f"the operator {node[0]}")
        made = _OPERATORS[node[0]](node[1:], columns)
        is_first = not then and not made.is_timed and node[0] in ("FilterOperator", "ExtendOperator")
        (first if is_first else then).append(Step(json.dumps(node), made.run))
        columns = made.columns
    return Query(first, then)


def _pipe_of(node: Tree) -> tuple[Tree, list[Tree]]:
    operators = list[Tree]()
    while node[0] == "PipeExpression":
        operators.insert(0, node[3])
        node = node[1]
    return node, operators


# --- operators


def _where(children: Sequence[Tree], columns: Columns) -> _Made:
    condition = condition_of(children[2], columns)
    holds = condition.of
    return _Made(lambda rows, tick: [row for row in rows if holds(row, tick)], columns, condition.is_timed)


def _extend(children: Sequence[Tree], columns: Columns) -> _Made:
    added = dict(_named(each, columns) for each in elements_of(children[1]))

    def run(rows: Table, tick: datetime) -> Table:
        return [{**row, **{name: value.of(row, tick) for name, value in added.items()}} for row in rows]

    return _Made(run, {**columns, **_kinds_of(added)}, _is_timed(added))


def _project(children: Sequence[Tree], columns: Columns) -> _Made:
    kept = dict(_named(each, columns) for each in elements_of(children[1]))

    def run(rows: Table, tick: datetime) -> Table:
        return [{name: value.of(row, tick) for name, value in kept.items()} for row in rows]

    return _Made(run, _kinds_of(kept), _is_timed(kept))


def _named(node: Tree, columns: Columns) -> tuple[str, Expression]:
    if node[0] != "SimpleNamedExpression":
        return name_in(node), expression_of(node, columns)
    return name_in(node[1]), expression_of(node[3], columns)


def _kinds_of(named: Mapping[str, Expression]) -> Columns:
    return {name: expression.kind for name, expression in named.items()}


def _is_timed(named: Mapping[str, Expression]) -> bool:
    return any(expression.is_timed for expression in named.values())


# --- summarize


class _Aggregate(NamedTuple):
    """The columns that an aggregate adds, and their values for the rows of a group, which may be none."""

    columns: Columns
    of: Callable[[Table, datetime], Sequence[Any]]


def _summarize(children: Sequence[Tree], columns: Columns) -> _Made:
    aggregates = [_aggregate_of(each, columns) for each in elements_of(children[2])]
    keys = dict(_named(each, columns) for each in elements_of(children[3][2])) if children[3] else {}

    def run(rows: Table, tick: datetime) -> Table:
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): list(rows)}
        for row in rows if keys else ():
            groups.setdefault(tuple(key.of(row, tick) for key in keys.values()), []).append(row)
        return [line_of(key, group, tick) for key, group in groups.items()]

    def line_of(key: tuple[Any, ...], group: Table, tick: datetime) -> Row:
        line = dict(zip(keys, key, strict=True))
        for aggregate in aggregates:
            line.update(zip(aggregate.columns, aggregate.of(group, tick), strict=True))
        return line

    added = {name: kind for aggregate in aggregates for name, kind in aggregate.columns.items()}
    return _Made(run, {**_kinds_of(keys), **added}, is_timed=True)


def _aggregate_of(node: Tree, columns: Columns) -> _Aggregate:
    if node[0] != "SimpleNamedExpression":
        name, nodes = call_of(node)
        if name != "arg_max":
            raise NotEvaluated(f"the aggregate {name} without a name of its column")
        return _arg_max(dict(_named(each, columns) for each in nodes))
    (column, (name, nodes)) = name_in(node[1]), call_of(node[3])
    if name == "count" and not nodes:
        return _Aggregate({column: Kind.LONG}, lambda rows, _: [len(rows)])
    if name not in _AGGREGATES or len(nodes) != 1:
        raise NotEvaluated(f"the aggregate {name} of {len(nodes)} arguments")
    takes, kind, of = _AGGREGATES[name]
    value = expression_of(nodes[0], columns)
    check_kind(value, takes)
    if kind is Kind.TIME and value.column not in TABLE:
        raise NotEvaluated(f"{name} of a time that may be null")
    return _Aggregate({column: kind}, lambda rows, tick: [of(value.of, rows, tick)])


def _count_true(value: Value, rows: Table, tick: datetime) -> int:
    return sum(1 for row in rows if value(row, tick))


def _count_distinct(value: Value, rows: Table, tick: datetime) -> int:
    """Exact, as the service's estimate is for so few values."""
    return len({value(row, tick) for row in rows})


def _earliest(value: Value, rows: Table, tick: datetime) -> datetime | None:
    return min((value(row, tick) for row in rows), default=None)


def _latest(value: Value, rows: Table, tick: datetime) -> datetime | None:
    return max((value(row, tick) for row in rows), default=None)


def _arg_max(given: Mapping[str, Expression]) -> _Aggregate:
    """The row with the latest time, as the service shows it: null in each column where there is no row."""
    latest, *_ = given.values()
    check_kind(latest, {Kind.TIME})

    def of(rows: Table, tick: datetime) -> Sequence[Any]:
        row = max(rows, key=lambda row: latest.of(row, tick), default=None)
        return [None if row is None else value.of(row, tick) for value in given.values()]

    return _Aggregate(_kinds_of(given), of)


_AGGREGATES: Mapping[str, tuple[set[Kind], Kind, Callable[[Value, Table, datetime], Any]]] = {
    "countif": ({Kind.TRUTH}, Kind.LONG, _count_true),
    "dcount": ({Kind.TEXT}, Kind.LONG, _count_distinct),
    "min": ({Kind.TIME}, Kind.TIME, _earliest),
    "max": ({Kind.TIME}, Kind.TIME, _latest),
}
"""The aggregates of one argument: the kinds that they take, the kind that they give, and their rule."""

_OPERATORS: Mapping[str, Callable[[Sequence[Tree], Columns], _Made]] = {
    "FilterOperator": _where,
    "ExtendOperator": _extend,
    "ProjectOperator": _project,
    "SummarizeOperator": _summarize,
}
