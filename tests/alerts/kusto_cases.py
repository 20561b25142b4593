"""Queries with results that a person has computed, and queries that the engine must refuse."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.alerts.kusto_values import Row
from tests.unit.infra.azure.checks_alerts import QUERY_PREFIX

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINES = QUERY_PREFIX.removesuffix(" | ")


def row(minutes: float, message: str) -> Row:
    """A row that was logged so many minutes before noon."""
    return {"TimeGenerated": NOON - timedelta(minutes=minutes), "Message": message}


DAY = [
    row(30, '{"event": "push_done", "seen": 3, "run": null}'),
    row(20, '{"Event": "push_done"}'),
    row(15, '{"EVENT": "no start of ours"}'),
    row(12, '{"event": "run_skipped", "run": "push", "reason": "side_paused"}'),
    row(10, '{"event": "unsynced", "count": 2, "oldest_seconds": 700}'),
    row(8, "push_done"),
    row(5, '{"event": "unsynced", "count": 0, "oldest_seconds": 0}'),
    row(4, '{"event": "compare_done", "complete": false}'),
    row(3, '{"event": "compare_done", "complete": true}'),
    row(2, '{"event": "pair_parked", "opportunity_id": "A", "referral_id": "B"}'),
    row(2, '{"event": "pair_parked", "opportunity_id": "A", "referral_id": "B"}'),
    row(1, '{"event": "pair_parked", "opportunity_id": "A", "referral_id": null}'),
    row(0, '{"event": broken'),
]
"""Thirteen rows. The sixth is a plain text, and the last one no JSON."""


class Case(NamedTuple):
    query: str
    answer: Sequence[Mapping[str, Any]]
    rows: Sequence[Row] = DAY


CASES = {
    # All thirteen rows but the plain text: `{"Event"`, `{"EVENT"` and the broken one begin so.
    "the start of a line is compared without capitals": Case(f"{LINES} | summarize V = count()", [{"V": 12}]),
    "a member is found by its exact name": Case(
        f'{LINES} | where Event == "" | summarize V = count()', [{"V": 3}]
    ),  # Event, EVENT and the broken one
    "a text is compared with capitals": Case(
        f'{LINES} | where Event == "Push_Done" | summarize V = count()', [{"V": 0}]
    ),
    "an empty table counts as 0": Case(f"{LINES} | summarize V = count()", [{"V": 0}], []),
    "an empty table has no group": Case(f"{LINES} | summarize V = count() by Event", [], []),
    "an empty table has no first time": Case(
        f'{LINES} | summarize Kept = countif(Event == "x"), First = min(TimeGenerated) | project Kept, First',
        [{"Kept": 0, "First": None}],
        [],
    ),
    "nothing is earlier than an unknown time": Case(
        f"{LINES} | summarize First = min(TimeGenerated) | project V = iff(First < ago(26h), 1, 0)", [{"V": 0}], []
    ),
    "the newest of no row is null": Case(
        f"{LINES} | summarize arg_max(TimeGenerated, Line) | project V = coalesce(tolong(Line.oldest_seconds), 0)",
        [{"V": 0}],
        [],
    ),
    "the newest row has its value": Case(
        f'{LINES} | where Event == "unsynced" | summarize arg_max(TimeGenerated, Line) '
        "| project V = coalesce(tolong(Line.oldest_seconds), 77)",
        [{"V": 0}],
    ),
    "a row before the newest is not looked at": Case(
        f'{LINES} | where Event == "unsynced" and TimeGenerated < ago(6m) | summarize arg_max(TimeGenerated, Line) '
        "| project V = coalesce(tolong(Line.oldest_seconds), 0)",
        [{"V": 700}],
    ),
    "ago leaves out its own moment": Case(
        f"{LINES} | summarize V = countif(TimeGenerated > ago(4m))", [{"V": 5}]
    ),  # 3, 2, 2, 1 and 0 minutes ago
    "groups have their counts": Case(
        f"{LINES} | where TimeGenerated >= ago(4m) | summarize V = count() by Event",
        [{"Event": "compare_done", "V": 2}, {"Event": "pair_parked", "V": 3}, {"Event": "", "V": 1}],
    ),
    "a value of two members is counted once": Case(
        f'{LINES} | where Event == "pair_parked" '
        '| summarize V = dcount(strcat(Line.opportunity_id, "/", Line.referral_id))',
        [{"V": 2}],
    ),  # "A/B" and "A/"
    "null and an absent member are an empty text": Case(
        f'{LINES} | where Event == "push_done" and tostring(Line.run) == "" and tostring(Line.none) == "" '
        "| summarize V = count()",
        [{"V": 1}],
    ),
    "and binds more than or": Case(
        f'{LINES} | where Event == "push_done" or Event == "unsynced" and tolong(Line.count) > 0 '
        "| summarize V = count()",
        [{"V": 2}],
    ),
    "brackets bind more than and": Case(
        f'{LINES} | where (Event == "push_done" or Event == "unsynced") and tolong(Line.count) > 0 '
        "| summarize V = count()",
        [{"V": 1}],
    ),
    "a condition of null holds not": Case(
        f'{LINES} | where Event == "compare_done" or Event == "pair_parked" '
        "| summarize V = countif(tobool(Line.complete))",
        [{"V": 1}],
    ),
    "none of the listed": Case(
        f'{LINES} | where Event !in ("", "unsynced", "pair_parked", "compare_done") | summarize V = count()', [{"V": 2}]
    ),  # push_done and run_skipped
    "a value differs from another, and from none": Case(
        f'{LINES} | where tostring(Line.run) != "push" | summarize V = count()', [{"V": 11}]
    ),
    "a share is a real number": Case(
        f'{LINES} | summarize R = countif(Event == "unsynced"), A = countif(Event == "pair_parked") '
        "| project V = iff(R >= 2, 100.0 * R / (R + A), 0.0)",
        [{"V": 40.0}],
    ),
    "a share of nothing is not looked at": Case(
        f'{LINES} | summarize R = countif(Event == "x"), A = countif(Event == "y") '
        "| project V = iff(R >= 10, 100.0 * R / (R + A), 0.0)",
        [{"V": 0.0}],
    ),
    "a quotient of what is absent is null": Case(
        f'{LINES} | where Event == "push_done" | summarize arg_max(TimeGenerated, Line) '
        "| project V = coalesce(100.0 * todouble(Line.used) / todouble(Line.total), 1.5)",
        [{"V": 1.5}],
    ),
    "a member in brackets": Case(
        f'{LINES} | where tostring(Line["reason"]) == "side_paused" | project V = tostring(Line.run)', [{"V": "push"}]
    ),
    "the first and the last time": Case(
        "AppTraces | summarize First = min(TimeGenerated), Last = max(TimeGenerated) "
        "| project V = iff(First == ago(30m) and Last == now(), 1, 0)",
        [{"V": 1}],
    ),
}
"""Queries with the result that a person has computed from `DAY`, or from no row."""

REFUSED = {
    "an operator": "AppTraces | take 1",
    "a join": "AppTraces | join kind=inner (AppTraces) on Message | summarize V = count()",
    "a function": "AppTraces | extend X = strlen(Message)",
    "an operator between values": "AppTraces | where Message contains 'x'",
    "an aggregate": "AppTraces | summarize V = stdev(1)",
    "a column without a name": "AppTraces | summarize count()",
    "a division of whole numbers": "AppTraces | summarize A = count() | project V = A / A",
    "a let": "let x = 1; AppTraces | summarize V = count()",
    "a place in a list": "AppTraces | extend X = parse_json(Message) | project V = tostring(X[0])",
    "a minimum that may be null": "AppTraces | extend T = now() | summarize V = min(T)",
    "another kind of minimum": "AppTraces | summarize V = min(Message)",
    "a text with an escape": "AppTraces | where Message == '\\n'",
}
"""Queries that Log Analytics would run and no alert rule needs."""
