"""Each check finds the faults that it exists for: every test puts one fault into a copy of the files."""

import shutil
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.checks import CHECKS, run_check

APP, STORAGE, VAULT, RBAC = (f"modules/{name}.bicep" for name in ("app", "storage", "vault", "rbac"))
ALERTS, MONITORING, SETTINGS = (f"modules/{name}.bicep" for name in ("alerts", "monitoring", "settings"))
CONSTANTS, NETWORK, BUDGET = (f"modules/{name}.bicep" for name in ("constants", "network", "budget"))

FAULTS: list[tuple[str, str, str, str]] = [
    # settings; each entry is: check, file, original text, replacement
    ("settings", "main.bicep", "SALESFORCE_USERNAME: ", "SALESFORCE_USER: "),
    ("settings", "main.bicep", "      SWEEP_SCHEDULE: sweepSchedule\n", ""),
    ("settings", "main.bicep", "'mapping/${environmentName}.toml'", "'mapping/production.toml'"),
    ("settings", "main.bicep", "param sync string = 'preview'", "param sync string = 'on'"),
    ("settings", "staging.bicepparam", "'SYNC', 'preview'", "'SYNC', 'on'"),
    ("settings", SETTINGS, "  PARALLELISM: string?\n", ""),
    ("settings", SETTINGS, "  RUN_SECONDS: string?", "  RUN_SECOND: string?"),
    ("settings", SETTINGS, "  SYNC_FROM: string?", "  SYNC_FROM: string?\n  SALESFORCE_URL: string?"),
    ("settings", APP, "  AzureWebJobsStorage__credential: 'managedidentity'\n", ""),
    ("settings", APP, "var host = {", "var host = {\n  FUNCTIONS_WORKER_RUNTIME: 'python'"),
    ("settings", APP, "var host = {", "var host = {\n  WEBSITE_TIME_ZONE: 'Asia/Taipei'"),
    # queues, table, container
    ("queues", STORAGE, "'${eventsQueue}-poison'", "'${eventsQueue}-dead'"),
    ("queues", STORAGE, "[eventsQueue, '${eventsQueue}-poison']", "[eventsQueue]"),
    ("queues", CONSTANTS, "linksTable = 'cosell'", "linksTable = 'links'"),
    ("queues", APP, "value: '${blobUrl}${packageContainer}'", "value: '${blobUrl}app-package'"),
    # runtime
    ("runtime", APP, "version: '3.13'", "version: '3.12'"),
    ("runtime", APP, "name: 'FC1'", "name: 'Y1'"),
    ("runtime", APP, "    siteConfig: {", "    siteConfig: {\n      alwaysOn: true"),
    ("runtime", "main.bicep", "param httpConcurrency int = 16", "param httpConcurrency int = 1"),
    ("runtime", "main.bicep", "param queueBatchSize int = 4", "param queueBatchSize int = 16"),
    # roles
    ("roles", CONSTANTS, "4633458b-17de-408a-b874-0445c86b69e6", "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
    ("roles", RBAC, "  scope: refreshToken\n", "  scope: vault\n"),
    ("roles", RBAC, "Owner, roles.storageQueueDataContributor, ", "Owner, "),
    ("roles", RBAC, "      principalType: 'ServicePrincipal'\n", ""),
    ("roles", RBAC, "guid(insights.id, appPrincipalId, ", "guid(vault.id, appPrincipalId, "),
    ("roles", RBAC, "= if (hasOperator) {\n  scope: vault\n", "= {\n  scope: vault\n"),
    ("roles", RBAC, "guid(links.id, tableReaderGroupId, ", "guid(storage.id, tableReaderGroupId, "),
    ("roles", RBAC, "    principalType: 'Group'\n", ""),
    ("roles", RBAC, "= if (hasReaders) {", "= {"),
    ("roles", "main.bicep", "  dependsOn: [\n    rbac\n  ]\n", ""),
    ("roles", APP, "ClientId=${identityClientId};", ""),
    # hardening
    ("hardening", STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    ("hardening", STORAGE, "    minimumTlsVersion: 'TLS1_2'\n", ""),
    ("hardening", STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    ("hardening", VAULT, "enablePurgeProtection: true", "enablePurgeProtection: false"),
    ("hardening", VAULT, "softDeleteRetentionInDays: 90", "softDeleteRetentionInDays: 7"),
    ("hardening", VAULT, "enableRbacAuthorization: true", "enableRbacAuthorization: false"),
    ("hardening", VAULT, "categoryGroup: 'audit'", "categoryGroup: 'allMetrics'"),
    ("hardening", VAULT, "isPrivate ? 'Deny' : 'Allow'", "'Allow'"),
    ("hardening", MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false"),
    ("hardening", MONITORING, "disableLocalAuth: true", "disableLocalAuth: false"),
    ("hardening", APP, "httpsOnly: true", "httpsOnly: false"),
    ("hardening", APP, "name: 'scm'", "name: 'ftp'"),
    ("hardening", NETWORK, "  { group: 'table', target: storageId, zone: 'privatelink.table.${suffix}' }\n", ""),
    # secrets
    ("secrets", VAULT, "@onlyIfNotExists()\n", ""),
    ("secrets", CONSTANTS, "'partner-center-refresh-token'", "'refresh-token'"),
    ("secrets", "README.md", "| `salesforce-private-key` |", "| `salesforce-key` |"),
    # parameters
    ("parameters", "staging.bicepparam", "param salesforceUrl = ", "param salesforceURL = "),
    ("parameters", "production.bicepparam", "param logRetentionDays = 90", "param logRetentionDays = 900"),
    ("parameters", "production.bicepparam", "param storageSku = 'Standard_ZRS'", "param storageSku = 'Premium_ZRS'"),
    ("parameters", "production.bicepparam", "environmentName = 'production'", "environmentName = 'staging'"),
    ("parameters", "main.bicep", "@minLength(1)\n@description('The consumer key", "@description('The consumer key"),
    ("parameters", "main.bicep", "['staging', 'production']", "['staging', 'production', 'test']"),
    ("parameters", "staging.bicepparam", "('SALESFORCE_URL')", "('SALESFORCE_URL', '')"),
    ("parameters", "production.bicepparam", "('SALESFORCE_USERNAME')", "('SALESFORCE_USERNAME', 'a@b.c')"),
    # names, tags, modules
    ("names", "main.bicep", "storage: 'st${workloadName}${token}'", "storage: 'st${workloadName}${short}${token}'"),
    ("names", "main.bicep", "vault: 'kv-${workloadName}${token}'", "vault: 'kv-${workloadName}-${token}'"),
    ("names", "main.bicep", "app: 'func-${workloadName}-${short}-", "app: 'func-${workloadName}-${environmentName}-"),
    ("names", "main.bicep", "take(workloadName, 7)", "workloadName"),
    ("names", "main.bicep", "@maxLength(8)", "@maxLength(12)"),
    ("tags", "main.bicep", "union(tags, {\n", "union({}, {\n"),
    ("tags", STORAGE, "  tags: tags\n", ""),
    ("modules", "main.bicep", "= if (budgetAmount > 0) {", "= {"),
    ("modules", "main.bicep", "'modules/identity.bicep'", "'br/public:avm/res/managed-identity:0.6.0'"),
    # warnings of the compiler
    ("compiler", BUDGET, "@description('The budget", "@minValue(1)\n@description('The budget"),
    ("compiler", APP, "param queueBatchSize int", "@maxValue(16)\nparam queueBatchSize int"),
    ("compiler", APP, "name: 'scm'", "name: toLower('scm')"),
    ("compiler", APP, "name: 'scm'", "name: '${toLower('scm')}'"),
    ("compiler", RBAC, "var hasReaders", f"var {'h' * 90}asReaders"),
    # README
    ("readme", "main.bicep", "param memoryMegabytes int = 2048", "param memoryMegabytes int = 4096"),
    ("readme", "README.md", "| `EVENTS_URL` |", "| `WEBHOOK_URL` |"),
    ("readme", "README.md", "`Microsoft.Consumption`", "the one of budgets"),
    # alerts and workbook
    ("alerts", ALERTS, 'Event == "event_poisoned"', 'Event == "event_poison"'),
    ("alerts", ALERTS, "Line.oldest_seconds", "Line.oldest"),
    ("alerts", ALERTS, "    operator: 'LessThan'\n", "    operator: 'GreaterThan'\n"),
    ("alerts", ALERTS, "window: 'PT15M'", "window: 'PT20M'"),
    ("alerts", ALERTS, "every: 'PT1H'\n    window: 'P2D'", "every: 'P2D'\n    window: 'P2D'"),
    ("alerts", ALERTS, "names: ['Name']", "names: []"),
    ("alerts", ALERTS, "tostring(Line.host)", "tostring(Line.address)"),
    ("alerts", ALERTS, "Value = dcount(tostring(Line.referral_id))", "Poisoned = dcount(tostring(Line.referral_id))"),
    ("alerts", ALERTS, "| project Value = iff(Refused", "project Value = iff(Refused"),
    ("alerts", ALERTS, "actionGroups: [actionGroupId]", "actionGroups: []"),
    ("alerts", MONITORING, "for (email, index) in emails", "for (email, index) in take(emails, 1)"),
    ("workbook", "workbook.json", "Line.days_left", "Line.days"),
    ("workbook", "workbook.json", ', \\"registration_foreign\\"', ""),
    ("workbook", "workbook.json", '"__WORKSPACE__"', '"WORKSPACE"'),
    ("workbook", "workbook.json", '"timeContextFromParameter": "TimeRange"', '"timeContextFromParameter": "Time"'),
    ("workbook", "workbook.json", 'Event == \\"unsynced\\"', 'Event == \\"pair_due\\"'),
]  # fmt: skip


@pytest.fixture
def copied_files(tmp_path: Path) -> AzureFiles:
    """A copy of the files, to put a fault into."""
    real = AzureFiles()
    shutil.copytree(real.folder, tmp_path / "azure")
    return AzureFiles(tmp_path / "azure")


@pytest.mark.parametrize(
    ("check", "file", "old", "new"), FAULTS, ids=[f"{check}-{index}" for index, (check, *_) in enumerate(FAULTS)]
)
def test_a_check_finds_the_fault(copied_files: AzureFiles, check: str, file: str, old: str, new: str) -> None:
    path = copied_files.folder / file
    source = path.read_text(encoding="utf-8")
    assert old in source, "the file no longer has the original text: choose another"
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    assert run_check(copied_files, check)


@pytest.mark.parametrize("broken", ["resource x 'A/b@1' = {", "param a string =", "module m 'x.bicep' = { name: }"])
def test_every_check_reports_a_file_that_cannot_be_read(copied_files: AzureFiles, broken: str) -> None:
    path = copied_files.folder / "main.bicep"
    path.write_text(path.read_text(encoding="utf-8") + broken, encoding="utf-8")
    assert all(run_check(copied_files, check) for check in CHECKS)


def test_the_checks_find_nothing_in_an_unchanged_copy(copied_files: AzureFiles) -> None:
    assert [fault for check in CHECKS for fault in run_check(copied_files, check)] == []


def test_every_check_has_a_fault_to_find() -> None:
    assert {check for check, *_ in FAULTS} == set(CHECKS)
