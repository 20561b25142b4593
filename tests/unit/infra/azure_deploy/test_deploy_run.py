"""A deployment from an empty subscription, and again."""

import json
import tomllib
from typing import Any

import pytest

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.flows import deploy
from shared.cli.environment import read_environment
from shared.cli.exit_codes import Exit
from tests.unit.infra.azure_deploy.stage import FUNCTIONS, SUBSCRIPTION, Stage, git, outputs


def stops(stage: Stage, *, unattended: bool = False) -> Stopped:
    """The deployment stops; why."""
    with pytest.raises(Stopped) as caught:
        deploy(stage.session(unattended=unattended))
    return caught.value


def test_an_empty_subscription_becomes_a_healthy_app_that_plans_only(stage: Stage) -> None:
    deploy(stage.session())
    assert stage.commands() == [
        "version", "bicep version", "account show", "provider list", "deployment sub show", "resource list",
        "deployment sub what-if", "deployment sub create", "storage blob upload", "storage blob list",
        "functionapp deployment source config-zip", "rest", "functionapp function list",
        "functionapp function keys list", "storage blob metadata update", "storage blob list",
    ]  # fmt: skip
    (create,) = stage.calls("deployment sub create")
    assert create["environ"]["SYNC"] == "preview"
    assert create["environ"]["AZURE_LOCATION"] == "westeurope"
    assert stage.states() == ["healthy"]
    assert stage.said[-1] == "  cosell turn-on --env staging"


def test_the_names_are_left_for_the_command_line(stage: Stage) -> None:
    deploy(stage.session())
    left = read_environment("staging", stage.root / ".cosell")
    assert left.settings == {"ENVIRONMENT": "staging", "SYNC": "preview", "MAPPING": "mapping/staging.toml"}
    assert left.deployment["AZURE_SUBSCRIPTION_ID"] == SUBSCRIPTION
    assert left.deployment["AZURE_LOCATION"] == "westeurope", "Resource Manager's odd case is undone"


def test_the_zip_in_the_app_says_what_it_is(stage: Stage) -> None:
    stage.was_tested()
    deploy(stage.session())
    record = stage.running()
    assert (record["commit"], record["clean"]) == (git(stage.root, "rev-parse", "HEAD"), True)
    assert (record["environment"], tuple(record["functions"])) == ("staging", FUNCTIONS)
    assert record["tested"]["passed"] == 3


def test_the_host_is_told_to_look_for_its_triggers(stage: Stage) -> None:
    deploy(stage.session())
    (call,) = stage.calls("rest")
    site = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-cosell-staging/providers/Microsoft.Web/sites/"
    assert call["words"][4].startswith(site)
    assert "/syncfunctiontriggers?" in call["words"][4]


def test_the_function_key_is_never_told(stage: Stage) -> None:
    deploy(stage.session())
    assert "the-function-key" not in "\n".join([*stage.said, *stage.asked, json.dumps(stage.calls())])


SWITCHED = {"SYNC": "on", "SYNC_FROM": "2026-11-01T00:00:00Z", "PUSH_PAUSED": "true"}


def test_deployed_again_the_app_keeps_its_switches_whatever_the_shell_says(stage: Stage) -> None:
    stage.is_deployed("staging", {**SHELL_AS_DEPLOYED, **SWITCHED})
    stage.shell["SYNC"] = "off"
    deploy(stage.session())
    (create,) = stage.calls("deployment sub create")
    assert {name: create["environ"][name] for name in SWITCHED} == SWITCHED
    assert create["environ"]["PULL_PAUSED"] == ""
    assert any(line.startswith("SYNC of the shell is not used: the app has on") for line in stage.said)
    assert stage.said[-1] == "  cosell doctor --env staging", "what is on needs no turning on"


def test_the_shells_wish_does_not_start_a_new_app_with_the_sync_on(stage: Stage) -> None:
    stage.shell["SYNC"] = "on"
    deploy(stage.session())
    assert stage.calls("deployment sub create")[0]["environ"]["SYNC"] == "preview"


SHELL_AS_DEPLOYED = {"SALESFORCE_URL": "https://before.my.salesforce.com"}


def test_deployed_again_from_an_empty_shell_nothing_is_asked_for_anew(stage: Stage) -> None:
    stage.is_deployed(
        "staging", {**stage.shell, **SHELL_AS_DEPLOYED}, alertEmails=["a@acme.example"], location="northeurope"
    )
    stage.shell.clear()
    deploy(stage.session())
    (create,) = stage.calls("deployment sub create")
    assert create["environ"]["SALESFORCE_URL"] == "https://before.my.salesforce.com"
    assert create["environ"]["ALERT_EMAILS"] == "a@acme.example"
    assert create["words"][4] == "northeurope"


