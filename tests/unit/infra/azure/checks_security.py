"""Checks hardening and secrets (docs/reference/azure.md#checks-beyond-the-compiler)."""

from collections.abc import Iterator, Mapping

from shared.clients.partner_center.sign_in import SecretNames
from shared.settings.variables import SalesforceSettings
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_values import Value

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


def check_hardening(files: AzureFiles) -> Iterator[str]:
    """Every case has the hardened properties, the network rules and the audit log."""
    for case in files.cases:
        for kind, expected in HARDENED_PROPERTIES.items():
            for each in files.resources_of_type(kind, case):
                yield from (f"{case}: {fault}" for fault in _property_differences(each, expected))
        yield from _check_network(files, case)
        vault = files.only("KeyVault/vaults", case).id
        settings = files.resources_of_type("Insights/diagnosticSettings", case)
        audits = [each for each in settings if each.reference.scope == vault]
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
    networks = [each.id for each in files.resources_of_type("Network/virtualNetworks", case)]
    if subnet != next((f"{network}/subnets/app" for network in networks), None):
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
