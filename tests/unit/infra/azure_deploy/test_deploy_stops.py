"""Bad input: each stops with one sentence and a remedy, and a second run succeeds after it."""

import pytest

from infra.azure.deploy.failure import Stopped, explained
from infra.azure.deploy.flows import deploy
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError
from tests.unit.infra.azure_deploy.stage import PROVIDERS, Stage, outputs

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
FAULTS: dict[str, tuple[str, str, str, Exit]] = {
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
        "taken by somebody else",
        Exit.REFUSED,
    ),
    "site name taken": (
        CREATE,
        NESTED % ("Conflict", "Website with given name func-x already exists."),
        "taken by somebody else",
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
    "bicep": (WHAT_IF, "main.bicep(3,1) : Error BCP018: Expected something.", "Expected something", Exit.USAGE),
    "no network": (WHAT_IF, "HTTPSConnectionPool: Max retries exceeded with url", "does not answer", Exit.RETRY),
    "firewall": ("storage blob upload", "The request may be blocked by network rules", "firewall", Exit.REFUSED),
    "unknown": (CREATE, NESTED % ("Strange", "Nobody has seen this."), "Strange: Nobody has seen this.", Exit.REFUSED),
}


def stops(stage: Stage) -> Stopped:
    with pytest.raises(Stopped) as caught:
        deploy(stage.session())
    return caught.value


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_azure_is_one_sentence_with_a_remedy_and_a_second_run_succeeds(stage: Stage, name: str) -> None:
    command, text, words, code = FAULTS[name]
    well = stage.answers.get(command)
    stage.fails(command, text)
    stop = stops(stage)
    assert words in stop.sentence
    assert stop.code is code
    assert stop.remedy
    assert "{" not in stop.sentence + stop.remedy
    stage.answers[command] = well or []
    deploy(stage.session())
    assert stage.states()[-1] == "healthy"


def test_another_subscription_than_the_one_meant(stage: Stage) -> None:
    with pytest.raises(Stopped, match="not Fabrikam"):
        deploy(stage.session(), "Fabrikam")
    assert stage.commands()[-1] == "account show"


def test_a_provider_that_is_not_registered_is_registered_after_a_yes(stage: Stage) -> None:
    states = [
        {"namespace": name, "registrationState": "NotRegistered"} for name in PROVIDERS if name == "Microsoft.App"
    ]
    known = [{"namespace": name, "registrationState": "Registered"} for name in PROVIDERS if name != "Microsoft.App"]
    stage.out("provider list", states + known)
    stage.refuses = "Register"
    stops(stage)
    assert "provider register" not in stage.commands()
    stage.refuses = None
    deploy(stage.session())
    (call,) = stage.calls("provider register")
    assert call["words"][2:5] == ["--namespace", "Microsoft.App", "--wait"]


def test_who_may_not_register_a_provider_is_told(stage: Stage) -> None:
    stage.out("provider list", [])
    stage.fails("provider register", DENIED.replace("deployments/whatIf", "register"))
    assert "You lack the right" in stops(stage).sentence


DELETED = NESTED % (
    "ConflictError",
    "A vault with the same name already exists in deleted state: kv-cosellabcdefghijklm. Recover or purge it.",
)


def test_a_deleted_vault_is_brought_back_after_a_yes(stage: Stage) -> None:
    good = outputs("staging", f"{stage.health.url}/api/health")
    stage.fails(CREATE, DELETED, good)
    stage.out("keyvault show-deleted", {"name": "kv-cosellabcdefghijklm"})
    deploy(stage.session())
    first, second = stage.calls(CREATE)
    assert "recoverVault=true" not in first["words"]
    parameters = second["words"][second["words"].index("--parameters") + 1 :]
    assert parameters[1] == "recoverVault=true"
    assert any("kv-cosellabcdefghijklm was deleted" in question for question in stage.asked)


def test_a_deleted_vault_stays_deleted_after_a_no(stage: Stage) -> None:
    stage.fails(CREATE, DELETED)
    stage.out("keyvault show-deleted", {"name": "kv-cosellabcdefghijklm"})
    stage.refuses = "Bring it back"
    stops(stage)
    assert len(stage.calls(CREATE)) == 1


def test_a_vault_name_that_somebody_else_has_is_not_recovered(stage: Stage) -> None:
    stage.fails(CREATE, "VaultAlreadyExists: The vault name 'kv-cosellabcdefghijklm' is already in use.")
    stage.fails("keyvault show-deleted", "No deleted Vault or HSM was found with name kv-cosellabcdefghijklm")
    stop = stops(stage)
    assert stop.sentence == "The name of the vault, kv-cosellabcdefghijklm, is taken by somebody else in Azure."
    assert stop.remedy == "Set another workloadName in the parameter file."


def test_the_azure_cli_must_be_there(stage: Stage) -> None:
    (stage.folder / "az").unlink()
    stage.on_path = True
    stage.shell["PATH"] = str(stage.folder)
    with pytest.raises(ConfigurationError, match="install it"):
        deploy(stage.session())


def test_the_azure_cli_and_bicep_must_be_young_enough(stage: Stage) -> None:
    stage.out("version", {"azure-cli": "2.40.0"})
    assert (stops(stage).sentence, stops(stage).remedy) == (
        "The Azure CLI is too old: 2.40.0, not 2.60.0 or later.",
        "az upgrade",
    )
    stage.out("version", {"azure-cli": "2.91.0"})
    stage.answers["bicep version"] = [{"text": "Bicep CLI version 0.30.0"}]
    assert stops(stage).remedy == "az bicep upgrade"
    stage.fails("bicep version", 'Bicep CLI not found. Install it now by running "az bicep install".')
    assert stops(stage).remedy == "az bicep install"


def test_a_wrong_mapping_file_stops_before_azure_is_asked_anything(stage: Stage) -> None:
    (stage.root / "mapping/staging.toml").write_text(
        'extends = "default"\n[fields.money]\nwinner = "nobody"\n', "utf-8"
    )
    stop = stops(stage)
    assert "staging.toml, line 3" in stop.sentence
    assert stop.code is Exit.USAGE
    assert stage.commands() == []


def test_a_missing_mapping_file_says_what_is_enough(stage: Stage) -> None:
    (stage.root / "mapping/staging.toml").unlink()
    assert 'extends = "default"' in stops(stage).remedy


def test_a_right_that_works_only_after_minutes_is_waited_for(stage: Stage) -> None:
    text = "You do not have the required permissions needed to perform this operation."
    stage.answers["storage blob upload"] = [{"error": text}, {"error": text}, {"out": None}]
    deploy(stage.session())
    assert stage.states() == ["healthy"]
    assert stage.passed == 30.0


def test_a_right_that_never_comes_is_not_waited_for_forever(stage: Stage) -> None:
    stage.fails("storage blob upload", "You do not have the required permissions needed to perform this operation.")
    assert stops(stage).sentence == "You have no right to the data of the storage account."
    assert "functionapp deployment source config-zip" not in stage.commands()


def test_what_is_not_known_is_told_in_the_clis_own_words() -> None:
    assert explained("x", "ERROR: nothing that is known").sentence == "az x failed: nothing that is known"


def test_a_remote_text_is_cut() -> None:
    assert len(explained("x", "y" * 5000).sentence) < 400
