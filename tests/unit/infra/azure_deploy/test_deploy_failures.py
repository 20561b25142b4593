"""Each error is reported in one sentence with a remedy, and after the remedy a second run succeeds."""

import pytest

from infra.azure.deploy.az import AzError
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure, explain_az_error
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError
from tests.unit.infra.azure_deploy.fake_azure import PROVIDERS, FakeAzure, deployment_outputs

CREATE, WHAT_IF = "deployment sub create", "deployment sub what-if"
DENIED = (
    "(AuthorizationFailed) The client 'a@acme.example' with object id 'x' does not have authorization to perform "
    "action 'Microsoft.Resources/deployments/whatIf/action' over scope '/subscriptions/s' or the scope is invalid."
)
NESTED = (
    '{"status":"Failed","error":{"code":"DeploymentFailed","message":"At least one resource operation failed.",'
    '"details":[{"code":"ResourceDeploymentFailure","message":"The resource write operation failed.","details":'
    '[{"code":"%s","message":"%s"}]}]}}'
)
ERRORS: dict[str, tuple[str, str, str, Exit]] = {
    "not logged in": ("account show", "Please run 'az login' to setup account.", "not logged in", Exit.SIGN_IN),
    "login ended": (CREATE, "AADSTS700082: The refresh token has expired due to inactivity.", "login", Exit.SIGN_IN),
    "missing rights": (WHAT_IF, DENIED, "Microsoft.Resources/deployments/whatIf/action", Exit.REFUSED),
    "missing provider": (
        CREATE,
        NESTED % ("MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'X'."),
        "resource provider",
        Exit.REFUSED,
    ),
    "storage name taken": (
        CREATE,
        NESTED % ("StorageAccountAlreadyTaken", "The storage account named stx is already taken."),
        "already taken by another Azure customer",
        Exit.REFUSED,
    ),
    "site name taken": (
        CREATE,
        NESTED % ("Conflict", "Website with given name func-x already exists."),
        "already taken by another Azure customer",
        Exit.REFUSED,
    ),
    "deleted secret": (
        CREATE,
        NESTED % ("ObjectIsDeletedButRecoverable", "Secret is currently in a deleted but recoverable state."),
        "A secret of the vault was deleted",
        Exit.REFUSED,
    ),
    "deployment runs": (CREATE, "(DeploymentActive) The deployment cannot be saved.", "Another deployment", Exit.RETRY),
    "identity not known yet": (CREATE, NESTED % ("PrincipalNotFound", "Principal x does not exist"), "yet", Exit.RETRY),
    "policy": (
        CREATE,
        NESTED % ("RequestDisallowedByPolicy", "Resource was disallowed by policy. Policy: 'Allowed SKUs'."),
        "policy",
        Exit.REFUSED,
    ),
    "a lock against changes": (
        CREATE,
        NESTED % ("ScopeLocked", "The scope 'kv-x' cannot perform write operation because scopes are locked: 'rg-x'."),
        "A lock of the kind ReadOnly forbids to change a resource.",
        Exit.REFUSED,
    ),
    "a lock against deletion": (
        CREATE,
        NESTED % ("ScopeLocked", "The scope 'kv-x' cannot perform delete operation because scopes are locked: 'rg-x'."),
        "A lock forbids to delete a resource.",
        Exit.REFUSED,
    ),
    "no plan in the region": (
        CREATE,
        NESTED % ("LocationNotAvailableForResourceType", "The provided location 'x' is not available."),
        "The region does not offer a service",
        Exit.REFUSED,
    ),
    "quota": (CREATE, NESTED % ("SubscriptionIsOverQuotaForSku", "The quota is 0."), "A quota", Exit.REFUSED),
    "network too small": (
        WHAT_IF,
        "(InvalidTemplate) Unable to evaluate template language function 'cidrSubnet': the cidr is too small.",
        "The network of networkAddressPrefix is too small for two subnets",
        Exit.USAGE,
    ),
    "bicep": (WHAT_IF, "main.bicep(3,1) : Error BCP018: Expected something.", "Expected something", Exit.USAGE),
    "no network": (WHAT_IF, "HTTPSConnectionPool: Max retries exceeded with url", "does not answer", Exit.RETRY),
    "firewall": ("storage blob upload", "The request may be blocked by network rules", "firewall", Exit.REFUSED),
    "unknown": (CREATE, NESTED % ("Strange", "Nobody has seen this."), "Strange: Nobody has seen this.", Exit.REFUSED),
}


