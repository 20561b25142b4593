"""Alert rules and workbook against the log events of the code (reference/azure.md 4.3, check 9)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.infra.azure.azure_home import Home, event_fields
from tests.unit.infra.azure.bicep_reader import Resource

PREFIX = (
    """AppTraces | where Message startswith '{"event":' | extend Line = parse_json(Message) """
    "| extend Event = tostring(Line.event) | "
)
"""How every query begins: our lines, taken apart."""

OPERATORS = frozenset({"where", "extend", "summarize", "project", "order", "take"})
"""What a query may do after that; more would only make it harder to read."""

RULES: Mapping[str, frozenset[str]] = {
    "push-silent": frozenset({"push_done", "previewed", "run_skipped"}),
    "sweep-silent": frozenset({"sweep_done", "previewed", "run_skipped"}),
    "credentials-silent": frozenset({"credentials_kept"}),
    "events-poisoned": frozenset({"event_poisoned"}),
    "records-parked": frozenset({"pair_parked"}),
    "sign-in-failed": frozenset({"sign_in_failed", "refresh_token_not_stored"}),
    "events-refused": frozenset({"event_refused", "event_accepted"}),
    "change-unsynced": frozenset({"unsynced"}),
    "salesforce-budget": frozenset({"salesforce_budget"}),
    "credential-ending": frozenset({"credential_ending"}),
    "registration-foreign": frozenset({"registration_foreign"}),
}
"""The events that each rule reads."""

WINDOWS = {"PT1M": 1, "PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT45M": 45}
WINDOWS |= {f"PT{hours}H": hours * 60 for hours in range(1, 7)} | {"P1D": 1440, "P2D": 2880}
"""Lengths that Azure Monitor takes, in minutes; P2D not as a frequency."""

SILENCE = frozenset({"push-silent", "sweep-silent"})


def alerts(home: Home) -> Iterator[str]:
    """Every rule is there, reads what the code logs, at times that Azure Monitor takes, and tells somebody."""
    rules = {each.body["name"].removeprefix("cosell-production-"): each.properties for each in _rules(home)}
    yield from (f"there is no rule {name}" for name in sorted(set(RULES) - set(rules)))
    yield from (f"nobody asked for the rule {name}" for name in sorted(set(rules) - set(RULES)))
    for name in sorted(set(rules) & set(RULES)):
        yield from (f"{name}: {fault}" for fault in _rule(name, rules[name]))
    told = home.table("Alerts")
    yield from (f"README: the rule {name}" for name in sorted(set(rules).symmetric_difference(set(told) & set(RULES))))
    (group,) = home.of_type("Insights/actionGroups")
    if [each["emailAddress"] for each in group.properties["emailReceivers"]] != [
        "operator@acme.example",
        "deputy@acme.example",
    ]:
        yield "the action group must mail to everybody in alertEmails"
    silent = home.template("production", alertsEnabled=False).resources()
    if any(each.properties["enabled"] for each in silent if each.symbol == "alerts"):
        yield "alertsEnabled=false must switch the rules off"


def _rules(home: Home) -> list[Resource]:
    return home.of_type("Insights/scheduledQueryRules")


def _rule(name: str, rule: Mapping[str, Any]) -> Iterator[str]:
    (criterion,) = rule["criteria"]["allOf"]
    query = criterion["query"]
    yield from query_faults(query)
    if events_of(query) != RULES[name]:
        yield f"it reads {sorted(events_of(query))}, not {sorted(RULES[name])}"
    column = criterion["metricMeasureColumn"]
    if not re.search(rf"\b{column} = [^|]*$", query):
        yield f"the query does not end with the column {column} that is compared"
    every, window = WINDOWS.get(rule["evaluationFrequency"]), WINDOWS.get(rule["windowSize"])
    if not every or not window or every > window or rule["evaluationFrequency"] == "P2D":
        yield f"runs every {rule['evaluationFrequency']} over {rule['windowSize']}"
    low = criterion["operator"] == "LessThan"
    if low is not (name in SILENCE) or criterion["threshold"] < (1 if low else 0):
        yield f"tells when {criterion['operator']} {criterion['threshold']}"
    if low and "count()" not in query:
        yield "silence must be counted, so that no line at all is a 0"
    if [each["name"] for each in criterion["dimensions"]] != (["Name"] if " by Name" in query else []):
        yield "a query that answers by name needs the dimension Name, and no other does"
    if not rule["enabled"] or not 0 <= rule["severity"] <= _LOWEST or not rule["skipQueryValidation"]:
        yield "enabled, severity or skipQueryValidation"
    if rule["actions"] != {"actionGroups": ["actionGroup.id"]} or rule["scopes"] != ["workspace.id"]:
        yield "tells nobody, or reads another workspace"


_LOWEST = 4


def query_faults(query: str) -> Iterator[str]:
    """What is wrong with a query, as far as that can be seen without Log Analytics."""
    if not query.startswith(PREFIX):
        yield "does not begin with our lines"
    yield from _syntax(query)
    events = events_of(query)
    yield from (f"nothing logs the event {event}" for event in sorted(events) if event_fields(event) is None)
    fields = {field for event in events for field in event_fields(event) or ()}
    yield from (f"its events have no field {field}" for field in sorted(fields_of(query) - fields - {"event"}))
    if not events:
        yield "it reads no event"


def _syntax(query: str) -> Iterator[str]:
    bare = re.sub(r'"[^"]*"', "", query)
    yield from (f"the operator {each}" for each in re.findall(r"\| (\w+)", bare) if each not in OPERATORS)
    if len(re.findall(rf"\b({'|'.join(OPERATORS)})\b", bare)) != bare.count("|"):
        yield "an operator without its pipe"
    if query.count('"') % 2 or query.count("'") % 2:
        yield "unbalanced quotes"
    for opening, closing in ("()", "[]"):
        if bare.count(opening) != bare.count(closing):
            yield f"unbalanced {opening}{closing}"


def events_of(query: str) -> frozenset[str]:
    """The events that a query names."""
    single = re.findall(r'Event == "(\w+)"', query)
    several = [name for found in re.findall(r"Event in \(([^)]*)\)", query) for name in re.findall(r'"(\w+)"', found)]
    return frozenset(single + several)


def fields_of(query: str) -> set[str]:
    """The fields that a query reads."""
    return {one or other for one, other in re.findall(r'\bLine(?:\.(\w+)|\["(\w+)"\])', query)}


def workbook(home: Home) -> Iterator[str]:
    """The workbook is a workbook, on our workspace, of queries that the code answers."""
    (made,) = home.of_type("Insights/workbooks")
    book = json.loads(made.properties["serializedData"])
    if book["version"] != "Notebook/1.0" or made.properties["version"] != "Notebook/1.0":
        yield "it is of another version"
    if made.properties["sourceId"] != "workspace.id" or book["fallbackResourceIds"] != ["<workspace.id>"]:
        yield "it reads another workspace"
    items = book["items"]
    listed = [each["name"] for each in items]
    yield from (f"{name} stands twice" for name in sorted({name for name in listed if listed.count(name) > 1}))
    (times,) = [each["content"]["parameters"] for each in items if each["type"] == _PARAMETERS]
    for each in items:
        if each["type"] != _QUERY:
            continue
        yield from (f"{each['name']}: {fault}" for fault in query_faults(each["content"]["query"]))
        if each["content"]["timeContextFromParameter"] not in [parameter["name"] for parameter in times]:
            yield f"{each['name']}: nobody sets its time"
    shown = {event for each in items for event in events_of(each["content"].get("query", ""))}
    for event in sorted({event for events in RULES.values() for event in events} - shown):
        yield f"{event} has an alert, but cannot be seen"


_QUERY, _PARAMETERS = 3, 9
