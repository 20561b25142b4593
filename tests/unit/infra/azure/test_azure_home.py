"""The Bicep files, held to the code and to Azure's rules, without an account (reference/azure.md 4.3)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.host.cron import parse
from shared.foundation.logs import EVENTS, log
from shared.settings import variables as code
from tests.unit.infra.azure.azure_home import (
    ALL_OPTIONS,
    ENVIRONMENTS,
    PENDING_EVENTS,
    PENDING_SETTINGS,
    Home,
    trigger_settings,
)
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_values import Symbol
from tests.unit.infra.azure.checks import CHECKS, found

HOME = Home()
NOW = datetime(2026, 11, 1, tzinfo=UTC)

AT_RUN_TIME = {
    "identity.properties.clientId": "44444444-2222-3333-4444-555555555555",
    "vault.properties.vaultUri": "https://kv-cosell.vault.azure.net/",
    "account.properties.primaryEndpoints.table": "https://stcosell.table.core.windows.net/",
}
"""What Azure answers in place of a Symbol; addresses end with a slash."""


@pytest.mark.parametrize("path", HOME.bicep(), ids=lambda path: path.name)
def test_every_file_can_be_read(path: Path) -> None:
    Template(path)


@pytest.mark.parametrize("check", CHECKS)
def test_the_home_passes(check: str) -> None:
    assert found(HOME, check) == []


@pytest.fixture(params=ENVIRONMENTS)
def deployed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment's app settings as the process's environment."""
    for name, value in HOME.app_settings(request.param).items():
        monkeypatch.setenv(name, AT_RUN_TIME[value] if isinstance(value, Symbol) and value in AT_RUN_TIME else value)
    environment: str = request.param
    return environment


def test_the_app_starts_with_the_settings_that_are_deployed(deployed: str) -> None:
    code.event_settings()
    code.trigger_settings()
    settings = code.Settings.load()
    assert settings.sync.environment == deployed
    assert settings.sync.sync == "preview"
    assert settings.sync.mapping == Path(f"mapping/{deployed}.toml")
    assert settings.store.tables_url == "https://stcosell.table.core.windows.net"
    assert settings.salesforce.audience == f"https://{'test' if deployed == 'staging' else 'login'}.salesforce.com"


@pytest.mark.parametrize("name", ["PUSH_SCHEDULE", "SWEEP_SCHEDULE", "CREDENTIALS_SCHEDULE"])
def test_every_schedule_is_one(name: str) -> None:
    assert parse(HOME.app_settings()[name]).after(NOW) > NOW


def test_the_switches_of_a_running_app_survive_a_second_deployment() -> None:
    running = {"SYNC": "on", "SYNC_FROM": "2026-11-01T00:00:00Z", "PUSH_PAUSED": "true", "PULL_PAUSED": "true"}
    for environment in ENVIRONMENTS:
        given = Template(HOME.folder / f"{environment}.bicepparam", environ=running).variables
        assert given["sync"] == "on"
        assert {**given["settings"], "SYNC": "on"}.items() >= running.items()


def test_the_workload_name_keeps_the_longest_names_within_their_limits() -> None:
    names = HOME.template("production", **ALL_OPTIONS).value("names")
    assert (len(names["storage"]), len(names["vault"]), len(names["app"])) == (23, 24, 32)


def test_a_log_line_is_what_the_queries_look_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="cosell"):
        log("event_poisoned", referral_id="r")
    assert caplog.messages[0].startswith('{"event":')


@pytest.mark.parametrize("event", PENDING_EVENTS)
def test_an_alert_waits_for_no_event(event: str) -> None:
    if event not in EVENTS:
        pytest.skip(f"PENDING: nothing logs {event} yet, so its alert and its place in the workbook are unproven")
    assert set(PENDING_EVENTS[event]) <= set(EVENTS[event][1])


@pytest.mark.parametrize("setting", PENDING_SETTINGS)
def test_a_setting_waits_for_no_function(setting: str) -> None:
    if setting not in trigger_settings():
        pytest.skip(f"PENDING: no function reads {setting} yet")
