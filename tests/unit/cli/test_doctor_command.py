"""`cosell doctor`, run as a person and as a script run it."""

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
from shared.doctor.run_checks import MANUAL_CHECKS, PREREQUISITES


@pytest.fixture
def systems(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systems:
    """The state after `make serve`: the settings are in .cosell/local.toml, and none is set in the shell."""
    environ = {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}
    for name in environ:
        monkeypatch.setenv(name, "removed again, so that the fixture restores it")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write_environment(Environment("local", environ, {"function_app_url": "https://localhost:1"}))
    all_systems.reset()
    return all_systems


@pytest.fixture(autouse=True)
def _restored_environment() -> Iterator[None]:
    environ = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(environ)


def register_for_events(systems: Systems) -> None:
    systems.partner_center.register_events("https://localhost:1/api/events", EVENTS)


def run_cosell_doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--env", "local", *words])


def test_a_healthy_installation_exits_with_zero_and_lists_the_manual_checks(systems: Systems) -> None:
    register_for_events(systems)
    result = run_cosell_doctor("--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"]) == (0, True), document
    assert [check["name"] for check in document["checks"]] == [item.name for item in PREREQUISITES]
    assert document["by_hand"] == list(MANUAL_CHECKS)


def test_a_failed_check_exits_with_one_and_prints_its_remedy(systems: Systems) -> None:
    register_for_events(systems)
    systems.vault.secret_store.delete("partner-center-client-secret")
    result = run_cosell_doctor()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "  Partner Center credential: Run `cosell connect partner-center --env local`." in lines, (
        "one line, to be copied"
    )
    assert "Check these yourself" in result.stdout


def test_no_secret_is_printed(systems: Systems) -> None:
    result = run_cosell_doctor()
    secrets = [secret.latest.value for secret in systems.vault.secret_store.live_secrets()]
    assert not [value for value in secrets if value in result.output]
    assert "PRIVATE KEY" not in result.output


def test_a_missing_environment_is_reported_with_the_command_that_creates_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["doctor", "--env", "staging"])
    assert result.exit_code == 2
    assert "make deploy ENV=staging" in result.output
