"""Deployments from an empty subscription, and over an earlier deployment."""

import json
import tomllib
from typing import Any

import pytest

from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from shared.cli.environment import read_environment
from shared.cli.exit_codes import Exit
from tests.unit.infra.azure_deploy.fake_azure import FUNCTIONS, SUBSCRIPTION, FakeAzure, deployment_outputs, run_git


def deploy_failure(azure: FakeAzure, *, unattended: bool = False) -> DeploymentFailure:
    """The failure of a deployment."""
    with pytest.raises(DeploymentFailure) as caught:
        deploy(azure.open_session(unattended=unattended))
    return caught.value


def test_a_deployment_to_an_empty_subscription_makes_a_healthy_app_in_preview(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    assert azure.command_names() == [
        "version", "bicep version", "account show", "provider list", "deployment sub show", "resource list",
        "functionapp list-flexconsumption-locations", "deployment sub what-if", "deployment sub create",
        "storage blob list", "storage blob upload", "storage blob list", "functionapp deployment source config-zip",
        "rest", "functionapp function keys list", "functionapp function list", "functionapp function keys list",
        "storage blob metadata update", "storage blob list",
    ]  # fmt: skip
    (create,) = azure.calls_of("deployment sub create")
    assert create["environ"]["SYNC"] == "preview"
    assert create["environ"]["AZURE_LOCATION"] == "westeurope"
    assert azure.zip_states() == ["healthy"]
    assert azure.printed[-1] == "  cosell turn-on --env staging"


def test_the_names_of_the_resources_are_written_for_the_command_line(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    names = read_environment("staging", azure.root / ".cosell")
    assert names.settings == {"ENVIRONMENT": "staging", "SYNC": "preview", "MAPPING": "mapping/staging.toml"}
    assert names.deployment["AZURE_SUBSCRIPTION_ID"] == SUBSCRIPTION
    assert names.deployment["AZURE_LOCATION"] == "westeurope", "the output has an odd case"


def test_the_zip_in_the_app_has_a_record_of_its_origin(azure: FakeAzure) -> None:
    azure.write_test_record()
    deploy(azure.open_session())
    record = azure.running_record()
    assert (record["commit"], record["clean"]) == (run_git(azure.root, "rev-parse", "HEAD"), True)
    assert (record["environment"], tuple(record["functions"])) == ("staging", FUNCTIONS)
    assert record["tested"]["passed"] == 3


def test_the_deployment_asks_azure_to_reload_the_triggers(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    (call,) = azure.calls_of("rest")
    site = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-cosell-staging/providers/Microsoft.Web/sites/"
    assert call["words"][4].startswith(site)
    assert "/syncfunctiontriggers?" in call["words"][4]


def test_the_function_key_is_never_printed(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    assert "the-function-key" not in "\n".join([*azure.printed, *azure.questions, json.dumps(azure.calls_of())])


DEPLOYED_SWITCHES = {"SYNC": "on", "SYNC_FROM": "2026-11-01T00:00:00Z", "PUSH_PAUSED": "true"}


def test_a_second_deployment_keeps_the_switches_of_the_app_and_ignores_the_shell(azure: FakeAzure) -> None:
    azure.set_deployed("staging", {**DEPLOYED_URL, **DEPLOYED_SWITCHES})
    azure.shell["SYNC"] = "off"
    deploy(azure.open_session())
    (create,) = azure.calls_of("deployment sub create")
    assert {name: create["environ"][name] for name in DEPLOYED_SWITCHES} == DEPLOYED_SWITCHES
    assert create["environ"]["PULL_PAUSED"] == ""
    assert "SYNC of the shell is ignored: the app runs with SYNC=on." in azure.printed
    assert azure.printed[-1] == "  cosell doctor --env staging", "the sync is on already"


def test_a_new_app_starts_in_preview_even_if_the_shell_has_sync_on(azure: FakeAzure) -> None:
    azure.shell["SYNC"] = "on"
    deploy(azure.open_session())
    assert azure.calls_of("deployment sub create")[0]["environ"]["SYNC"] == "preview"


DEPLOYED_URL = {"SALESFORCE_URL": "https://deployed.my.salesforce.com"}


def test_a_second_deployment_from_an_empty_shell_reuses_the_deployed_values(azure: FakeAzure) -> None:
    azure.set_deployed(
        "staging", {**azure.shell, **DEPLOYED_URL}, alertEmails=["a@acme.example"], location="northeurope"
    )
    azure.shell.clear()
    deploy(azure.open_session())
    (create,) = azure.calls_of("deployment sub create")
    assert create["environ"]["SALESFORCE_URL"] == "https://deployed.my.salesforce.com"
    assert create["environ"]["ALERT_EMAILS"] == "a@acme.example"
    assert create["words"][4] == "northeurope"


def test_a_missing_value_is_reported_before_anything_is_created(azure: FakeAzure) -> None:
    del azure.shell["SALESFORCE_USERNAME"]
    failure = deploy_failure(azure)
    assert failure.sentence == "These values are missing: SALESFORCE_USERNAME."
    assert "deployment sub what-if" not in azure.command_names()


def test_an_environment_cannot_move_to_another_region(azure: FakeAzure) -> None:
    azure.set_deployed("staging", {}, location="northeurope")
    azure.shell["AZURE_LOCATION"] = "westeurope"
    assert "was deployed to northeurope" in deploy_failure(azure).sentence


def test_two_apps_of_one_environment_are_both_named_and_the_deployment_fails(azure: FakeAzure) -> None:
    site = {"resourceGroup": "rg-a", "tags": {"application": "cosell", "environment": "staging"}}
    azure.answer("resource list", [{"name": "one", **site}, {"name": "two", **site}])
    assert "one in rg-a, two in rg-a" in deploy_failure(azure).sentence


def test_the_app_of_the_other_environment_is_not_used(azure: FakeAzure) -> None:
    azure.set_deployed("production", {"SYNC": "on"})
    azure.fail("deployment sub show", "DeploymentNotFound")
    deploy(azure.open_session())
    assert azure.calls_of("deployment sub create")[0]["environ"]["SYNC"] == "preview"


def test_the_changes_are_shown_without_values_and_a_no_changes_nothing(azure: FakeAzure) -> None:
    delta = [{"path": "properties.siteConfig", "before": "s3cret", "after": "t"}]
    site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/func-x"
    changes: list[dict[str, Any]] = [
        {"changeType": "Modify", "resourceId": site, "delta": delta},
        {"changeType": "NoChange", "resourceId": site, "delta": None},
    ]
    azure.answer("deployment sub what-if", {"changes": changes})
    azure.refused_question = "Continue?"
    failure = deploy_failure(azure)
    assert failure.sentence == "The question was not answered with yes, so the command stopped."
    assert azure.questions[-1] == "Changes to staging in westeurope: 1 Modify. Continue?"
    assert "Microsoft.Web/sites/func-x: properties.siteConfig" in "\n".join(azure.printed)
    assert "s3cret" not in "\n".join(azure.printed)
    assert "deployment sub create" not in azure.command_names()


def test_a_deployment_that_failed_half_way_can_be_run_again(azure: FakeAzure) -> None:
    """Azure has its parameters and an app without settings, but no outputs."""
    azure.set_deployed("staging", {}, location="westeurope")
    deploy(azure.open_session())
    assert azure.zip_states() == ["healthy"]
    assert azure.calls_of("deployment sub create")[0]["environ"]["SYNC"] == "preview"


def test_a_deployment_without_an_output_fails_and_writes_no_names(azure: FakeAzure) -> None:
    document = deployment_outputs("staging", "https://x.example")
    del document["properties"]["outputs"]["HEALTH_URL"]
    azure.answer("deployment sub create", document)
    assert deploy_failure(azure).sentence == "The deployment did not return HEALTH_URL."
    assert not (azure.root / ".cosell/staging.toml").exists()


def test_a_pipeline_must_name_its_subscription(azure: FakeAzure) -> None:
    failure = deploy_failure(azure, unattended=True)
    assert failure.code is Exit.USAGE
    assert SUBSCRIPTION in failure.remedy
    deploy(azure.open_session(unattended=True), "contoso")


def test_the_next_deployment_goes_to_the_same_subscription(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    azure.answer("account show", {"id": "other", "name": "Fabrikam", "tenantId": "t"})
    failure = deploy_failure(azure)
    assert failure.sentence == f"The Azure CLI uses the subscription Fabrikam (other), not {SUBSCRIPTION}."
    assert failure.remedy == f'az account set --subscription "{SUBSCRIPTION}"'


def test_the_file_with_the_names_is_valid_toml(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    assert set(tomllib.loads((azure.root / ".cosell/staging.toml").read_text("utf-8"))) == {"settings", "deployment"}


def test_the_azure_cli_is_run_without_a_shell(azure: FakeAzure) -> None:
    azure.runs_program = True
    azure.fail("deployment sub show", "(DeploymentNotFound) $(touch harm) `touch harm`; touch harm")
    deploy(azure.open_session(), "Contoso")
    assert azure.zip_states() == ["healthy"]
    assert azure.calls_of("account show")[0]["words"] == ["account", "show", "--output", "json", "--only-show-errors"]


def test_the_fake_azure_cli_rejects_unknown_commands_and_options(azure: FakeAzure) -> None:
    with pytest.raises(DeploymentFailure, match="misspelled"):
        azure.open_session().run_az("deployment", "sub", "creat")
    with pytest.raises(DeploymentFailure, match="unrecognized"):
        azure.open_session().run_az("account", "show", "--nam", "x")


# --- schedules


def set_parameter(azure: FakeAzure, line: str) -> None:
    path = azure.root / "infra/azure/staging.bicepparam"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("0 61 * * * *", "SWEEP_SCHEDULE is not a schedule: in the field minute, a value is not between 0 and 59."),
        ("0 0 9 * * SAT-SUN", "Azure turns SAT-SUN round and runs every day; write SAT,SUN."),
        ("0 0 0 31 2 *", "Azure never runs it"),
    ],
)
def test_a_wrong_schedule_is_refused_before_anything_is_created(azure: FakeAzure, schedule: str, says: str) -> None:
    set_parameter(azure, f"param sweepSchedule = '{schedule}'")
    with pytest.raises(DeploymentFailure) as caught:
        deploy(azure.open_session())
    assert says in caught.value.sentence
    assert caught.value.code is Exit.USAGE
    assert "deployment sub create" not in azure.command_names()


def test_a_schedule_from_the_environment_is_checked_too(azure: FakeAzure) -> None:
    set_parameter(azure, "param pushSchedule = readEnvironmentVariable('MY_SCHEDULE', '0 * * * * *')")
    azure.shell["MY_SCHEDULE"] = "0 0 22-2 * * *"
    with pytest.raises(DeploymentFailure, match=r"PUSH_SCHEDULE .* runs 2 to 22; write 22-23,0-2"):
        deploy(azure.open_session())
    del azure.shell["MY_SCHEDULE"]
    deploy(azure.open_session())


def test_a_schedule_that_the_parameter_file_computes_is_checked_before_the_zip_is_installed(azure: FakeAzure) -> None:
    document = deployment_outputs("staging", f"{azure.health_server.url}/api/health")
    document["properties"]["outputs"]["APP_SETTINGS"]["value"]["PUSH_SCHEDULE"] = "00:05:00"
    azure.answer("deployment sub create", document)
    with pytest.raises(DeploymentFailure, match="does not run on Flex Consumption"):
        deploy(azure.open_session())
    assert azure.calls_of("functionapp deployment source config-zip") == []


def test_a_day_together_with_a_weekday_is_told(azure: FakeAzure) -> None:
    set_parameter(azure, "param credentialsSchedule = '0 17 3 1 * MON'")
    deploy(azure.open_session())
    assert any(line.startswith("Note: CREDENTIALS_SCHEDULE: it has a day and a day of week") for line in azure.printed)
