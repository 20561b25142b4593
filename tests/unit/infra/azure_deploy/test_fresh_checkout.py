"""A person on call needs a checkout and a login: where `.cosell` is missing, Azure tells the names of the resources."""

import shutil

import pytest

from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.promote import promote
from infra.azure.deploy.restore_previous_version import rollback
from shared.cli.environment import read_environment
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError
from tests.unit.infra.azure_deploy.fake_azure import SUBSCRIPTION, FakeAzure
from tests.unit.infra.azure_deploy.test_release import deploy_change, prepare_production

SETTINGS = "functionapp config appsettings list"


def deploy_twice(azure: FakeAzure) -> tuple[str, str]:
    """Deploy two versions from another machine, and return their commits. This machine has nothing in `.cosell`."""
    commits = deploy_change(azure, "deal = 2\n"), deploy_change(azure, "deal = 3\n")
    shutil.rmtree(azure.root / ".cosell")
    (azure.folder / "calls.jsonl").unlink()
    azure.answer(SETTINGS, [{"name": "SYNC", "value": "on"}, {"name": "SECRET", "value": "s3cret"}])
    return commits


def test_a_rollback_from_a_fresh_checkout_reads_the_names_and_deploys_no_template(azure: FakeAzure) -> None:
    first, _ = deploy_twice(azure)
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == first
    assert azure.command_names() == [
        "version", "account show", "account show", "deployment sub show", SETTINGS, "storage blob list",
        "storage blob download", "functionapp deployment source config-zip", "rest", "functionapp function keys list",
        "functionapp function list", "functionapp function keys list", "storage blob metadata update",
    ]  # fmt: skip
    assert azure.questions[-2] == f"Use the subscription Contoso ({SUBSCRIPTION}) for staging?"
    assert azure.questions[-1].startswith("Replace history/")


def test_the_names_are_written_with_the_present_settings_of_the_app(azure: FakeAzure) -> None:
    deploy_twice(azure)
    rollback(azure.open_session())
    names = read_environment("staging", azure.root / ".cosell")
    assert names.settings == {"ENVIRONMENT": "staging", "SYNC": "on", "MAPPING": "mapping/staging.toml"}
    assert names.deployment["AZURE_SUBSCRIPTION_ID"] == SUBSCRIPTION
    assert names.deployment["AZURE_TENANT_ID"] == "tenant-1"
    assert names.deployment["AZURE_LOCATION"] == "westeurope", "the output has an odd case"


def test_a_rollback_needs_neither_bicep_nor_the_rights_of_a_deployer(azure: FakeAzure) -> None:
    first, _ = deploy_twice(azure)
    azure.fail("bicep version", 'Bicep CLI not found. Install it now by running "az bicep install".')
    azure.fail("provider list", "(AuthorizationFailed) no right")
    azure.fail("deployment sub create", "(AuthorizationFailed) no right")
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == first


def test_a_pipeline_without_the_file_must_name_its_subscription(azure: FakeAzure) -> None:
    first, _ = deploy_twice(azure)
    with pytest.raises(DeploymentFailure, match="No subscription is named") as caught:
        rollback(azure.open_session(unattended=True))
    assert caught.value.code is Exit.USAGE
    rollback(azure.open_session(unattended=True), "contoso")
    assert azure.running_record()["commit"] == first


def test_another_subscription_is_named_together_with_the_command_that_chooses(azure: FakeAzure) -> None:
    azure.answer("account show", {"id": "other", "name": "Fabrikam", "tenantId": "t"})
    with pytest.raises(ConfigurationError) as caught:
        rollback(azure.open_session())
    assert str(caught.value) == (
        ".cosell/staging.toml does not exist, and the subscription Fabrikam (other) has no deployment cosell-staging: "
        "run `make deploy ENV=staging` first, or choose another subscription with `az account set`"
    )


def test_a_deployment_that_failed_has_no_names(azure: FakeAzure) -> None:
    deploy_twice(azure)
    azure.answer("deployment sub show", {"properties": {"provisioningState": "Failed", "outputs": None}})
    with pytest.raises(ConfigurationError, match="did not end well, so it does not tell AZURE_RESOURCE_GROUP, FUNC"):
        rollback(azure.open_session())
    assert not (azure.root / ".cosell").exists()


def test_a_promotion_from_a_fresh_checkout_reads_the_names_of_staging(azure: FakeAzure) -> None:
    deploy(azure.open_session())  # `.cosell` holds the test record too, which this machine does not need
    azure.write_test_record()
    commit = deploy_change(azure, "deal = 2\n")
    shutil.rmtree(azure.root / ".cosell")
    prepare_production(azure)
    del azure.answers["deployment sub show"]
    promote(azure.open_session("production"))
    assert (azure.running_record()["commit"], azure.running_record()["environment"]) == (commit, "production")