def deploy_failure(azure: FakeAzure) -> DeploymentFailure:
    with pytest.raises(DeploymentFailure) as caught:
        deploy(azure.open_session())
    return caught.value


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_azure_is_reported_with_a_remedy_and_a_second_run_succeeds(azure: FakeAzure, name: str) -> None:
    command, text, part_of_sentence, code = ERRORS[name]
    answers = azure.answers.get(command)
    azure.fail(command, text)
    failure = deploy_failure(azure)
    assert part_of_sentence in failure.sentence
    assert failure.code is code
    assert failure.remedy
    assert "{" not in failure.sentence + failure.remedy
    azure.answers[command] = answers or []
    deploy(azure.open_session())
    assert azure.zip_states()[-1] == "healthy"


def test_a_deployment_to_another_subscription_than_the_named_one_fails(azure: FakeAzure) -> None:
    with pytest.raises(DeploymentFailure, match="not Fabrikam"):
        deploy(azure.open_session(), "Fabrikam")
    assert azure.command_names()[-1] == "account show"


def test_a_provider_that_is_not_registered_is_registered_after_a_yes(azure: FakeAzure) -> None:
    missing = [
        {"namespace": name, "registrationState": "NotRegistered"} for name in PROVIDERS if name == "Microsoft.App"
    ]
    registered = [
        {"namespace": name, "registrationState": "Registered"} for name in PROVIDERS if name != "Microsoft.App"
    ]
    azure.answer("provider list", missing + registered)
    azure.refused_question = "Register"
    deploy_failure(azure)
    assert "provider register" not in azure.command_names()
    azure.refused_question = None
    deploy(azure.open_session())
    (call,) = azure.calls_of("provider register")
    assert call["words"][2:5] == ["--namespace", "Microsoft.App", "--wait"]


def test_a_person_who_may_not_register_a_provider_gets_the_name_of_the_right(azure: FakeAzure) -> None:
    azure.answer("provider list", [])
    azure.fail("provider register", DENIED.replace("deployments/whatIf", "register"))
    assert "You do not have the right" in deploy_failure(azure).sentence


DELETED = NESTED % (
    "ConflictError",
    "A vault with the same name already exists in deleted state: kv-cosellabcdefghijklm. Recover or purge it.",
)


def test_a_deleted_vault_is_recovered_after_a_yes(azure: FakeAzure) -> None:
    outputs = deployment_outputs("staging", f"{azure.health_server.url}/api/health")
    azure.fail(CREATE, DELETED, outputs)
    azure.answer("keyvault show-deleted", {"name": "kv-cosellabcdefghijklm"})
    deploy(azure.open_session())
    first, second = azure.calls_of(CREATE)
    assert "recoverVault=true" not in first["words"]
    parameters = second["words"][second["words"].index("--parameters") + 1 :]
    assert parameters[1] == "recoverVault=true"
    assert any("kv-cosellabcdefghijklm was deleted" in question for question in azure.questions)


def test_a_deleted_vault_stays_deleted_after_a_no(azure: FakeAzure) -> None:
    azure.fail(CREATE, DELETED)
    azure.answer("keyvault show-deleted", {"name": "kv-cosellabcdefghijklm"})
    azure.refused_question = "Recover it"
    assert deploy_failure(azure).remedy == (
        "Run again and answer yes, or set another workloadName in the parameter file: then every resource is new."
    )
    assert len(azure.calls_of(CREATE)) == 1


def test_a_vault_of_another_customer_is_not_recovered(azure: FakeAzure) -> None:
    azure.fail(CREATE, "VaultAlreadyExists: The vault name 'kv-cosellabcdefghijklm' is already in use.")
    azure.fail("keyvault show-deleted", "No deleted Vault or HSM was found with name kv-cosellabcdefghijklm")
    failure = deploy_failure(azure)
    assert failure.sentence == "The vault name kv-cosellabcdefghijklm is already taken by another Azure customer."
    assert failure.remedy == "Set another workloadName in the parameter file."


