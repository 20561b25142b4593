"""`cosell turn-on`: it counts, asks, and sets SYNC in Azure and in the environment's file."""

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.environment import Environment, read_environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.turn_on import run_turn_off, run_turn_on
from shared.foundation.errors import ConfigurationError, Rejected
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import check_golden, golden_output
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

DEPLOYMENT = {
    "FUNCTION_APP_NAME": "func-cosell",
    "AZURE_RESOURCE_GROUP": "rg-cosell",
    "AZURE_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555",
}
APP_OPTIONS = [
    "--name",
    "func-cosell",
    "--resource-group",
    "rg-cosell",
    "--subscription",
    DEPLOYMENT["AZURE_SUBSCRIPTION_ID"],
]
APP_SETTINGS = ["functionapp", "config", "appsettings"]
SET_COMMAND = [*APP_SETTINGS, "set", *APP_OPTIONS, "--settings", "SYNC=on", "--query", "[].name"]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "preview", "slotSetting": False}])
    az.answer("functionapp config appsettings set", ["SYNC"])
    return az


@pytest.fixture
def staging() -> Environment:
    return Environment("staging", {"ENVIRONMENT": "production", "SYNC": "preview"}, DEPLOYMENT)


def turn_on(
    environment: Environment, capsys: pytest.CaptureFixture[str], folder: Path, *, yes: bool
) -> tuple[Exit, dict[str, object]]:
    code = run_turn_on(environment, Output(as_json=True), yes=yes, folder=folder)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


def test_the_counts_are_shown_and_one_setting_is_written(
    systems: Systems, az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    systems.seller_creates("Complete")
    systems.seller_creates("Without a country", country=None)
    systems.seller_creates("Adopts one that exists", Referral_Identifier__c=systems.partner_center.portal_creates())
    systems.partner_center.microsoft_sends()
    code, document = turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert (code, document["turned_on"]) == (Exit.OK, True)
    assert document["preview"] == {
        "push": {"creates": 1, "adopts": 1, "to_partner_center": 1, "to_salesforce": 1, "held": 1, "needs_approval": 0},
        "sweep": {
            "creates": 1,
            "adopts": 0,
            "to_partner_center": 0,
            "to_salesforce": 0,
            "held": 0,
            "needs_approval": 0,
        },
    }
    assert az.calls[-1][: len(SET_COMMAND)] == SET_COMMAND
    assert read_environment("staging", tmp_path / "names").settings["SYNC"] == "on"


@pytest.mark.usefixtures("az")
def test_the_counts_are_printed_before_it_asks(
    systems: Systems, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    systems.seller_creates("Complete")
    systems.seller_creates("Without a country", country=None)
    systems.seller_creates("Adopts one that exists", Referral_Identifier__c=systems.partner_center.portal_creates())
    systems.partner_center.microsoft_sends()
    assert run_turn_on(staging, golden_output("staging"), yes=False, folder=tmp_path) is Exit.PROBLEM
    check_golden("turn-on", capsys.readouterr().out)


def test_counting_writes_nothing_to_either_side(
    systems: Systems, az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    opportunity = systems.seller_creates("Complete")
    before = dict(systems.salesforce.record("Opportunity", opportunity))
    turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert len(systems.partner_center.service.store) == 0
    assert dict(systems.salesforce.record("Opportunity", opportunity)) == before
    assert az.calls


@pytest.mark.usefixtures("systems")
def test_without_the_answer_yes_nothing_is_changed(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, document = turn_on(staging, capsys, tmp_path / "names", yes=False)
    assert (code, document["turned_on"]) == (Exit.PROBLEM, False)
    assert not [call for call in az.calls if "set" in call]
    assert not (tmp_path / "names").exists()


def test_production_on_a_sandbox_is_not_turned_on(
    systems: Systems, az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    systems.salesforce.set_sandbox(on=True)
    with pytest.raises(ConfigurationError, match="is a sandbox"):
        turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert not [call for call in az.calls if "set" in call]


@pytest.mark.usefixtures("systems")
def test_a_sync_that_is_on_already_is_not_changed(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "on"}])
    code, document = turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert (code, document["turned_on"], len(az.calls)) == (Exit.OK, False, 1)


@pytest.mark.usefixtures("systems")
def test_missing_rights_stop_the_command_with_a_remedy_and_the_file_is_not_written(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings set", err="ERROR: (AuthorizationFailed) No.", code=1)
    with pytest.raises(Rejected) as caught:
        turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert "role" in caught.value.cause.remedy
    assert not (tmp_path / "names").exists()


def test_an_environment_without_a_deployment_is_reported_with_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make deploy ENV=staging"):
        run_turn_on(Environment("staging"), Output(), yes=True, folder=tmp_path)


def test_the_local_run_must_be_started_with_the_sync_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, document = turn_on(Environment("local", {"SYNC": "on"}), capsys, tmp_path, yes=True)
    assert (code, document["mode"]) == (Exit.OK, "on")
    with pytest.raises(ConfigurationError, match="make serve"):
        run_turn_on(Environment("local", {"SYNC": "preview"}), Output(), yes=True, folder=tmp_path)


@pytest.mark.usefixtures("az")
def test_without_sync_from_it_says_that_older_deals_are_not_linked(
    systems: Systems, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("SYNC_FROM")
    systems.seller_creates("Older deal")
    run_turn_on(staging, Output(as_json=True), yes=False, folder=tmp_path)
    output = capsys.readouterr()
    assert "begins now" in output.err
    assert json.loads(output.out)["preview"]["sweep"]["creates"] == 0


@pytest.fixture(autouse=True)
def restored_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore SYNC after the test, because the command sets it in this process."""
    monkeypatch.setenv("SYNC", os.environ.get("SYNC", "preview"))


def test_what_was_shown_and_confirmed_goes_whatever_the_limit(
    systems: Systems,
    az: StandInAz,
    staging: Environment,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASS_CHANGE_LIMIT", "1")
    for number in range(3):
        systems.seller_creates(f"Deal {number}")
    turn_on(staging, capsys, tmp_path / "names", yes=True)
    assert az.calls
    for number in range(2):
        systems.seller_creates(f"Later {number}")
    os.environ["SYNC"] = "on"
    with closing(App()) as app:
        run_push(app.context)
    assert len(systems.partner_center.service.store) == 4, "the three that were shown, and the limit of the day"


@pytest.mark.usefixtures("systems")
def test_turn_off_undoes_it_in_azure_and_in_the_file(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "on"}])
    assert run_turn_off(staging, Output(as_json=True), folder=tmp_path / "names") is Exit.OK
    assert json.loads(capsys.readouterr().out) == {"ok": True, "turned_off": True, "mode": "preview"}
    assert "SYNC=preview" in az.calls[-1]
    assert read_environment("staging", tmp_path / "names").settings["SYNC"] == "preview"


def test_turn_off_leaves_a_sync_that_is_not_on(az: StandInAz, staging: Environment, tmp_path: Path) -> None:
    assert run_turn_off(staging, Output(), folder=tmp_path) is Exit.OK
    assert not [call for call in az.calls if "set" in call]


def test_turn_off_of_the_local_run_names_the_restart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make serve"):
        run_turn_off(Environment("local", {"SYNC": "on"}), Output(), folder=tmp_path)


@pytest.mark.usefixtures("systems")
def test_what_turn_off_prints(
    az: StandInAz, staging: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "on"}])
    run_turn_off(staging, golden_output("staging"), folder=tmp_path / "names")
    check_golden("turn-off", capsys.readouterr().out)
