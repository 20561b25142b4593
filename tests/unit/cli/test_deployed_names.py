"""Each command reads the names of the resources from Azure, where `.cosell/ENV.toml` is missing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.cli.deployed_names import open_environment
from shared.cli.environment import Environment, read_environment, write_environment
from shared.cli.exit_codes import Exit
from shared.cli.main import app
from shared.cli.output import Output
from shared.foundation.errors import ConfigurationError, Rejected, SignInFailed
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

ACCOUNT = {"id": "sub-1", "name": "Contoso", "tenantId": "tenant-1"}
OUTPUTS = {
    "functioN_APP_NAME": {"value": "func-x"},
    "AZURE_RESOURCE_GROUP": {"value": "rg-x"},
    "HEALTH_URL": {"value": "https://x.example/api/health"},
    "STORAGE_ACCOUNT_NAME": {"value": "stx"},
    "APP_SETTINGS": {"value": {"SYNC": "preview", "PUSH_PAUSED": "", "MAPPING": "mapping/staging.toml"}},
}
NOT_FOUND = "ERROR: (DeploymentNotFound) Deployment 'cosell-staging' could not be found."


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("account show", ACCOUNT)
    az.answer("deployment sub show", {"properties": {"outputs": OUTPUTS}})
    az.answer(
        "functionapp config appsettings list", [{"name": "SYNC", "value": "on"}, {"name": "OTHER", "value": "s3cret"}]
    )
    return az


def test_the_names_come_from_the_outputs_and_the_settings_from_the_app(
    az: StandInAz, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = open_environment("staging", Output())
    assert environment.settings == {"SYNC": "on", "PUSH_PAUSED": "", "MAPPING": "mapping/staging.toml"}
    assert environment.deployment == {
        "FUNCTION_APP_NAME": "func-x", "AZURE_RESOURCE_GROUP": "rg-x", "HEALTH_URL": "https://x.example/api/health",
        "STORAGE_ACCOUNT_NAME": "stx", "AZURE_SUBSCRIPTION_ID": "sub-1", "AZURE_TENANT_ID": "tenant-1",
    }  # fmt: skip
    assert [call[: call.index("--output")] for call in az.calls] == [
        ["account", "show"],
        ["deployment", "sub", "show", "--name", "cosell-staging"],
        ["functionapp", "config", "appsettings", "list", "--name", "func-x", "--resource-group", "rg-x"],
    ]
    assert capsys.readouterr().out == (
        "Read the names of the resources from Contoso, and wrote them to .cosell/staging.toml.\n"
    )


def test_the_next_command_reads_the_file_and_calls_nothing(az: StandInAz) -> None:
    first = open_environment("staging", Output())
    calls = len(az.calls)
    assert open_environment("staging", Output()) == first == read_environment("staging")
    assert len(az.calls) == calls
    assert "s3cret" not in Path(".cosell/staging.toml").read_text(encoding="utf-8")


def test_a_subscription_without_the_deployment_is_named(az: StandInAz) -> None:
    az.answer("deployment sub show", err=NOT_FOUND, code=3)
    with pytest.raises(
        ConfigurationError, match=r"the subscription Contoso \(sub-1\) has no deployment cosell-staging"
    ):
        open_environment("staging", Output())
    result = CliRunner().invoke(app, ["doctor", "--env", "staging"])
    assert result.exit_code == Exit.USAGE
    assert "run `make deploy ENV=staging` first, or choose another subscription with `az account set`" in result.output


def test_a_deployment_that_failed_names_what_is_missing(az: StandInAz) -> None:
    az.answer("deployment sub show", {"properties": {"outputs": {"HEALTH_URL": OUTPUTS["HEALTH_URL"]}}})
    with pytest.raises(ConfigurationError, match="does not tell AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME, STORAGE_ACC"):
        open_environment("staging", Output())
    assert not Path(".cosell").exists()


def test_without_a_login_the_remedy_is_to_log_in(az: StandInAz) -> None:
    az.answer("account show", err="ERROR: Please run 'az login' to setup account.", code=1)
    with pytest.raises(SignInFailed):
        open_environment("staging", Output())
    assert CliRunner().invoke(app, ["doctor", "--env", "staging"]).exit_code == Exit.SIGN_IN


def test_without_the_right_to_read_deployments_nothing_is_written(az: StandInAz) -> None:
    az.answer("deployment sub show", err="ERROR: (AuthorizationFailed) The client does not have a right.", code=1)
    with pytest.raises(Rejected):
        open_environment("staging", Output())
    assert not Path(".cosell").exists()


def test_without_the_azure_cli_the_file_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        open_environment("staging", Output())
    assert str(caught.value).startswith(".cosell/staging.toml does not exist: run `make deploy ENV=staging` first")
    assert "the Azure CLI is not on the PATH" in str(caught.value)
    write_environment(Environment("staging", {"SYNC": "on"}))
    assert open_environment("staging", Output()).settings == {"SYNC": "on"}


def test_the_environment_of_make_serve_is_not_looked_for_in_azure(az: StandInAz) -> None:
    with pytest.raises(ConfigurationError, match="start `make serve` or `make trouble`"):
        open_environment("local", Output())
    assert az.calls == []


def test_an_invalid_name_calls_nothing(az: StandInAz) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid name of an environment"):
        open_environment("../x", Output())
    assert az.calls == []
