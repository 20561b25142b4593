"""Turning the sync on: the counts first, then the question, then one setting in Azure, and in the names."""

import json
import os
from pathlib import Path

import pytest

from local.systems import Systems
from shared.cli.environment import Environment, read_environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.turn_on import run_turn_on
from shared.foundation.errors import ConfigurationError, Rejected
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

DEPLOYMENT = {
    "FUNCTION_APP_NAME": "func-cosell",
    "AZURE_RESOURCE_GROUP": "rg-cosell",
    "AZURE_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555",
}
WHERE = [
    "--name",
    "func-cosell",
    "--resource-group",
    "rg-cosell",
    "--subscription",
    DEPLOYMENT["AZURE_SUBSCRIPTION_ID"],
]
SET = ["functionapp", "config", "appsettings", "set", *WHERE, "--settings", "SYNC=on", "--query", "[].name"]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "preview", "slotSetting": False}])
    az.answer("functionapp config appsettings set", ["SYNC"])
    return az


@pytest.fixture
def staging() -> Environment:
    return Environment("staging", {"ENVIRONMENT": "production", "SYNC": "preview"}, DEPLOYMENT)


def turned_on(
    environment: Environment, capsys: pytest.CaptureFixture[str], folder: Path, *, yes: bool
) -> tuple[Exit, dict[str, object]]:
    code = run_turn_on(environment, Output(as_json=True), yes=yes, folder=folder)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


def test_the_counts_are_shown_and_one_setting_is_made(
    systems: Systems, az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    systems.seller_creates("Complete")
    systems.seller_creates("Without a country", country=None)
    systems.partner_center.microsoft_sends()
    code, document = turned_on(staging, capsys, tmp_path / "names", yes=True)
    assert (code, document["turned_on"]) == (Exit.OK, True)
    assert document["preview"] == {
        "push": {"creates": 1, "to_partner_center": 0, "to_salesforce": 0, "held": 1},
        "sweep": {"creates": 1, "to_partner_center": 0, "to_salesforce": 0, "held": 0},
    }
    assert az.calls[-1][: len(SET)] == SET
    assert read_environment("staging", tmp_path / "names").settings["SYNC"] == "on"


def test_looking_writes_nothing_on_either_side(
    systems: Systems, az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    opportunity = systems.seller_creates("Complete")
    before = dict(systems.salesforce.record("Opportunity", opportunity))
    turned_on(staging, capsys, tmp_path / "names", yes=True)
    assert len(systems.partner_center.store.book) == 0
    assert dict(systems.salesforce.record("Opportunity", opportunity)) == before
    assert az.calls


@pytest.mark.usefixtures("systems")
def test_without_a_yes_nothing_is_changed(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, document = turned_on(staging, capsys, tmp_path / "names", yes=False)
    assert (code, document["turned_on"]) == (Exit.PROBLEM, False)
    assert not [call for call in az.calls if "set" in call]
    assert not (tmp_path / "names").exists()


@pytest.mark.usefixtures("systems")
def test_what_is_on_is_left_alone(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "on"}])
    code, document = turned_on(staging, capsys, tmp_path / "names", yes=True)
    assert (code, document["turned_on"], len(az.calls)) == (Exit.OK, False, 1)


@pytest.mark.usefixtures("systems")
def test_missing_rights_stop_it_with_a_remedy_and_the_names_stay(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings set", err="ERROR: (AuthorizationFailed) No.", code=1)
    with pytest.raises(Rejected) as caught:
        turned_on(staging, capsys, tmp_path / "names", yes=True)
    assert "role" in caught.value.cause.remedy
    assert not (tmp_path / "names").exists()


def test_an_environment_that_was_never_deployed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make deploy ENV=staging"):
        run_turn_on(Environment("staging"), Output(), yes=True, folder=tmp_path)


def test_the_local_run_is_on_from_its_start(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, document = turned_on(Environment("local", {"SYNC": "on"}), capsys, tmp_path, yes=True)
    assert (code, document["mode"]) == (Exit.OK, "on")
    with pytest.raises(ConfigurationError, match="make serve"):
        run_turn_on(Environment("local", {"SYNC": "preview"}), Output(), yes=True, folder=tmp_path)


@pytest.mark.usefixtures("az")
def test_without_a_beginning_it_says_that_old_deals_stay_out(
    systems: Systems, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("SYNC_FROM")
    systems.seller_creates("From before")
    run_turn_on(staging, Output(as_json=True), yes=False, folder=tmp_path)
    told = capsys.readouterr()
    assert "begins now" in told.err
    assert json.loads(told.out)["preview"]["sweep"]["creates"] == 0


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets SYNC in its own process."""
    monkeypatch.setenv("SYNC", os.environ.get("SYNC", "preview"))