def test_a_missing_azure_cli_is_reported(azure: FakeAzure) -> None:
    (azure.folder / "az").unlink()
    azure.runs_program = True
    azure.shell["PATH"] = str(azure.folder)
    with pytest.raises(ConfigurationError, match="install it"):
        deploy(azure.open_session())


def test_an_azure_cli_or_bicep_that_is_too_old_or_missing_is_reported(azure: FakeAzure) -> None:
    azure.answer("version", {"azure-cli": "2.40.0"})
    assert (deploy_failure(azure).sentence, deploy_failure(azure).remedy) == (
        "The Azure CLI is too old: version 2.40.0 is installed, 2.60.0 or later is needed.",
        "az upgrade",
    )
    azure.answer("version", {"azure-cli": "2.91.0"})
    azure.answers["bicep version"] = [{"text": "Bicep CLI version 0.30.0"}]
    assert deploy_failure(azure).remedy == "az bicep upgrade"
    azure.fail("bicep version", 'Bicep CLI not found. Install it now by running "az bicep install".')
    assert deploy_failure(azure).remedy == "az bicep install"


def test_a_wrong_mapping_file_is_reported_before_any_call_to_azure(azure: FakeAzure) -> None:
    (azure.root / "mapping/staging.toml").write_text(
        'extends = "default"\n[fields.money]\nwinner = "nobody"\n', "utf-8"
    )
    failure = deploy_failure(azure)
    assert "staging.toml, line 3" in failure.sentence
    assert failure.code is Exit.USAGE
    assert azure.command_names() == []


def test_the_remedy_for_a_missing_mapping_file_has_the_line_to_write(azure: FakeAzure) -> None:
    (azure.root / "mapping/staging.toml").unlink()
    assert 'extends = "default"' in deploy_failure(azure).remedy


def test_the_upload_waits_until_a_new_role_takes_effect(azure: FakeAzure) -> None:
    text = "You do not have the required permissions needed to perform this operation."
    azure.answers["storage blob upload"] = [{"error": text}, {"error": text}, {"out": None}]
    deploy(azure.open_session())
    assert azure.zip_states() == ["healthy"]
    assert azure.elapsed_seconds == 30.0


def test_the_wait_for_a_new_role_ends(azure: FakeAzure) -> None:
    azure.fail("storage blob upload", "You do not have the required permissions needed to perform this operation.")
    assert (
        deploy_failure(azure).sentence == "You do not have the right to read and write the data of the storage account."
    )
    assert "functionapp deployment source config-zip" not in azure.command_names()


def test_an_unknown_error_keeps_the_text_of_the_azure_cli() -> None:
    assert explain_az_error(AzError("x", "ERROR: an unknown text")).sentence == "az x failed: an unknown text"


def test_a_long_text_of_the_azure_cli_is_cut() -> None:
    assert len(explain_az_error(AzError("x", "y" * 5000)).sentence) < 400


# --- the parameter file


def write_parameter(azure: FakeAzure, line: str) -> None:
    path = azure.root / "infra/azure/staging.bicepparam"
    path.write_text(f"{path.read_text('utf-8')}{line}\n", "utf-8")


@pytest.mark.parametrize(
    ("line", "sentence", "remedy"),
    [
        ("param storageSKU = 'Standard_ZRS'", "The parameter storageSKU does not exist.", "Write storageSku"),
        ("param alertEmail = []", "The parameter alertEmail does not exist.", "Write alertEmails"),
        (
            "param colour = 'x'",
            "The parameter colour does not exist.",
            "Choose a name from infra/azure/README.md#parame",
        ),
        (
            "param networkAddressPrefix = '10.0.0.0/27'",
            "networkAddressPrefix is too small for two subnets: 10.0.0.0/27.",
            "Write a network of at least a /26",
        ),
        ("param networkAddressPrefix = '10.0.0.1/24'", "networkAddressPrefix is no network: 10.0.0.1/24.", "Write a"),
    ],
)
def test_a_wrong_parameter_file_is_reported_before_anything_is_created(
    azure: FakeAzure, line: str, sentence: str, remedy: str
) -> None:
    write_parameter(azure, line)
    failure = deploy_failure(azure)
    assert failure.sentence == f"staging.bicepparam: {sentence}"
    assert failure.remedy.startswith(remedy)
    assert failure.code is Exit.USAGE
    assert WHAT_IF not in azure.command_names()