def test_a_value_that_is_nowhere_stops_before_anything_is_made(stage: Stage) -> None:
    del stage.shell["SALESFORCE_USERNAME"]
    stop = stops(stage)
    assert stop.sentence == "Values are missing: SALESFORCE_USERNAME."
    assert "deployment sub what-if" not in stage.commands()


def test_an_environment_does_not_move_to_another_region(stage: Stage) -> None:
    stage.is_deployed("staging", {}, location="northeurope")
    stage.shell["AZURE_LOCATION"] = "westeurope"
    assert "was deployed to northeurope" in stops(stage).sentence


def test_two_apps_of_one_environment_are_named_and_neither_is_chosen(stage: Stage) -> None:
    row = {"resourceGroup": "rg-a", "tags": {"application": "cosell", "environment": "staging"}}
    stage.out("resource list", [{"name": "one", **row}, {"name": "two", **row}])
    assert "one in rg-a, two in rg-a" in stops(stage).sentence


def test_the_app_of_the_other_environment_is_not_taken_for_this_one(stage: Stage) -> None:
    stage.is_deployed("production", {"SYNC": "on"})
    stage.fails("deployment sub show", "DeploymentNotFound")
    deploy(stage.session())
    assert stage.calls("deployment sub create")[0]["environ"]["SYNC"] == "preview"


def test_what_would_change_is_shown_and_a_no_changes_nothing(stage: Stage) -> None:
    delta = [{"path": "properties.siteConfig", "before": "s3cret", "after": "t"}]
    site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/func-x"
    changes: list[dict[str, Any]] = [
        {"changeType": "Modify", "resourceId": site, "delta": delta},
        {"changeType": "NoChange", "resourceId": site, "delta": None},
    ]
    stage.out("deployment sub what-if", {"changes": changes})
    stage.refuses = "Go on?"
    stop = stops(stage)
    assert stop.sentence == "You did not say yes: nothing was changed."
    assert stage.asked[-1] == "staging in westeurope: 1 Modify. Go on?"
    assert "Microsoft.Web/sites/func-x: properties.siteConfig" in "\n".join(stage.said)
    assert "s3cret" not in "\n".join(stage.said)
    assert "deployment sub create" not in stage.commands()


def test_a_deployment_that_ended_half_way_is_gone_on_with(stage: Stage) -> None:
    """Its parameters are known, an app stands there without settings, and it has no outputs."""
    stage.is_deployed("staging", {}, location="westeurope")
    deploy(stage.session())
    assert stage.states() == ["healthy"]
    assert stage.calls("deployment sub create")[0]["environ"]["SYNC"] == "preview"


def test_a_deployment_without_outputs_is_not_taken_for_one(stage: Stage) -> None:
    said = outputs("staging", "https://x.example")
    del said["properties"]["outputs"]["HEALTH_URL"]
    stage.out("deployment sub create", said)
    assert stops(stage).sentence == "The deployment left no HEALTH_URL."
    assert not (stage.root / ".cosell/staging.toml").exists()


def test_a_pipeline_names_its_subscription(stage: Stage) -> None:
    stop = stops(stage, unattended=True)
    assert stop.code is Exit.USAGE
    assert SUBSCRIPTION in stop.remedy
    deploy(stage.session(unattended=True), "contoso")


def test_the_next_deployment_remembers_the_subscription(stage: Stage) -> None:
    deploy(stage.session())
    stage.out("account show", {"id": "other", "name": "Fabrikam", "tenantId": "t"})
    stop = stops(stage)
    assert stop.sentence == f"The Azure CLI is logged in to the subscription Fabrikam (other), not {SUBSCRIPTION}."
    assert stop.remedy == f'az account set --subscription "{SUBSCRIPTION}"'


def test_what_is_left_is_valid_toml(stage: Stage) -> None:
    deploy(stage.session())
    assert set(tomllib.loads((stage.root / ".cosell/staging.toml").read_text("utf-8"))) == {"settings", "deployment"}


def test_the_program_on_path_is_run_without_a_shell(stage: Stage) -> None:
    stage.on_path = True
    stage.fails("deployment sub show", "(DeploymentNotFound) $(touch harm) `touch harm`; touch harm")
    deploy(stage.session(), "Contoso")
    assert stage.states() == ["healthy"]
    assert stage.calls("account show")[0]["words"] == ["account", "show", "--output", "json", "--only-show-errors"]


def test_the_stand_in_refuses_what_the_cli_does_not_know(stage: Stage) -> None:
    with pytest.raises(Stopped, match="misspelled"):
        stage.session().run("deployment", "sub", "creat")
    with pytest.raises(Stopped, match="unrecognized"):
        stage.session().run("account", "show", "--nam", "x")
