"""When a rule sends something: operator, threshold, failing periods, dimensions, late rows, and the end of an alert."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.alerts.alert_rule import AlertRule, Notice, Play
from tests.alerts.kusto_query import Query, Step, Table
from tests.alerts.log_rows import EXTREMES, Ingestion, Log, LogLine

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT_ONCE, LATE = (Ingestion(each.name, each.delay, 0.0) for each in EXTREMES)


def count_of_each(rows: Table, _: datetime) -> Table:
    """A line for each message, with the number of its rows; what a query with `by Message` answers."""
    messages = [row["Message"] for row in rows]
    return [{"Message": text, "Value": messages.count(text)} for text in sorted(set(messages))]


def count_of_all(rows: Table, _: datetime) -> Table:
    return [{"Value": len(rows)}]


def rule_of(
    *,
    every: int = 5,
    window: int = 15,
    operator: str = "GreaterThan",
    threshold: float = 0,
    periods: tuple[int, int] = (1, 1),
    by_message: bool = False,
) -> AlertRule:
    dimensions = [{"name": "Message", "operator": "Include", "values": ["*"]}] if by_message else []
    criterion: Mapping[str, Any] = {
        "operator": operator, "threshold": threshold, "metricMeasureColumn": "Value", "dimensions": dimensions,
        "failingPeriods": {"numberOfEvaluationPeriods": periods[0], "minFailingPeriodsToAlert": periods[1]},
    }  # fmt: skip
    query = Query([], [Step("count", count_of_each if by_message else count_of_all)])
    return AlertRule("rule", 1, ["group"], every * MINUTE, window * MINUTE, criterion, query)


def lines_at(*minutes: float, message: str = "a") -> list[LogLine]:
    """Lines that were logged so many minutes after noon."""
    return [LogLine(NOON + minute * MINUTE, message, "push_opportunities") for minute in minutes]


OTHER = lines_at(-600, message="long ago")
"""A line that makes the table, and is in no window."""


def sent(
    rule: AlertRule, lines: Sequence[LogLine], until: int, ingestion: Ingestion = AT_ONCE
) -> list[tuple[int, bool]]:
    """The minutes after noon at which something is sent, and whether that is a firing."""
    notices = Play(rule, Log([*OTHER, *lines]), ingestion).notices(NOON, NOON + until * MINUTE)
    return [((notice.at - NOON) // MINUTE, notice.has_fired) for notice in notices]


def test_a_rule_fires_once_and_clears_after_three_periods_without_its_condition() -> None:
    """The line is in the window at 5, 10 and 15; at 20, 25 and 30 it is not."""
    assert sent(rule_of(), lines_at(1), 60) == [(5, True), (30, False)]


def test_two_longer_periods_clear_an_alert() -> None:
    assert sent(rule_of(every=30, window=30), lines_at(1), 240) == [(30, True), (90, False)]


def test_a_condition_that_returns_in_time_keeps_the_alert() -> None:
    """Not met at 20 and 25, met from 30 to 40."""
    assert sent(rule_of(), lines_at(1, 28), 90) == [(5, True), (55, False)]


def test_the_begin_of_a_window_is_outside_and_its_end_inside() -> None:
    assert sent(rule_of(), lines_at(5), 60) == [(5, True), (30, False)]


@pytest.mark.parametrize(
    ("operator", "threshold", "fires"),
    [
        ("GreaterThan", 1, True), ("GreaterThan", 2, False), ("GreaterThanOrEqual", 2, True), ("LessThan", 2, False),
        ("LessThan", 3, True), ("LessThanOrEqual", 2, True), ("LessThanOrEqual", 1, False),
    ],
)  # fmt: skip
def test_operator_and_threshold_decide(operator: str, threshold: int, *, fires: bool) -> None:
    rule = rule_of(operator=operator, threshold=threshold)
    assert ((0, True) in sent(rule, lines_at(-2, -1), 0)) is fires


def test_a_row_is_not_seen_before_it_is_ingested() -> None:
    assert sent(rule_of(), lines_at(1), 60, LATE) == [(10, True), (30, False)]


def test_a_row_that_comes_after_its_window_is_never_seen() -> None:
    assert sent(rule_of(every=15, window=15), lines_at(14), 90, LATE) == []


def test_each_value_of_a_dimension_has_an_alert_of_its_own() -> None:
    lines = [*lines_at(1, message="a"), *lines_at(7, message="b")]
    notices = list(Play(rule_of(by_message=True), Log([*OTHER, *lines]), AT_ONCE).notices(NOON, NOON + 60 * MINUTE))
    assert [(each.values, each.has_fired, (each.at - NOON) // MINUTE) for each in notices] == [
        (("a",), True, 5), (("b",), True, 10), (("a",), False, 30), (("b",), False, 35),
    ]  # fmt: skip


@pytest.mark.parametrize(("periods", "fires"), [((1, 1), [5]), ((2, 2), [20]), ((2, 1), [5]), ((3, 3), [])])
def test_so_many_of_the_last_windows_must_fail(periods: tuple[int, int], fires: list[int]) -> None:
    """The lines are in two windows that follow each other."""
    rule = rule_of(periods=periods)
    assert [minute for minute, has_fired in sent(rule, lines_at(3, 18), 60) if has_fired] == fires


def test_without_a_table_there_is_no_answer_that_could_fire() -> None:
    """The first line makes the table once it is visible."""
    rule = rule_of(operator="LessThan", threshold=1)
    none = Play(rule, Log([]), AT_ONCE).notices(NOON, NOON + 60 * MINUTE)
    some = Play(rule, Log(lines_at(21)), LATE).notices(NOON, NOON + 50 * MINUTE)
    assert list(none) == []
    assert list(some) == [Notice(NOON + 40 * MINUTE, "rule", has_fired=True, values=())]