def test_the_smallest_network_is_deployed(azure: FakeAzure) -> None:
    write_parameter(azure, "param networkAddressPrefix = '10.0.0.0/26'")
    deploy(azure.open_session())


# --- the region


def test_a_region_without_the_plan_is_reported_before_anything_is_created(azure: FakeAzure) -> None:
    azure.shell["AZURE_LOCATION"] = "Moon East"
    failure = deploy_failure(azure)
    assert failure.sentence == "The region Moon East does not offer the plan Flex Consumption."
    assert "az functionapp list-flexconsumption-locations" in failure.remedy
    assert failure.code is Exit.USAGE
    assert WHAT_IF not in azure.command_names()


def test_the_region_is_found_in_either_spelling(azure: FakeAzure) -> None:
    azure.shell["AZURE_LOCATION"] = "North Europe"
    deploy(azure.open_session())


def test_a_later_deployment_does_not_ask_for_the_regions(azure: FakeAzure) -> None:
    """The region cannot change, and Azure may close a region for new plans."""
    azure.set_deployed("staging", {}, location="westeurope")
    azure.answer("functionapp list-flexconsumption-locations", [{"name": "northeurope"}])
    deploy(azure.open_session())


# --- locks

CONTRIBUTOR = {
    "actions": ["*"],
    "notActions": [
        "Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
    ],
}  # fmt: skip
ACCESS_ADMINISTRATOR = {
    "actions": ["Microsoft.Authorization/roleAssignments/write", "*/read", "Microsoft.Support/*"],
    "notActions": [],
}


def test_locks_need_a_right_that_is_checked_before_anything_is_created(azure: FakeAzure) -> None:
    write_parameter(azure, "param deleteLocks = true")
    azure.answer("rest get", {"value": [CONTRIBUTOR, ACCESS_ADMINISTRATOR]})
    failure = deploy_failure(azure)
    assert failure.sentence == (
        "deleteLocks is true, but you do not have the right Microsoft.Authorization/locks/write."
    )
    assert "`param deleteLocks = false` into staging.bicepparam" in failure.remedy
    assert failure.code is Exit.REFUSED
    assert WHAT_IF not in azure.command_names()


@pytest.mark.parametrize(
    "permission",
    [{"actions": ["*"]}, {"actions": ["Microsoft.Authorization/*"]}, {"actions": ["microsoft.authorization/locks/*"]}],
)
def test_a_role_that_may_write_locks_deploys_them(azure: FakeAzure, permission: dict[str, list[str]]) -> None:
    write_parameter(azure, "param deleteLocks = true")
    azure.answer("rest get", {"value": [CONTRIBUTOR, permission]})
    deploy(azure.open_session())
    assert azure.zip_states() == ["healthy"]


def test_without_locks_the_right_is_not_looked_for(azure: FakeAzure) -> None:
    write_parameter(azure, "param deleteLocks = false")
    azure.answer("rest get", {"value": []})
    deploy(azure.open_session())


# --- an action group that exists

GROUP = "/subscriptions/s/resourceGroups/on-call/providers/Microsoft.Insights/actionGroups/on-call"


def test_an_action_group_that_is_not_there_is_reported_before_anything_is_created(azure: FakeAzure) -> None:
    write_parameter(azure, f"param existingActionGroupId = '{GROUP}'")
    azure.fail("resource show", "(ResourceNotFound) The Resource was not found.")
    failure = deploy_failure(azure)
    assert failure.sentence == (
        f"staging.bicepparam: The action group of existingActionGroupId does not exist: {GROUP}."
    )
    assert "az monitor action-group list" in failure.remedy
    assert WHAT_IF not in azure.command_names()
    azure.answer("resource show", {"id": GROUP})
    deploy(azure.open_session())
    assert azure.calls_of("resource show")[-1]["words"][3] == GROUP
