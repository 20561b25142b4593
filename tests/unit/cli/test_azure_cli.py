"""Running the Azure CLI: its answers, and the errors that its refusals become."""

from pathlib import Path

import pytest

from shared.cli.azure_cli import run_az
from shared.foundation.errors import ConfigurationError, CosellError, NotFound, Rejected, SignInFailed, Unavailable
from tests.unit.cli.stand_in_az import StandInAz, put_on_path


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    return put_on_path(tmp_path / "bin", monkeypatch)


def test_the_answer_is_parsed_and_the_command_asks_for_json(az: StandInAz) -> None:
    az.answer("account show", {"name": "Contoso"})
    assert run_az(["account", "show"]) == {"name": "Contoso"}
    assert az.calls == [["account", "show", "--output", "json", "--only-show-errors"]]


def test_a_command_that_prints_nothing_returns_none(az: StandInAz) -> None:
    az.answer("functionapp restart")
    assert run_az(["functionapp", "restart", "--name", "app"]) is None


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("ERROR: Please run 'az login' to setup account.", SignInFailed),
        ("ERROR: AADSTS700082: The refresh token has expired.", SignInFailed),
        ("ERROR: (AuthorizationFailed) The client does not have authorization.", Rejected),
        ("ERROR: (ResourceGroupNotFound) Resource group 'rg' could not be found.", NotFound),
        ("ERROR: (InvalidTemplate) Deployment template validation failed.", Rejected),
        ("", Rejected),
    ],
)
def test_a_refusal_becomes_an_error_of_our_tree(az: StandInAz, stderr: str, kind: type[CosellError]) -> None:
    az.answer("group show", err=stderr, code=3)
    with pytest.raises(kind):
        run_az(["group", "show", "--name", "rg"])


def test_missing_rights_are_reported_with_code_and_remedy(az: StandInAz) -> None:
    az.answer("group show", err="ERROR: (AuthorizationFailed) No.\nMore lines", code=1)
    with pytest.raises(Rejected) as caught:
        run_az(["group", "show", "--name", "secret-value"])
    cause = caught.value.cause
    assert (cause.code, cause.reason) == ("AuthorizationFailed", "az group show: (AuthorizationFailed) No.")
    assert "infra/azure/README.md" in cause.remedy


def test_an_answer_that_is_not_json_is_unavailable(az: StandInAz) -> None:
    az.answer("version")
    (az.home / "answers").write_text('[{"words": ["version"], "out": "<html>", "err": "", "code": 0}]')
    with pytest.raises(Unavailable):
        run_az(["version"])


def test_a_command_that_hangs_is_stopped(az: StandInAz) -> None:
    (az.home / "az").write_text("#!/bin/sh\nexec sleep 20\n")
    with pytest.raises(Unavailable, match="account show gave no answer"):
        run_az(["account", "show"], seconds=0.05)


def test_a_missing_azure_cli_is_reported_with_the_remedy_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match="install it"):
        run_az(["version"])
