"""Checks roles, hardening and secrets (docs/reference/azure.md#checks-beyond-the-compiler)."""

from collections.abc import Iterable, Iterator, Mapping

from shared.clients.partner_center.sign_in import SecretNames
from shared.settings.variables import SalesforceSettings
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_values import Value

ROLE_NAMES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "storageBlobDataOwner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "storageBlobDataContributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "storageQueueDataContributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "storageTableDataContributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "storageTableDataReader",
    "4633458b-17de-408a-b874-0445c86b69e6": "keyVaultSecretsUser",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "keyVaultSecretsOfficer",
    "3913510d-42f4-4e42-8a64-420c390055eb": "monitoringMetricsPublisher",
}
"""Azure's built-in roles by id (docs/reference/azure.md#identity-and-roles)."""

APP_PRINCIPAL, OPERATOR_PRINCIPAL = "identity.properties.principalId", "deployer().objectId"
PRINCIPAL_TYPES = {APP_PRINCIPAL: "ServicePrincipal", "readers": "Group", "contributors": "Group"}
"""The operator may be a person, a group or a pipeline."""

GRANTS = frozenset(
    {
        (APP_PRINCIPAL, "storageBlobDataOwner", "storage"),
        (APP_PRINCIPAL, "storageQueueDataContributor", "storage"),
        (APP_PRINCIPAL, "storageTableDataContributor", "storage"),
        (APP_PRINCIPAL, "keyVaultSecretsUser", "vault"),
        (APP_PRINCIPAL, "keyVaultSecretsOfficer", "refreshToken"),
        (APP_PRINCIPAL, "monitoringMetricsPublisher", "insights"),
        (OPERATOR_PRINCIPAL, "keyVaultSecretsOfficer", "vault"),
        (OPERATOR_PRINCIPAL, "storageBlobDataContributor", "packages"),
        (OPERATOR_PRINCIPAL, "storageBlobDataContributor", "copies"),
        (OPERATOR_PRINCIPAL, "storageQueueDataContributor", "storage"),
        (OPERATOR_PRINCIPAL, "storageTableDataContributor", "storage"),
    }
)
"""All grants: principal, role and scope."""

GROUPS = {"tableReaderGroupId": "readers", "tableContributorGroupId": "contributors"}
GRANTS_OF_GROUPS = frozenset(
    {("readers", "storageTableDataReader", "links"), ("contributors", "storageTableDataContributor", "links")}
)
"""What the groups get that may use the table alone."""

HARDENED_PROPERTIES: Mapping[str, Mapping[str, Value]] = {
    "Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    },
    "KeyVault/vaults": {
        "enableRbacAuthorization": True,
        "enablePurgeProtection": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
    },
    "Insights/components": {"DisableLocalAuth": True},
    "OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Web/sites": {
        "httpsOnly": True,
        "siteConfig.minTlsVersion": "1.2",
        "functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
    },
    "Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
    "Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
}
"""Properties that every resource of a type must have."""


def check_roles(files: AzureFiles) -> Iterator[str]:
    """The grants are those of GRANTS. Each has its own name, and those of the app have the type ServicePrincipal."""
    yield from _grant_faults(files.resources_of_type("Authorization/roleAssignments"), GRANTS)
    of_groups = files.template_for("production", operatorPrincipalId="", **GROUPS).resources()
    granted = [each for each in of_groups if each.type.endswith("/roleAssignments") and each.symbol.startswith("group")]
    yield from _grant_faults(granted, GRANTS_OF_GROUPS)
    yield from _check_identity(files)


def _grant_faults(assignments: Iterable[Resource], needed: frozenset[tuple[str, str, str]]) -> Iterator[str]:
    grants = set()
    for each in assignments:
        properties = each.properties
        role = str(properties["roleDefinitionId"]).rstrip(")").rpartition(", ")[2]
        if role not in ROLE_NAMES:
            yield f"{each.symbol}: {role} is not a role that may be granted"
        grants.add((properties["principalId"], ROLE_NAMES.get(role, role), each.body.get("scope")))
        if each.body["name"] != f"guid({each.body.get('scope')}.id, {properties['principalId']}, {role})":
            yield f"{each.symbol}: its name does not depend on scope, principal and role"
        if properties.get("principalType") != PRINCIPAL_TYPES.get(str(properties["principalId"])):
            yield f"{each.symbol}: principalType does not fit the principal"
    yield from (f"granted, but not needed: {grant}" for grant in sorted(map(str, grants - needed)))
    yield from (f"needed, but not granted: {grant}" for grant in sorted(map(str, needed - grants)))


