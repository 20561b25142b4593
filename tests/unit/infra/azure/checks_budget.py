"""Checks the optional budget: it warns by mail before and when the cost of a month reaches it."""

from collections.abc import Iterator

from tests.unit.infra.azure.azure_files import ALL_OPTIONS, AzureFiles

NOTIFICATIONS = {("Actual", "GreaterThan", 80), ("Forecasted", "GreaterThan", 100)}
"""What the budget warns of: the kind of cost, the operator, and percent of the amount."""


def check_budget(files: AzureFiles) -> Iterator[str]:
    """The budget is a month's cost, and each notification is on and goes to the action group of the alerts."""
    case = "production, all options"
    budget, group = files.only("Consumption/budgets", case).properties, files.only("Insights/actionGroups", case).id
    if (budget["category"], budget["timeGrain"], budget["amount"]) != ("Cost", "Monthly", ALL_OPTIONS["budgetAmount"]):
        yield f"it is {budget['amount']} of {budget['category']}, {budget['timeGrain']}"
    if budget["timePeriod"] != {"startDate": "utcNow(yyyy-MM-01)"}:
        yield f"its time is {budget['timePeriod']}"
    listed = budget["notifications"]
    found = {(each["thresholdType"], each["operator"], each["threshold"]) for each in listed.values()}
    if found != NOTIFICATIONS or len(listed) != len(NOTIFICATIONS):
        yield f"it notifies of {sorted(found)}"
    for name, each in listed.items():
        if each["enabled"] is not True or each["contactGroups"] != [group]:
            yield f"the notification {name} is off, or goes to {each['contactGroups']}"
