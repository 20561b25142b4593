"""Checks that each value reaches the place that it is for: settings, parameters, schedules and regions."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

from shared.settings.schedules import parse_schedule
from tests.unit.infra.azure.azure_files import ENVIRONMENTS, SAMPLE_VARIABLES, AzureFiles
from tests.unit.infra.azure.bicep_names import Symbol
from tests.unit.infra.azure.bicep_reader import Resource, Template
from tests.unit.infra.azure.bicep_values import Value
from tests.unit.infra.azure.checks_hardening import value_at

_SCALE = "properties.functionAppConfig.scaleAndConcurrency"
_QUEUES = "AzureFunctionsJobHost__extensions__queues__"
_RULE = "Insights/scheduledQueryRules"

DESTINATIONS: Mapping[str, tuple[Value, str, str]] = {
    "resourceGroupName": ("rg-other", "Resources/resourceGroups", "name"),
    "memoryMegabytes": (4096, "Web/sites", f"{_SCALE}.instanceMemoryMB"),
    "maximumInstances": (55, "Web/sites", f"{_SCALE}.maximumInstanceCount"),
    "httpConcurrency": (17, "Web/sites", f"{_SCALE}.triggers.http.perInstanceConcurrency"),
    "storageSku": ("Standard_GRS", "Storage/storageAccounts", "sku.name"),
    "logRetentionDays": (61, "OperationalInsights/workspaces", "properties.retentionInDays"),
    "logCapGigabytes": (7, "OperationalInsights/workspaces", "properties.workspaceCapping.dailyQuotaGb"),
    "budgetAmount": (123, "Consumption/budgets", "properties.amount"),
    "budgetStart": ("2027-02-01", "Consumption/budgets", "properties.timePeriod.startDate"),
    "networkAddressPrefix": ("10.99.0.0/24", "Network/virtualNetworks", "properties.addressSpace.addressPrefixes"),
}
"""A value of a parameter, and where it must arrive: the type of the resource and the path."""

IN_SETTINGS: Mapping[str, tuple[Value, str, str]] = {
    "sync": ("off", "SYNC", "off"),
    "partnerCenterTenantId": ("a" * 36, "PARTNER_CENTER_TENANT_ID", "a" * 36),
    "partnerCenterClientId": ("b" * 36, "PARTNER_CENTER_CLIENT_ID", "b" * 36),
    "partnerCenterOrganizationId": ("c" * 36, "PARTNER_CENTER_ORGANIZATION_ID", "c" * 36),
    "partnerCenterLocation": ("7654321", "PARTNER_CENTER_LOCATION", "7654321"),
    "salesforceUrl": ("https://d.my.salesforce.com", "SALESFORCE_URL", "https://d.my.salesforce.com"),
    "salesforceClientId": ("key", "SALESFORCE_CLIENT_ID", "key"),
    "salesforceUsername": ("user@example", "SALESFORCE_USERNAME", "user@example"),
    "settings": ({"RUN_SECONDS": "301"}, "RUN_SECONDS", "301"),
    "pushSchedule": ("0 1 * * * *", "PUSH_SCHEDULE", "0 1 * * * *"),
    "sweepSchedule": ("0 2 * * * *", "SWEEP_SCHEDULE", "0 2 * * * *"),
    "credentialsSchedule": ("0 3 * * * *", "CREDENTIALS_SCHEDULE", "0 3 * * * *"),
    "compareSchedule": ("0 4 * * * *", "COMPARE_SCHEDULE", "0 4 * * * *"),
    "backupSchedule": ("0 5 * * * *", "BACKUP_SCHEDULE", "0 5 * * * *"),
    "queueBatchSize": (10, f"{_QUEUES}batchSize", "10"),
}
"""A value of a parameter, and the setting in which it must arrive, with its text there."""

THRESHOLDS: Mapping[str, tuple[Value, str]] = {
    "eventsRefusedPercent": (33, "events-refused"),
    "unsyncedSeconds": (4000, "change-unsynced"),
    "salesforceBudgetPercent": (66, "salesforce-budget"),
}
"""A value of a parameter, and the rule whose threshold it is."""

ADDRESSES: Mapping[str, tuple[str, str]] = {
    "AzureWebJobsStorage__blobServiceUri": ("Storage/storageAccounts", "primaryEndpoints.blob"),
    "AzureWebJobsStorage__queueServiceUri": ("Storage/storageAccounts", "primaryEndpoints.queue"),
    "AzureWebJobsStorage__tableServiceUri": ("Storage/storageAccounts", "primaryEndpoints.table"),
    "STORE_TABLES_URL": ("Storage/storageAccounts", "primaryEndpoints.table"),
    "KEY_VAULT_URL": ("KeyVault/vaults", "vaultUri"),
    "APPLICATIONINSIGHTS_CONNECTION_STRING": ("Insights/components", "ConnectionString"),
}
"""Settings that name a service, and the property of Azure's answer that they must have."""

RUNS: Mapping[str, tuple[int, str]] = {
    "PUSH_SCHEDULE": (1440, "00:00"),
    "SWEEP_SCHEDULE": (96, "00:00"),
    "CREDENTIALS_SCHEDULE": (1, "03:17"),
    "COMPARE_SCHEDULE": (8, "02:23"),
    "BACKUP_SCHEDULE": (1, "06:47"),
}
"""The runs of each timer on any day, and the time of the first (README.md#parameters)."""

