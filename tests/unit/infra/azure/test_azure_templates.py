"""Compares the Bicep files with the code and with Azure's rules, without an Azure account.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.foundation.logs import log
from shared.settings import variables as code
from shared.settings.schedules import parse_schedule, schedule_fault
from shared.settings.surely_right import event_values, settings_are_right
from tests.unit.infra.azure.azure_files import (
    ALL_OPTIONS,
    ENVIRONMENTS,
    SAMPLE_VARIABLES,
    AzureFiles,
)
from tests.unit.infra.azure.bicep_names import Symbol
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.checks import CHECKS, run_check

FILES = AzureFiles()
NOW = datetime(2026, 11, 1, tzinfo=UTC)

VALUES_OF_AZURE = {
    "clientId": "44444444-2222-3333-4444-555555555555",
    "vaultUri": "https://kv-cosell.vault.azure.net/",
    "table": "https://stcosell.table.core.windows.net/",
}
"""The values that Azure gives, by the last word of the Symbol. Addresses end with a slash."""


@pytest.mark.parametrize("path", FILES.bicep_files(), ids=lambda path: path.name)
def test_every_file_can_be_read(path: Path) -> None:
    Template(path)


@pytest.mark.parametrize("check", CHECKS)
def test_the_azure_files_pass_each_check(check: str) -> None:
    assert run_check(FILES, check) == []


@pytest.fixture(params=ENVIRONMENTS)
def deployed_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment whose app settings are set as environment variables."""
    for name, value in FILES.app_settings(request.param).items():
        word = value.rpartition(".")[2]
        monkeypatch.setenv(name, VALUES_OF_AZURE.get(word, value) if isinstance(value, Symbol) else value)
    environment: str = request.param
    return environment


def test_the_app_starts_with_the_deployed_settings(deployed_environment: str) -> None:
    assert settings_are_right(), "the start of the app need not ask the models"
    assert event_values() is not None
    code.event_settings()
    code.trigger_settings()
    settings = code.Settings.load()
    assert settings.sync.environment == deployed_environment
    assert settings.sync.sync == "preview"
    assert settings.sync.mapping == Path(f"mapping/{deployed_environment}.toml")
    assert settings.store.tables_url == "https://stcosell.table.core.windows.net"
    assert (
        settings.salesforce.audience
        == f"https://{'test' if deployed_environment == 'staging' else 'login'}.salesforce.com"
    )


@pytest.mark.parametrize(
    "name", ["PUSH_SCHEDULE", "SWEEP_SCHEDULE", "CREDENTIALS_SCHEDULE", "COMPARE_SCHEDULE", "BACKUP_SCHEDULE"]
)
def test_every_schedule_runs_when_it_says(name: str) -> None:
    assert NOW < parse_schedule(FILES.app_settings()[name]).next_after(NOW) < NOW + timedelta(days=2)
    assert schedule_fault(FILES.app_settings()[name]) == ""


def test_the_parameter_files_read_the_switches_from_the_environment() -> None:
    running = {"SYNC": "on", "SYNC_FROM": "2026-11-01T00:00:00Z", "PUSH_PAUSED": "true", "PULL_PAUSED": "true"}
    for environment in ENVIRONMENTS:
        values = Template(FILES.folder / f"{environment}.bicepparam", environ={**SAMPLE_VARIABLES, **running}).variables
        assert values["sync"] == "on"
        assert {**values["settings"], "SYNC": "on"}.items() >= running.items()


def test_the_longest_names_are_within_their_limits() -> None:
    names = FILES.template_for("production", **ALL_OPTIONS).value("names")
    assert (len(names["storage"]), len(names["vault"]), len(names["app"])) == (23, 24, 32)


def test_a_log_line_begins_as_the_queries_expect(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="cosell"):
        log("event_poisoned", event_id="e", referral_id="r")
    assert caplog.messages[0].startswith('{"event":')
