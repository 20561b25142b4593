"""An alert rule of the templates, played over log lines as Azure Monitor plays it.

At each tick of its frequency the query runs over the visible rows of the window. Operator, threshold and failing
periods then decide for each value of the dimension. A fired alert sends nothing more until its condition was not met
for three periods, or two if they are longer than 15 minutes; then it clears.

Source: docs/reference/azure.md#telemetry-and-alerts.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.alerts.kusto_query import Query, Table, query_of
from tests.alerts.kusto_trees import Tree
from tests.alerts.log_rows import Ingestion, Log
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.checks_alerts import WINDOW_MINUTES

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}
SHORT = timedelta(minutes=15)
"""A longer period needs fewer periods to clear."""


class AlertRule(NamedTuple):
    """A rule as the templates deploy it."""

    name: str
    severity: int
    groups: Sequence[str]
    every: timedelta
    window: timedelta
    criterion: Mapping[str, Any]
    query: Query

    @property
    def dimensions(self) -> Sequence[str]:
        """The columns of which each value has an alert of its own."""
        return [each["name"] for each in self.criterion["dimensions"]]

    @property
    def periods_to_clear(self) -> int:
        """In so many periods the condition must not be met before a fired alert clears."""
        return 3 if self.every <= SHORT else 2


class Notice(NamedTuple):
    """What an alert sends: that it fired or cleared, and for which values of its dimensions."""

    at: datetime
    rule: str
    has_fired: bool
    values: tuple[str, ...]


def queries_of(files: AzureFiles, case: str = "production") -> dict[str, str]:
    """The queries of an environment's rules by the names of their resources."""
    return {name: str(_criterion_of(each)["query"]) for name, each in _found(files, case).items()}


def rules_of(trees: Mapping[str, Tree], files: AzureFiles, case: str = "production") -> dict[str, AlertRule]:
    """The enabled rules of an environment by name, without their prefix. `trees` are those of `queries_of`."""
    found = _found(files, case)
    criteria = {name: _criterion_of(each) for name, each in found.items()}
    rules = [
        AlertRule(
            name.removeprefix(f"cosell-{case}-"), each["severity"], each["actions"]["actionGroups"],
            _duration(each["evaluationFrequency"]), _duration(each["windowSize"]), criteria[name],
            query_of(trees[name]),
        )
        for name, each in found.items()
        if each["enabled"]
    ]  # fmt: skip
    return {rule.name: rule for rule in rules}


def _found(files: AzureFiles, case: str) -> dict[str, Mapping[str, Any]]:
    return {
        each.body["name"]: each.properties for each in files.resources_of_type("Insights/scheduledQueryRules", case)
    }


def _criterion_of(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only criterion of a rule that clears by itself. Another kind of rule is not played."""
    (criterion,) = rule["criteria"]["allOf"]
    assert criterion["timeAggregation"] == "Maximum", "only the largest value of an answer is compared here"
    assert rule["autoMitigate"], "only a rule that clears by itself is played here"
    return dict(criterion)


def _duration(text: str) -> timedelta:
    return timedelta(minutes=WINDOW_MINUTES[text])


class _Alert:
    """The state of one alert: of a rule, and of one value of each dimension."""

    def __init__(self) -> None:
        self.is_fired = False
        self._quiet = 0

    def hear(self, is_met: bool, periods_to_clear: int) -> bool | None:
        """Take in one tick; returns whether the alert fires (True), clears (False) or sends nothing (None)."""
        self._quiet = 0 if is_met else self._quiet + 1
        if is_met and not self.is_fired:
            self.is_fired = True
            return True
        if self.is_fired and self._quiet >= periods_to_clear:
            self.is_fired = False
            return False
        return None


class Play:
    """One rule over the lines of some days."""

    def __init__(self, rule: AlertRule, log: Log, ingestion: Ingestion) -> None:
        self._rule, self._phase, self._seen = rule, ingestion.phase, ingestion.name
        self._table_since = log.table_since(ingestion)
        self._prepared = log.rows.after(rule.query.first)
        self._times = [row["TimeGenerated"] for row in self._prepared]

    def notices(self, begin: datetime, end: datetime) -> Iterator[Notice]:
        """What the rule sends from `begin` to `end`."""
        rule, alerts = self._rule, dict[tuple[str, ...], _Alert]()
        tick = begin + rule.every * self._phase
        while tick <= end:
            met = self._met_at(tick)
            if met is not None:
                for values in sorted({*met, *alerts}):
                    alert = alerts.setdefault(values, _Alert())
                    if (change := alert.hear(values in met, rule.periods_to_clear)) is not None:
                        yield Notice(tick, rule.name, change, values)
            tick += rule.every

    def _met_at(self, tick: datetime) -> set[tuple[str, ...]] | None:
        """For which values of the dimensions the rule's condition is met; None where there is no table to ask."""
        if self._table_since is None or tick < self._table_since:
            return None  # the first line makes the table; without it the query is an error, and no answer
        periods, window = self._rule.criterion["failingPeriods"], self._rule.window
        windows = (tick - window * number for number in range(periods["numberOfEvaluationPeriods"]))
        failing = [self._failing_in(until, tick) for until in windows]
        least = periods["minFailingPeriodsToAlert"]
        return {values for values in set().union(*failing) if sum(values in each for each in failing) >= least}

    def _failing_in(self, until: datetime, tick: datetime) -> set[tuple[str, ...]]:
        """For which values of the dimensions the largest value of the window's answer fails."""
        rule, criterion = self._rule, self._rule.criterion
        largest = dict[tuple[str, ...], float]()
        for line in rule.query.answer(self._window(until, tick), tick):
            values, value = tuple(str(line[name]) for name in rule.dimensions), line[criterion["metricMeasureColumn"]]
            assert isinstance(value, int | float), f"{rule.name} compares {value!r}"
            largest[values] = max(value, largest.get(values, value))
        fails = OPERATORS[criterion["operator"]]
        return {values for values, value in largest.items() if fails(value, criterion["threshold"])}

    def _window(self, until: datetime, tick: datetime) -> Table:
        """The prepared rows of the window that ends at `until`, as far as they are visible at the tick."""
        first, last = bisect_right(self._times, until - self._rule.window), bisect_right(self._times, until)
        return [row for row in self._prepared[first:last] if row[self._seen] <= tick]