LIMITS: Mapping[str, Mapping[str, Value]] = {
    "partnerCenterTenantId": {"minLength": 36, "maxLength": 36},
    "partnerCenterClientId": {"minLength": 36, "maxLength": 36},
    "partnerCenterOrganizationId": {"minLength": 36, "maxLength": 36},
    "location": {"minLength": 1},
    "workloadName": {"minLength": 2, "maxLength": 8},
    "partnerCenterLocation": {"minLength": 1, "maxLength": 12},
    "salesforceUrl": {"minLength": 9},
    "salesforceClientId": {"minLength": 1},
    "salesforceUsername": {"minLength": 1},
    "memoryMegabytes": {"allowed": [512, 2048, 4096]},
    "maximumInstances": {"minValue": 1, "maxValue": 1000},
    "httpConcurrency": {"minValue": 1, "maxValue": 1000},
    "queueBatchSize": {"minValue": 1, "maxValue": 32},
    "alwaysReady": {"minValue": 0, "maxValue": 20},
    "eventsRefusedPercent": {"minValue": 1, "maxValue": 100},
    "salesforceBudgetPercent": {"minValue": 1, "maxValue": 100},
    "logRetentionDays": {"minValue": 30, "maxValue": 730},
    "logCapGigabytes": {"minValue": 1},
    "budgetAmount": {"minValue": 0},
}
"""What the platform takes, and what an id is long (docs/reference/azure.md#flex-consumption). 0 switches a part off.

A text without which nothing works is not empty. A workload has at most 8 characters, or the names of storage and vault
exceed their 24 (infra/azure/README.md#names).
"""

GLOBAL = ("Insights/actionGroups", "Network/privateDnsZones", "Network/privateDnsZones/virtualNetworkLinks")
"""Types that have no region."""


def check_limits(files: AzureFiles) -> Iterator[str]:
    """A parameter takes what the platform takes, no less and no more, and its default is within its own limits."""
    declared = files.main_template.parameters
    required = {"environmentName": "production", "location": "westeurope"}
    defaults = Template(files.folder / "main.bicep", required)
    for name, expected in LIMITS.items():
        rules = {rule: value for rule, value in declared[name].rules.items() if rule != "description"}
        if rules != expected:
            yield f"{name} is limited to {rules}, not {expected}"
    for name, each in declared.items():
        value = defaults.value(name) if each.default is not None else None
        if value is not None and not isinstance(value, Symbol) and (reason := each.why_invalid(value)):
            yield f"the default of {name} {reason}"
    if not files.read_text("main.bicep").count("\ntargetScope = 'subscription'\n"):
        yield "main.bicep is not deployed to the subscription, where it creates the group"


def check_destinations(files: AzureFiles) -> Iterator[str]:
    """A parameter changes what it is for, and two that look alike are not swapped."""
    values = {name: value for name, (value, *_) in {**DESTINATIONS, **IN_SETTINGS, **THRESHOLDS}.items()}
    template = files.template_for("production", location="northeurope", privateNetwork=True, **values)
    resources = list(template.resources())
    for name, (value, kind, path) in DESTINATIONS.items():
        arrived = [value_at(each, path) for each in resources if each.type == f"Microsoft.{kind}" and not each.existing]
        if arrived not in ([value], [[value]]):
            yield f"{name} is {value}, but {path} of {kind} is {arrived}"
    settings = _settings_of(resources)
    for name, (_, setting, text) in IN_SETTINGS.items():
        if settings.get(setting) != text:
            yield f"the parameter {name} does not arrive in the setting {setting}: {settings.get(setting)}"
    if settings.get(f"{_QUEUES}newBatchThreshold") != "5":
        yield "newBatchThreshold is not half of queueBatchSize"
    rules = {each.body["name"]: each for each in resources if each.type == f"Microsoft.{_RULE}"}
    for name, (value, rule) in THRESHOLDS.items():
        criterion = rules[f"cosell-production-{rule}"].properties["criteria"]["allOf"][0]
        if criterion["threshold"] != value:
            yield f"{name} is {value}, but the threshold of {rule} is {criterion['threshold']}"
    yield from _check_regions(resources)


def _settings_of(resources: list[Resource]) -> dict[str, Value]:
    (site,) = [each for each in resources if each.type == "Microsoft.Web/sites"]
    return {each["name"]: each["value"] for each in site.properties["siteConfig"]["appSettings"]}


def _check_regions(resources: list[Resource]) -> Iterator[str]:
    for each in resources:
        expected = "global" if each.type.removeprefix("Microsoft.") in GLOBAL else "northeurope"
        if each.body.get("location", expected) != expected:
            yield f"{each.id} is in {each.body['location']}"


def check_settings_values(files: AzureFiles) -> Iterator[str]:
    """Each setting has the value of its variable or the address of its service, and timers run when the README says."""
    for environment in ENVIRONMENTS:
        settings = files.app_settings(environment)
        for name in sorted(SAMPLE_VARIABLES.keys() & settings.keys()):
            if settings[name] != SAMPLE_VARIABLES[name]:
                yield f"{environment}: {name} has the value of another variable: {settings[name]}"
        for name, (kind, path) in ADDRESSES.items():
            if settings.get(name) != files.only(kind, environment).given_by_azure(f"properties.{path}"):
                yield f"{environment}: {name} is {settings.get(name)}"
        yield from (f"{environment}: {fault}" for fault in _check_runs(settings))


def _check_runs(settings: Mapping[str, str]) -> Iterator[str]:
    for name, (count, first) in RUNS.items():
        for day in (datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC)):
            runs = _runs_on(settings[name], day)
            if len(runs) != count or f"{runs[0]:%H:%M}" != first:
                yield f"{name} runs {len(runs)} times on {day:%A}, first at {runs[:1]}"


@cache
def _runs_on(schedule: str, day: datetime) -> list[datetime]:
    parsed, runs = parse_schedule(schedule), [day - timedelta(seconds=1)]
    while (run := parsed.next_after(runs[-1])) < day + timedelta(days=1):
        runs.append(run)
    return runs[1:]
