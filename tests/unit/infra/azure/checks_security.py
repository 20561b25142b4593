"""Roles, hardening and secrets of the Azure home (reference/azure.md 4.3, checks 4 to 6)."""

from collections.abc import Iterator, Mapping

from shared.clients.partner_center.sign_in import SecretNames
from shared.settings.variables import SalesforceSettings
from tests.unit.infra.azure.azure_home import Home
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_values import Value

ROLES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "storageBlobDataOwner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "storageBlobDataContributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "storageQueueDataContributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "storageTableDataContributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "keyVaultSecretsUser",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "keyVaultSecretsOfficer",
    "3913510d-42f4-4e42-8a64-420c390055eb": "monitoringMetricsPublisher",
}
"""Azure's built-in roles (reference/azure.md 6.4)."""

APP, OPERATOR = "identity.properties.principalId", "deployer().objectId"

GRANTS = frozenset(
    {
        (APP, "storageBlobDataOwner", "storage"),
        (APP, "storageQueueDataContributor", "storage"),
        (APP, "storageTableDataContributor", "storage"),
        (APP, "keyVaultSecretsUser", "vault"),
        (APP, "keyVaultSecretsOfficer", "refreshToken"),
        (APP, "monitoringMetricsPublisher", "insights"),
        (OPERATOR, "keyVaultSecretsOfficer", "vault"),
        (OPERATOR, "storageBlobDataContributor", "packages"),
        (OPERATOR, "storageQueueDataContributor", "storage"),
        (OPERATOR, "storageTableDataContributor", "storage"),
    }
)
"""Who may do what, where: no more and no less."""

HARDENED: Mapping[str, Mapping[str, Value]] = {
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
"""Properties by type, in every case."""


def roles(home: Home) -> Iterator[str]:
    """The grants are those of GRANTS; each has a name of its own, and the app's say that it is a service principal."""
    granted = home.of_type("Authorization/roleAssignments")
    found = set()
    for each in granted:
        said = each.properties
        role = str(said["roleDefinitionId"]).rstrip(")").rpartition(", ")[2]
        if role not in ROLES:
            yield f"{each.symbol}: {role} is no role that may be granted"
        found.add((said["principalId"], ROLES.get(role, role), each.body.get("scope")))
        if each.body["name"] != f"guid({each.body.get('scope')}.id, {said['principalId']}, {role})":
            yield f"{each.symbol}: its name does not follow from scope, principal and role"
        if (said.get("principalType") == "ServicePrincipal") is not (said["principalId"] == APP):
            yield f"{each.symbol}: principalType does not fit the principal"
    yield from (f"granted, but not needed: {grant}" for grant in sorted(map(str, found - GRANTS)))
    yield from (f"needed, but not granted: {grant}" for grant in sorted(map(str, GRANTS - found)))
    yield from _identity(home)


def _identity(home: Home) -> Iterator[str]:
    site, said = home.site(), home.app_settings()
    if site.body["identity"] != {"type": "UserAssigned", "userAssignedIdentities": {"<identity.id>": {}}}:
        yield f"the app's identity is {site.body['identity']}"
    client = "identity.properties.clientId"
    if {said["AZURE_CLIENT_ID"], said["AzureWebJobsStorage__clientId"]} != {client}:
        yield "code and host must sign in as the app's identity"
    if said["AzureWebJobsStorage__credential"] != "managedidentity":
        yield "the host must open storage by identity"
    if said["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] != f"ClientId=<{client}>;Authorization=AAD":
        yield "telemetry must be sent as the app's identity"
    if "rbac" not in home.text("main.bicep").split("module app ")[1].split("\nmodule ")[0].split("dependsOn")[-1]:
        yield "the app must not start before its rights are granted"
    none = home.template("production", operatorPrincipalId="").resources()
    if any(each.symbol.startswith("operator") for each in none):
        yield "without an operator nothing may be granted to one"


def hardening(home: Home) -> Iterator[str]:
    """What must be shut is shut, in every case."""
    for case in home.cases:
        for kind, wanted in HARDENED.items():
            for each in home.of_type(kind, case):
                yield from (f"{case}: {said}" for said in _differences(each, wanted))
        yield from _network(home, case)
        audits = [each for each in home.of_type("Insights/diagnosticSettings", case) if each.body["scope"] == "vault"]
        if [each.properties["logs"] for each in audits] != [[{"categoryGroup": "audit", "enabled": True}]]:
            yield f"{case}: nobody hears who read a secret"
    ways = {each.body["name"] for each in home.of_type("Web/sites/basicPublishingCredentialsPolicies")}
    if ways != {"ftp", "scm"}:
        yield f"passwords are shut off for {sorted(ways)} only"


def _differences(resource: Resource, wanted: Mapping[str, Value]) -> Iterator[str]:
    for path, value in wanted.items():
        found: Value = resource.properties
        for step in path.split("."):
            found = found.get(step, "unsaid") if isinstance(found, Mapping) else "unsaid"
        if found != value:
            yield f"{resource.file}: {path} is {found}, not {value}"


def _network(home: Home, case: str) -> Iterator[str]:
    action = "Deny" if "all options" in case else "Allow"
    for kind in ("Storage/storageAccounts", "KeyVault/vaults"):
        (each,) = home.of_type(kind, case)
        if each.properties["networkAcls"]["defaultAction"] != action:
            yield f"{case}: {each.file} must {action.lower()} the internet"
        listed = [rule["value"] for rule in each.properties["networkAcls"]["ipRules"]]
        if listed != (["203.0.113.7"] if action == "Deny" else []):
            yield f"{case}: {each.file} lets in {listed}"
    endpoints = {
        each.properties["privateLinkServiceConnections"][0]["name"]: each.properties
        for each in home.of_type("Network/privateEndpoints", case)
    }
    if set(endpoints) != ({"blob", "queue", "table", "vault"} if action == "Deny" else set()):
        yield f"{case}: private endpoints of {sorted(endpoints)}"
    subnet = home.site(case).properties["virtualNetworkSubnetId"]
    if subnet != ("network::appSubnet.id" if action == "Deny" else None):
        yield f"{case}: the app goes out through {subnet}"


def secrets(home: Home) -> Iterator[str]:
    """The names of secrets are the code's; the deployment makes one, with a placeholder, and never overwrites it."""
    names = SecretNames()
    used = {names.refresh_token, names.certificate, names.client_secret}
    used.add(SalesforceSettings.model_fields["key_secret"].default)
    if set(home.table("Secrets")) != used:
        yield f"the README lists {sorted(home.table('Secrets'))}, the code uses {sorted(map(str, used))}"
    made = home.of_type("KeyVault/vaults/secrets")
    if [each.body["name"] for each in made] != [names.refresh_token]:
        yield f"the deployment makes {[each.body['name'] for each in made]}"
    for each in made:
        if "onlyIfNotExists" not in each.decorators:
            yield f"{each.symbol}: a second deployment would overwrite the token"
        if each.properties.get("contentType") != "placeholder":
            yield f"{each.symbol}: its content type must say that it is a placeholder"
    granted = {each.body["name"] for each in home.cases["production"] if each.symbol == "refreshToken"}
    if granted != {names.refresh_token}:
        yield f"the right to write is on {sorted(granted)}"
    for path in home.bicep():
        if "listKeys" in (source := path.read_text(encoding="utf-8")) or "AccountKey" in source:
            yield f"{path.name} hands out a key"
