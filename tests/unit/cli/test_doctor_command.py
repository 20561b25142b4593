"""`cosell doctor` as a person and a script run it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.clients.partner_center.webhook_bodies import EVENTS
from shared.doctor.run_checks import BY_HAND, PREREQUISITES


@pytest.fixture
def systems(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systems:
    """What `make serve` leaves: the names in .cosell/local.toml, and nothing in the shell."""
    environ = {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}
    for name in environ:
        monkeypatch.setenv(name, "restored at the end")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write_environment(Environment("local", environ, {"function_app_url": "https://localhost:1"}))
    all_systems.reset()
    return all_systems


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def registered(systems: Systems) -> None:
    systems.partner_center.register_events("https://localhost:1/api/events", EVENTS)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--env", "local", *words])


def test_a_healthy_installation_ends_with_zero_and_names_what_a_person_checks(systems: Systems) -> None:
    registered(systems)
    result = run("--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"]) == (0, True), document
    assert [check["name"] for check in document["checks"]] == [item.name for item in PREREQUISITES]
    assert document["by_hand"] == list(BY_HAND)


def test_a_failed_check_ends_with_one_and_its_remedy_is_said(systems: Systems) -> None:
    registered(systems)
    systems.vault.shelf.delete("partner-center-client-secret")
    result = run()
    assert result.exit_code == 1
    assert "cosell connect partner-center" in result.stdout
    assert "Only a person can check" in result.stdout


def test_no_secret_is_said(systems: Systems) -> None:
    result = run()
    secrets = [secret.latest.value for secret in systems.vault.shelf.live()]
    assert not [value for value in secrets if value in result.output]
    assert "PRIVATE KEY" not in result.output


def test_an_environment_that_is_not_there_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["doctor", "--env", "staging"])
    assert result.exit_code == 2
    assert "make deploy ENV=staging" in result.output
