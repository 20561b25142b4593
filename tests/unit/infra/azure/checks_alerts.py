"""Checks alert rules and workbook against the log events of the code.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.infra.azure.azure_files import AzureFiles, event_fields
from tests.unit.infra.azure.bicep_reader import Resource

QUERY_PREFIX = (
    """AppTraces | where Message startswith '{"event":' | extend Line = parse_json(Message) """
    "| extend Event = tostring(Line.event) | "
)
"""The start of every query: it selects and parses the log lines of the app."""

OPERATORS = frozenset({"where", "extend", "summarize", "project", "order", "take"})
"""The operators that a query may use after its start. These are enough, and keep queries readable."""

EVENTS_BY_RULE: Mapping[str, frozenset[str]] = {
    "app-not-started": frozenset({"start_failed"}),
    "push-silent": frozenset({"push_done", "previewed", "run_skipped", "side_still_paused"}),
    "sweep-silent": frozenset({"sweep_done", "previewed", "run_skipped"}),
    "credentials-silent": frozenset({"credentials_kept"}),
    "compare-silent": frozenset({"compare_done", "previewed", "run_skipped"}),
    "deals-differ": frozenset({"compare_found"}),
    "copy-missing": frozenset({"store_copied"}),
    "events-poisoned": frozenset({"event_poisoned"}),
    "records-parked": frozenset({"pair_parked"}),
    "deals-not-made": frozenset({"deal_not_made"}),
    "deals-hidden": frozenset({"opportunity_hidden"}),
    "answer-due": frozenset({"answer_due"}),
    "sign-in-failed": frozenset({"sign_in_failed", "refresh_token_not_stored"}),
    "wrong-organization": frozenset({"wrong_organization"}),
    "mass-change": frozenset({"mass_change_stopped", "mapping_unapproved"}),
    "events-refused": frozenset({"event_refused", "event_accepted"}),
    "events-not-understood": frozenset({"event_not_understood"}),
    "change-unsynced": frozenset({"unsynced"}),
    "salesforce-budget": frozenset({"salesforce_budget"}),
    "credential-ending": frozenset({"credential_ending"}),
    "registration-foreign": frozenset({"registration_foreign"}),
}
"""The events that each rule reads."""

WINDOW_MINUTES = {"PT1M": 1, "PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT45M": 45}
WINDOW_MINUTES |= {f"PT{hours}H": hours * 60 for hours in range(1, 7)} | {"P1D": 1440, "P2D": 2880}
"""The windows that Azure Monitor accepts, in minutes. It does not accept P2D as a frequency."""

LATEST_MINUTES = 5
"""So late a query may see a line."""

SILENCE_RULES = frozenset({"push-silent", "sweep-silent"})
"""The rules that fire if the log has no line of a kind."""

LOWEST_SEVERITY = 4
QUERY_ITEM, PARAMETERS_ITEM = 3, 9
"""Types of workbook items."""


EXISTING_GROUP = "/subscriptions/s/resourceGroups/on-call/providers/Microsoft.Insights/actionGroups/on-call"


def check_existing_group(files: AzureFiles) -> Iterator[str]:
    """An action group that exists takes the place of ours, for every rule and for the budget."""
    template = files.template_for("production", existingActionGroupId=EXISTING_GROUP, budgetAmount=5)
    resources = [each for each in template.resources() if not each.existing]
    if any(each.type.endswith("/actionGroups") for each in resources):
        yield "a group of our own is made although one exists"
    rules = [each for each in resources if each.type.endswith("/scheduledQueryRules")]
    if not rules or any(each.properties["actions"]["actionGroups"] != [EXISTING_GROUP] for each in rules):
        yield "a rule does not name the existing group"
    (budget,) = [each for each in resources if each.type.endswith("/budgets")]
    groups = [each["contactGroups"] for each in budget.properties["notifications"].values()]
    if any(each != [EXISTING_GROUP] for each in groups):
        yield f"the budget names {groups}"


def check_alerts(files: AzureFiles) -> Iterator[str]:
    """Every rule exists, reads events that the code logs, has an allowed window, and mails to alertEmails."""
    rules = {each.body["name"].removeprefix("cosell-production-"): each.properties for each in _alert_rules(files)}
    actions = {"actionGroups": [files.only("Insights/actionGroups").id]}
    scopes = [files.only("OperationalInsights/workspaces").id]
    yield from (f"the rule {name} is missing" for name in sorted(set(EVENTS_BY_RULE) - set(rules)))
    yield from (f"the rule {name} is not expected" for name in sorted(set(rules) - set(EVENTS_BY_RULE)))
    severities = _severities_of_readme(files)
    yield from (
        f"{each.body['name']} is not of the kind LogAlert"
        for each in _alert_rules(files)
        if each.body["kind"] != "LogAlert"
    )
    for name in sorted(set(rules) & set(EVENTS_BY_RULE)):
        if severities.get(name) != rules[name]["severity"]:
            yield f"{name}: its severity is {rules[name]['severity']}, in the README {severities.get(name)}"
        yield from (f"{name}: {fault}" for fault in _check_rule(name, rules[name]))
        if rules[name]["actions"] != actions or rules[name]["scopes"] != scopes:
            yield f"{name}: it has another action group or another workspace"
    in_readme = set(files.readme_codes("Alerts"))
    yield from (
        f"the rule {name} is only in one of README and files"
        for name in sorted(set(rules).symmetric_difference(in_readme & set(EVENTS_BY_RULE)))
    )
    group = files.only("Insights/actionGroups")
    if not all(each["useCommonAlertSchema"] for each in group.properties["emailReceivers"]):
        yield "mails must have the common schema, which names rule and dimension"
    if [each["emailAddress"] for each in group.properties["emailReceivers"]] != [
        "operator@acme.example",
        "deputy@acme.example",
    ]:
        yield "the action group must mail to every address in alertEmails"
    resources = files.template_for("production", alertsEnabled=False).resources()
    if any(each.properties["enabled"] for each in resources if each.type.endswith("/scheduledQueryRules")):
        yield "alertsEnabled=false must disable the rules"


def _severities_of_readme(files: AzureFiles) -> dict[str, int]:
    section = files.read_text("README.md").split("\n## Alerts\n")[1].split("\n## ")[0]
    return {name: int(severity) for name, severity in re.findall(r"^\| `([\w-]+)` \| (\d) \|", section, re.MULTILINE)}


def _alert_rules(files: AzureFiles) -> list[Resource]:
    return files.resources_of_type("Insights/scheduledQueryRules")


def _check_rule(name: str, rule: Mapping[str, Any]) -> Iterator[str]:
    (criterion,) = rule["criteria"]["allOf"]
    query = criterion["query"]
    yield from check_query(query)
    if events_of(query) != EVENTS_BY_RULE[name]:
        yield f"it reads {sorted(events_of(query))}, not {sorted(EVENTS_BY_RULE[name])}"
    column = criterion["metricMeasureColumn"]
    if not re.search(rf"\b{column} = [^|]*$", query):
        yield f"the query does not end with the column {column} that is compared"
    every, window = WINDOW_MINUTES.get(rule["evaluationFrequency"]), WINDOW_MINUTES.get(rule["windowSize"])
    if not every or not window or every > window or rule["evaluationFrequency"] == "P2D":
        yield f"it runs every {rule['evaluationFrequency']} over {rule['windowSize']}"
    elif window < every + LATEST_MINUTES:
        yield "a line of the last minutes of its window, which comes late, is in no other window"
    is_silence = criterion["operator"] == "LessThan"
    if is_silence is not (name in SILENCE_RULES) or criterion["threshold"] < (1 if is_silence else 0):
        yield f"it fires if {criterion['operator']} {criterion['threshold']}"
    if is_silence and "count" not in query:
        yield "a rule about silence must use count() or countif(), which give 0 if there is no line"
    yield from _check_firing(rule, criterion)
    if [each["name"] for each in criterion["dimensions"]] != (["Name"] if " by Name" in query else []):
        yield "only a query with `by Name` needs the dimension Name, and it must have it"
    if not rule["enabled"] or not 0 <= rule["severity"] <= LOWEST_SEVERITY or not rule["skipQueryValidation"]:
        yield "enabled, severity or skipQueryValidation is wrong"


def _check_firing(rule: Mapping[str, Any], criterion: Mapping[str, Any]) -> Iterator[str]:
    """One reading above the threshold fires at once, for each value of the dimension, and the alert resolves itself."""
    if criterion["failingPeriods"] != {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}:
        yield f"it fires after {criterion['failingPeriods']}"
    if criterion["timeAggregation"] != "Maximum" or rule["autoMitigate"] is not True:
        yield "it does not take the largest value, or does not resolve itself"
    if criterion["operator"] not in ("GreaterThan", "LessThan"):
        yield f"its operator is {criterion['operator']}"
    if any((each["operator"], each["values"]) != ("Include", ["*"]) for each in criterion["dimensions"]):
        yield "a dimension leaves values out"


def check_query(query: str) -> Iterator[str]:
    """The faults of a query that can be found without Log Analytics."""
    if not query.startswith(QUERY_PREFIX):
        yield "it does not begin with QUERY_PREFIX"
    yield from _check_syntax(query)
    events = events_of(query)
    yield from (f"the code does not log the event {event}" for event in sorted(events) if event_fields(event) is None)
    fields = {field for event in events for field in event_fields(event) or ()}
    yield from (f"its events do not have the field {field}" for field in sorted(fields_of(query) - fields - {"event"}))
    if not events:
        yield "it reads no event"


def _check_syntax(query: str) -> Iterator[str]:
    bare = re.sub(r'"[^"]*"', "", query)
    yield from (f"it uses the operator {each}" for each in re.findall(r"\| (\w+)", bare) if each not in OPERATORS)
    if len(re.findall(rf"\b({'|'.join(OPERATORS)})\b", bare)) != bare.count("|"):
        yield "an operator has no pipe"
    if query.count('"') % 2 or query.count("'") % 2:
        yield "the quotes are not balanced"
    for opening, closing in ("()", "[]"):
        if bare.count(opening) != bare.count(closing):
            yield f"the brackets {opening}{closing} are not balanced"


def events_of(query: str) -> frozenset[str]:
    """The events that a query names."""
    single = re.findall(r'Event == "(\w+)"', query)
    several = [name for group in re.findall(r"Event in \(([^)]*)\)", query) for name in re.findall(r'"(\w+)"', group)]
    return frozenset(single + several)


def fields_of(query: str) -> set[str]:
    """The fields that a query reads."""
    return {one or other for one, other in re.findall(r'\bLine(?:\.(\w+)|\["(\w+)"\])', query)}


def check_workbook(files: AzureFiles) -> Iterator[str]:
    """The workbook has the right version, reads the right workspace, and its queries read events that the code logs."""
    resource, workspace = files.only("Insights/workbooks"), files.only("OperationalInsights/workspaces").id
    document = json.loads(resource.properties["serializedData"])
    if document["version"] != "Notebook/1.0" or resource.properties["version"] != "Notebook/1.0":
        yield "it has another version"
    if resource.properties["sourceId"] != workspace or document["fallbackResourceIds"] != [workspace]:
        yield "it reads another workspace"
    items = document["items"]
    listed = [each["name"] for each in items]
    yield from (
        f"the name {name} is not unique" for name in sorted({name for name in listed if listed.count(name) > 1})
    )
    (times,) = [each["content"]["parameters"] for each in items if each["type"] == PARAMETERS_ITEM]
    for each in items:
        if each["type"] != QUERY_ITEM:
            continue
        yield from (f"{each['name']}: {fault}" for fault in check_query(each["content"]["query"]))
        if each["content"]["timeContextFromParameter"] not in [parameter["name"] for parameter in times]:
            yield f"{each['name']}: its time parameter does not exist"
    shown = {event for each in items for event in events_of(each["content"].get("query", ""))}
    for event in sorted({event for events in EVENTS_BY_RULE.values() for event in events} - shown):
        yield f"{event} has an alert, but the workbook does not show it"