def _check_identity(files: AzureFiles) -> Iterator[str]:
    site, settings = files.function_app(), files.app_settings()
    if site.body["identity"] != {"type": "UserAssigned", "userAssignedIdentities": {"<identity.id>": {}}}:
        yield f"the app's identity is {site.body['identity']}"
    client = "identity.properties.clientId"
    if {settings["AZURE_CLIENT_ID"], settings["AzureWebJobsStorage__clientId"]} != {client}:
        yield "code and host must sign in with the app's identity"
    if settings["AzureWebJobsStorage__credential"] != "managedidentity":
        yield "the host must use the identity for storage"
    if settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] != f"ClientId=<{client}>;Authorization=AAD":
        yield "telemetry must be sent with the app's identity"
    if "rbac" not in files.read_text("main.bicep").split("module app ")[1].split("\nmodule ")[0].split("dependsOn")[-1]:
        yield "the app must not start before its roles are granted"
    resources = files.template_for("production", operatorPrincipalId="").resources()
    if any(each.symbol.startswith("operator") for each in resources):
        yield "without an operator, no role may be granted to an operator"


def check_hardening(files: AzureFiles) -> Iterator[str]:
    """Every case has the hardened properties, the network rules and the audit log."""
    for case in files.cases:
        for kind, expected in HARDENED_PROPERTIES.items():
            for each in files.resources_of_type(kind, case):
                yield from (f"{case}: {fault}" for fault in _property_differences(each, expected))
        yield from _check_network(files, case)
        audits = [
            each
            for each in files.resources_of_type("Insights/diagnosticSettings", case)
            if each.body["scope"] == "vault"
        ]
        if [each.properties["logs"] for each in audits] != [[{"categoryGroup": "audit", "enabled": True}]]:
            yield f"{case}: reads of secrets are not logged"
    policies = {each.body["name"] for each in files.resources_of_type("Web/sites/basicPublishingCredentialsPolicies")}
    if policies != {"ftp", "scm"}:
        yield f"passwords are disabled for {sorted(policies)} only"


def _property_differences(resource: Resource, expected: Mapping[str, Value]) -> Iterator[str]:
    for path, value in expected.items():
        actual: Value = resource.properties
        for step in path.split("."):
            actual = actual.get(step, "not set") if isinstance(actual, Mapping) else "not set"
        if actual != value:
            yield f"{resource.file}: {path} is {actual}, not {value}"


def _check_network(files: AzureFiles, case: str) -> Iterator[str]:
    action = "Deny" if "all options" in case else "Allow"
    for kind in ("Storage/storageAccounts", "KeyVault/vaults"):
        (each,) = files.resources_of_type(kind, case)
        if each.properties["networkAcls"]["defaultAction"] != action:
            yield f"{case}: {each.file} must {action.lower()} the internet"
        listed = [rule["value"] for rule in each.properties["networkAcls"]["ipRules"]]
        if listed != (["203.0.113.7"] if action == "Deny" else []):
            yield f"{case}: {each.file} allows {listed}"
    endpoints = {
        each.properties["privateLinkServiceConnections"][0]["name"]: each.properties
        for each in files.resources_of_type("Network/privateEndpoints", case)
    }
    if set(endpoints) != ({"blob", "queue", "table", "vault"} if action == "Deny" else set()):
        yield f"{case}: the private endpoints are {sorted(endpoints)}"
    subnet = files.function_app(case).properties["virtualNetworkSubnetId"]
    if subnet != ("network::appSubnet.id" if action == "Deny" else None):
        yield f"{case}: the app's subnet is {subnet}"


def check_secrets(files: AzureFiles) -> Iterator[str]:
    """Secrets have the names of the code. The deployment creates one, as a placeholder, and never overwrites it."""
    names = SecretNames()
    used = {names.refresh_token, names.certificate, names.client_secret}
    used.add(SalesforceSettings.model_fields["key_secret"].default)
    if set(files.readme_codes("Secrets")) != used:
        yield f"the README lists {sorted(files.readme_codes('Secrets'))}, the code uses {sorted(map(str, used))}"
    created = files.resources_of_type("KeyVault/vaults/secrets")
    if [each.body["name"] for each in created] != [names.refresh_token]:
        yield f"the deployment creates {[each.body['name'] for each in created]}"
    for each in created:
        if "onlyIfNotExists" not in each.decorators:
            yield f"{each.symbol}: a second deployment would overwrite the token"
        if each.properties.get("contentType") != "placeholder":
            yield f"{each.symbol}: its content type must say that it is a placeholder"
    writable = {each.body["name"] for each in files.cases["production"] if each.symbol == "refreshToken"}
    if writable != {names.refresh_token}:
        yield f"the app may write {sorted(writable)}"
    for path in files.bicep_files():
        if "listKeys" in (source := path.read_text(encoding="utf-8")) or "AccountKey" in source:
            yield f"{path.name} reads an account key"
