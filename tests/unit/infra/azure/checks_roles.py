"""Checks who may do what: role ids, scopes, principals and their types (docs/reference/azure.md#identity-and-roles)."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from shared.clients.partner_center.sign_in import SecretNames
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_names import SUBSCRIPTION, Symbol, guid
from tests.unit.infra.azure.bicep_reader import Resource

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
"""Azure's built-in roles by id."""

type Grant = tuple[str, str, str]
"""Who, the role's name, and on what: a type without `Microsoft.`, or for one of several a type, a slash and a name."""

APP, OPERATOR, READERS, CONTRIBUTORS = "the app", "the operator", "the readers", "the contributors"
STORAGE, VAULT, INSIGHTS = "Storage/storageAccounts", "KeyVault/vaults", "Insights/components"
CONTAINERS, TABLES = f"{STORAGE}/blobServices/containers", f"{STORAGE}/tableServices/tables"

GRANTS_OF_APP: frozenset[Grant] = frozenset(
    {
        (APP, "storageBlobDataOwner", STORAGE),
        (APP, "storageQueueDataContributor", STORAGE),
        (APP, "storageTableDataContributor", STORAGE),
        (APP, "keyVaultSecretsUser", VAULT),
        (APP, "keyVaultSecretsOfficer", f"{VAULT}/secrets/{SecretNames().refresh_token}"),
        (APP, "monitoringMetricsPublisher", INSIGHTS),
    }
)
GRANTS_OF_OPERATOR: frozenset[Grant] = frozenset(
    {
        (OPERATOR, "keyVaultSecretsOfficer", VAULT),
        (OPERATOR, "storageBlobDataContributor", f"{CONTAINERS}/packages"),
        (OPERATOR, "storageBlobDataContributor", f"{CONTAINERS}/copies"),
        (OPERATOR, "storageQueueDataContributor", STORAGE),
        (OPERATOR, "storageTableDataContributor", STORAGE),
    }
)
GRANTS_OF_GROUPS: frozenset[Grant] = frozenset(
    {
        (READERS, "storageTableDataReader", f"{TABLES}/cosell"),
        (CONTRIBUTORS, "storageTableDataContributor", f"{TABLES}/cosell"),
    }
)

PRINCIPAL_TYPES = {APP: "ServicePrincipal", READERS: "Group", CONTRIBUTORS: "Group"}
"""The operator may be a person, a group or a pipeline, so it has no type."""

GROUPS = {"tableReaderGroupId": READERS, "tableContributorGroupId": CONTRIBUTORS}


def check_roles(files: AzureFiles) -> Iterator[str]:
    """Each principal has the grants that it needs and no others, in each case, and the app signs in with its own."""
    for case in files.cases:
        yield from _grant_faults(files.cases[case], GRANTS_OF_APP | GRANTS_OF_OPERATOR, f"{case}: ")
    without = files.template_for("production", operatorPrincipalId="").resources()
    yield from _grant_faults(list(without), GRANTS_OF_APP, "without an operator: ")
    of_groups = list(files.template_for("production", operatorPrincipalId="", **GROUPS).resources())
    yield from _grant_faults(of_groups, GRANTS_OF_APP | GRANTS_OF_GROUPS, "with groups: ")
    yield from _check_identity(files)


def _grant_faults(resources: Iterable[Resource], needed: frozenset[Grant], where: str) -> Iterator[str]:
    by_id = {each.id: _label(each) for each in resources if "roleAssignments" not in each.type and not each.existing}
    principals: dict[str, str] = {
        each.given_by_azure("properties.principalId"): APP for each in resources if _is_identity(each)
    }
    grants: list[Grant] = []
    for each in resources:
        if each.type == "Microsoft.Authorization/roleAssignments":
            grant, faults = _read_grant(each, by_id, principals)
            grants.append(grant)
            yield from (f"{where}{each.symbol}: {fault}" for fault in faults)
    yield from (f"{where}granted twice: {grant}" for grant in sorted(grants) if grants.count(grant) > 1)
    yield from (f"{where}granted, but not needed: {grant}" for grant in sorted(set(grants) - needed))
    yield from (f"{where}needed, but not granted: {grant}" for grant in sorted(needed - set(grants)))


def _is_identity(resource: Resource) -> bool:
    return resource.type == "Microsoft.ManagedIdentity/userAssignedIdentities"


def _label(resource: Resource) -> str:
    """What a grant calls this resource. Only children are several of a type."""
    kind, _, name = resource.type.removeprefix("Microsoft."), *resource.reference.full_name.rpartition("/")[1:]
    return f"{kind}/{name}" if kind.count("/") > 1 else kind


def _read_grant(
    resource: Resource, by_id: Mapping[str, str], principals: Mapping[str, str]
) -> tuple[Grant, Iterator[str]]:
    """The grant of a role assignment, and what is wrong with it."""
    properties, scope = resource.properties, resource.reference.scope
    who, role = str(properties.get("principalId")), str(properties.get("roleDefinitionId"))
    name = principals.get(who, OPERATOR if who == "deployer().objectId" else who)
    prefix = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
    role_id = role.removeprefix(prefix)
    faults = chain(
        [] if role.startswith(prefix) else [f"{role} is not the id of a role of this subscription"],
        [] if role_id in ROLE_NAMES else [f"{role_id} is not a role that may be granted"],
        _name_faults(resource, scope, properties.get("principalId"), role_id),
        [] if properties.get("principalType") == PRINCIPAL_TYPES.get(name) else ["principalType does not fit"],
    )
    return (name, ROLE_NAMES.get(role_id, role_id), by_id.get(scope, f"something else: {scope}")), iter(faults)


def _name_faults(resource: Resource, scope: str, principal: object, role_id: str) -> Iterator[str]:
    """Azure refuses a second name for the grant that an installation already has, so the name may never change."""
    computed = isinstance(principal, Symbol)
    expected = f"guid({scope}, {principal}, {role_id})" if computed else guid(scope, str(principal), role_id)
    if resource.body["name"] != expected:
        yield "its name is not the guid of scope, principal and role"


def _check_identity(files: AzureFiles) -> Iterator[str]:
    site, settings = files.function_app(), files.app_settings()
    identity = files.only("ManagedIdentity/userAssignedIdentities")
    if site.body["identity"] != {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}:
        yield f"the app's identity is {site.body['identity']}"
    deployment = site.properties["functionAppConfig"]["deployment"]["storage"]["authentication"]
    if deployment.get("userAssignedIdentityResourceId") != identity.id:
        yield "the platform reads the zip with another identity"
    client = identity.given_by_azure("properties.clientId")
    if {settings["AZURE_CLIENT_ID"], settings["AzureWebJobsStorage__clientId"]} != {client}:
        yield "code and host must sign in with the app's identity"
    if settings["AzureWebJobsStorage__credential"] != "managedidentity":
        yield "the host must use the identity for storage"
    if settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] != f"ClientId=<{client}>;Authorization=AAD":
        yield "telemetry must be sent with the app's identity"
    roles_module = files.module_that_deploys("Authorization/roleAssignments")
    if roles_module not in files.main_template.modules_before(files.module_that_deploys("Web/sites")):
        yield "the app must not start before its roles are granted"
