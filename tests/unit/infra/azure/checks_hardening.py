"""Checks what every resource of a type must be, and the names that an installation may never lose.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.unit.infra.azure.azure_files import ENVIRONMENTS, AzureFiles
from tests.unit.infra.azure.bicep_names import TENANT_ID
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_values import Value

NETWORK_ACCESS = {"properties.publicNetworkAccess": "Enabled", "properties.networkAcls.bypass": "AzureServices"}
"""Without public access no `allowedAddresses` could reach them, and without the bypass no service of Azure."""

REQUIRED: Mapping[str, Mapping[str, Value]] = {
    "Storage/storageAccounts": {
        "kind": "StorageV2",
        "properties.accessTier": "Hot",
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.allowCrossTenantReplication": False,
        "properties.defaultToOAuthAuthentication": True,
        "properties.isLocalUserEnabled": False,
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
        **NETWORK_ACCESS,
    },
    "Storage/storageAccounts/blobServices": {
        "properties.deleteRetentionPolicy": {"enabled": True, "days": 7},
        "properties.containerDeleteRetentionPolicy": {"enabled": True, "days": 7},
    },
    "Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "None"},
    "KeyVault/vaults": {
        "properties.tenantId": TENANT_ID,
        "properties.sku": {"family": "A", "name": "standard"},
        "properties.enableRbacAuthorization": True,
        "properties.enablePurgeProtection": True,
        "properties.enableSoftDelete": True,
        "properties.softDeleteRetentionInDays": 90,
        **NETWORK_ACCESS,
    },
    "Insights/components": {
        "kind": "web",
        "properties.Application_Type": "web",
        "properties.IngestionMode": "LogAnalytics",
        "properties.DisableLocalAuth": True,
    },
    "OperationalInsights/workspaces": {
        "properties.sku": {"name": "PerGB2018"},
        "properties.features.disableLocalAuth": True,
        "properties.features.enableLogAccessUsingOnlyResourcePermissions": True,
        "properties.workspaceCapping.dailyQuotaGb": 1,
    },
    "Web/serverfarms": {"kind": "functionapp"},
    "Web/sites": {
        "kind": "functionapp,linux",
        "properties.httpsOnly": True,
        "properties.publicNetworkAccess": "Enabled",  # Partner Center must reach /api/events
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.functionAppConfig.deployment.storage.type": "blobContainer",
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
    },
    "Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Network/privateDnsZones": {"location": "global"},
    "Network/privateDnsZones/virtualNetworkLinks": {"location": "global", "properties.registrationEnabled": False},
    "Insights/actionGroups": {"location": "global", "properties.enabled": True},
}
"""What every resource of a type must have, by path."""

OF_ENVIRONMENT: Mapping[str, Mapping[str, tuple[Value, Value]]] = {
    "Storage/storageAccounts": {"sku": ({"name": "Standard_LRS"}, {"name": "Standard_ZRS"})},
    "OperationalInsights/workspaces": {"properties.retentionInDays": (30, 90)},
}
"""What must differ: the value in staging, and in production."""

KEPT_TYPES = ("Authorization", "scheduledQueryRules")
"""Types whose resources may get other names: check_roles knows the names of grants, and a rule has no data."""

COMPILED = Path(__file__).parent / "compiled"


def value_at(resource: Resource, path: str) -> Value:
    """The value at a path of a resource, or `not set`."""
    actual: Value = resource.body
    for step in path.split("."):
        actual = actual.get(step, "not set") if isinstance(actual, Mapping) else "not set"
    return actual


def check_hardening(files: AzureFiles) -> Iterator[str]:
    """Every case has what REQUIRED and OF_ENVIRONMENT ask for, and the audit log."""
    for case in files.cases:
        for kind, expected in REQUIRED.items():
            for each in files.resources_of_type(kind, case):
                yield from (f"{case}: {fault}" for fault in _differences(each, expected))
        for kind, pairs in OF_ENVIRONMENT.items():
            wanted = {path: pair[case.startswith("production")] for path, pair in pairs.items()}
            yield from (f"{case}: {fault}" for fault in _differences(files.only(kind, case), wanted))
        yield from (f"{case}: {fault}" for fault in _check_logs(files, case))
    policies = {each.body["name"] for each in files.resources_of_type("Web/sites/basicPublishingCredentialsPolicies")}
    if policies != {"ftp", "scm"}:
        yield f"passwords are disabled for {sorted(policies)} only"


def _differences(resource: Resource, expected: Mapping[str, Value]) -> Iterator[str]:
    for path, value in expected.items():
        actual = value_at(resource, path)
        if actual != value:
            yield f"{resource.file}: {path} is {actual}, not {value}"


def _check_logs(files: AzureFiles, case: str) -> Iterator[str]:
    """Reads of secrets are logged, and all logs go to the one workspace, where the alerts look."""
    workspace, vault = files.only("OperationalInsights/workspaces", case).id, files.only("KeyVault/vaults", case).id
    settings = files.resources_of_type("Insights/diagnosticSettings", case)
    audits = [each.properties["logs"] for each in settings if each.reference.scope == vault]
    if audits != [[{"categoryGroup": "audit", "enabled": True}]]:
        yield "reads of secrets are not logged"
    yield from _check_delete_logs(files, case)
    for each in settings:
        if each.properties["workspaceId"] != workspace or not all(log["enabled"] for log in each.properties["logs"]):
            yield f"{each.reference.full_name} logs nothing, or elsewhere"
    platform = [each.properties["logs"] for each in settings if each.reference.scope == files.function_app(case).id]
    if platform != ([[{"category": "FunctionAppLogs", "enabled": True}]] if "all options" in case else []):
        yield f"the log of the platform is {platform}"
    if files.only("Insights/components", case).properties["WorkspaceResourceId"] != workspace:
        yield "telemetry goes to another workspace"
    site = files.function_app(case)
    if site.properties["serverFarmId"] != files.only("Web/serverfarms", case).id:
        yield "the app runs on another plan"
    if value_at(files.only("KeyVault/vaults", case), "properties.createMode") not in _create_modes(case):
        yield "the vault is not created as recoverVault says"


def _check_delete_logs(files: AzureFiles, case: str) -> Iterator[str]:
    """What is deleted from tables and blobs is logged, and nothing else of the storage account."""
    settings = files.resources_of_type("Insights/diagnosticSettings", case)
    storage = files.only("Storage/storageAccounts", case).id
    logged = {each.reference.scope: each.properties["logs"] for each in settings if storage in each.reference.scope}
    services = [f"{storage}/{name}Services/default" for name in ("blob", "table")]
    if logged != {service: [{"category": "StorageDelete", "enabled": True}] for service in services}:
        yield f"the log of the storage account is {logged}"


def check_locks(files: AzureFiles) -> Iterator[str]:
    """Vault and storage cannot be deleted in production, nor wherever `deleteLocks` is true."""
    for case in files.cases:
        locks = files.resources_of_type("Authorization/locks", case)
        kept = [files.only(kind, case).id for kind in ("KeyVault/vaults", "Storage/storageAccounts")]
        expected = kept if case != "staging" else []
        if sorted(each.reference.scope for each in locks) != sorted(expected):
            yield f"{case}: the locks are on {[each.reference.scope for each in locks]}"
        if any(each.properties["level"] != "CanNotDelete" for each in locks):
            yield f"{case}: a lock forbids more or less than to delete"


def _create_modes(case: str) -> tuple[str]:
    return ("recover",) if "all options" in case else ("default",)


def check_kept_names(files: AzureFiles) -> Iterator[str]:
    """An installation of an early version keeps its resources: a new name would be a new, empty one beside it."""
    for environment in ENVIRONMENTS:
        text = (COMPILED / f"{environment}.snapshot.json").read_text(encoding="utf-8")
        existing = {
            each["id"]
            for each in json.loads(text)["predictedResources"]
            if not any(kind in each["type"] for kind in KEPT_TYPES)
        }
        deployed = {each.id for each in files.cases[environment] if not each.existing}
        yield from (f"{environment}: an installation has {each}" for each in sorted(existing - deployed))
