"""The app does not start with a wrong setting. The error names the setting, shows an example, and hides the value."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.systems import ROOT

CANARY = "c4n4ry-s3cr3t"
GUID = "11111111-2222-3333-4444-555555555555"
GOOD_SETTINGS = {
    "ENVIRONMENT": "production",
    "SYNC": "on",
    "PARTNER_CENTER_TENANT_ID": "contoso.onmicrosoft.com",
    "PARTNER_CENTER_CLIENT_ID": GUID,
    "PARTNER_CENTER_ORGANIZATION_ID": GUID,
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "3MVG9",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "KEY_VAULT_URL": "https://kv-cosell.vault.azure.net",
    "AZURE_CLIENT_ID": GUID,
    "STORE_TABLES_URL": "https://stcosell.table.core.windows.net",
    "EVENTS_QUEUE": "referral-events",
    "PUSH_SCHEDULE": "0 * * * * *",
    "SWEEP_SCHEDULE": "0 */15 * * * *",
    "CREDENTIALS_SCHEDULE": "0 17 3 * * *",
    "COMPARE_SCHEDULE": "0 23,53 2-5 * * *",
    "BACKUP_SCHEDULE": "0 47 6 * * *",
}
REQUIRED = sorted(GOOD_SETTINGS.keys() - {"SYNC"})

SECOND_FAULTS = (
    ("EVENTS_QUEUE", "", "EVENTS_QUEUE: is missing"),
    ("EVENT_MAX_BYTES", "0", "EVENT_MAX_BYTES: "),
    ("EVENT_CERTIFICATE_ORIGINS", "https://*.blob.core.windows.net", "wildcard"),
)
"""Faults that are found by other checks than the one that finds a missing SALESFORCE_URL."""


@dataclass(frozen=True)
class WrongSetting:
    """One fault: the value that is set (None removes the setting), and what the error must say besides its name."""

    name: str
    value: str | None
    required_text: str = ""
    other_settings: Mapping[str, str] = field(default_factory=dict, hash=False)

    def build_environ(self, folder: Path) -> dict[str, str]:
        """The good environment with this fault. In a value, `{folder}` stands for a folder of the test."""
        values = {**GOOD_SETTINGS, **self.other_settings, self.name: self.value}
        return {name: text.format(folder=folder) for name, text in values.items() if text is not None}

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


WRONG_SETTINGS = [
    *(WrongSetting(name, None) for name in REQUIRED),
    WrongSetting("ENVIRONMENT", f"{CANARY} with spaces"),
    WrongSetting("SYNC", CANARY),
    WrongSetting("SYNC_FROM", CANARY),
    WrongSetting("LEASE_SECONDS", "-1"),
    WrongSetting("PARALLELISM", CANARY),
    WrongSetting("PUSH_PAUSED", CANARY),
    WrongSetting("PARTNER_CENTER_URL", f"http://{CANARY}.example", "https"),
    WrongSetting("PARTNER_CENTER_CLIENT_ID", CANARY),
    WrongSetting("PARTNER_CENTER_LOCATION", CANARY),
    WrongSetting("SALESFORCE_URL", f"http://{CANARY}.my.salesforce.com", "https"),
    WrongSetting("SALESFORCE_URL", f"https://acme.my.salesforce.com/{CANARY}", "https"),
    WrongSetting("SALESFORCE_URL", f"https://user:{CANARY}@acme.my.salesforce.com", "https"),
    WrongSetting("SALESFORCE_API_VERSION", CANARY),
    WrongSetting("SALESFORCE_CLIENT_ID", f"@Microsoft.KeyVault(SecretUri={CANARY})", "Key Vault reference"),
    WrongSetting("KEY_VAULT_URL", f"http://{CANARY}.vault.azure.net", "https"),
    WrongSetting("KEY_VAULT_URL", f"https://kv-cosell.vault.azure.net/secrets/{CANARY}", "https"),
    WrongSetting("AZURE_CLIENT_ID", CANARY),
    WrongSetting("STORE_FILE", f"{CANARY}.sqlite", "STORE_TABLES_URL and STORE_FILE"),
    WrongSetting("STORE_FILE", f"/{CANARY}/store.sqlite", "folder", {"STORE_TABLES_URL": ""}),
    WrongSetting("STORE_CONNECTION_STRING", f"AccountKey={CANARY}", "AccountName", {"STORE_TABLES_URL": ""}),
    WrongSetting("STORE_TABLE", f"1-{CANARY}"),
    WrongSetting("EVENT_CERTIFICATE_ORIGINS", "https://*.blob.core.windows.net", "wildcard"),
    WrongSetting("EVENT_CERTIFICATE_ORIGINS", "http://3psostorageacct.blob.core.windows.net"),
    WrongSetting("EVENT_CERTIFICATE_ORIGINS", "https://3psostorageacct.blob.core.windows.net/cert"),
    WrongSetting("EVENT_CERTIFICATE_ORIGINS", "https://localhost:8445", "in Azure", {"WEBSITE_INSTANCE_ID": "a1b2"}),
    WrongSetting("EVENT_CERTIFICATE_ORIGINS", "https://127.0.0.1", "in Azure", {"WEBSITE_INSTANCE_ID": "a1b2"}),
    WrongSetting("EVENT_ISSUER_ORIGINS", "http://*.microsoft.com", "wildcard"),
    WrongSetting("EVENT_DISPATCHER", f"{CANARY} dispatcher"),
    WrongSetting("EVENT_ROOTS", "{folder}/missing.pem", "can be read"),
    WrongSetting("EVENT_ROOTS", "{folder}/text.pem", "certificate"),
    WrongSetting("EVENT_INTERMEDIATES", "{folder}/missing.pem", "can be read"),
    WrongSetting("EVENT_CERTIFICATES", "{folder}/text.pem", "certificate"),
    WrongSetting("EVENT_MAX_BYTES", "0"),
    WrongSetting("CA_BUNDLE", "{folder}/missing.pem", "can be read"),
    WrongSetting("CA_BUNDLE", "{folder}/text.pem", "certificate"),
    WrongSetting("MAPPING", "{folder}/missing.toml"),
    WrongSetting("MAPPING", "{folder}/mapping.toml", "line 4"),
    WrongSetting("EVENTS_QUEUE", "Not A Queue", "queue name"),
    WrongSetting("PUSH_SCHEDULE", "every minute", "schedule"),
    WrongSetting("PUSH_SCHEDULE", "00:05:00", "does not run on Flex Consumption"),
    WrongSetting("SWEEP_SCHEDULE", f"0 {CANARY} * * * *", "field minute"),
    WrongSetting("SWEEP_SCHEDULE", "0 0 9 * * FRI-MON", "runs Monday to Friday; write FRI-SAT,SUN-MON"),
    WrongSetting("CREDENTIALS_SCHEDULE", "0 0 0 31 2 *", "Azure never runs it"),
    *(WrongSetting("SALESFORCE_URL", None, says, {name: wrong}) for name, wrong, says in SECOND_FAULTS),
]


MINIMAL_STARTS = [
    WrongSetting("PUSH_SCHEDULE", f"0 0 9 * {CANARY} *", "PUSH_SCHEDULE"),
    WrongSetting("SALESFORCE_URL", None, "SALESFORCE_URL"),
    WrongSetting("EVENTS_QUEUE", None, "EVENTS_QUEUE"),
    WrongSetting("MAPPING", "{folder}/mapping.toml", "MAPPING"),
]
"""Starts that load the minimal app, with the name that its log line has."""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[WrongSetting, tuple[int, str]]:
    """The exit status and output of each start."""
    return attempt_starts(tmp_path_factory.mktemp("settings"), WRONG_SETTINGS)


@pytest.fixture(scope="module")
def minimal_starts(tmp_path_factory: pytest.TempPathFactory) -> dict[WrongSetting, tuple[int, str]]:
    """The exit status and output of each start as Azure makes it."""
    return attempt_starts(tmp_path_factory.mktemp("settings"), MINIMAL_STARTS, "minimal")


def attempt_starts(
    folder: Path, wrong_settings: Sequence[WrongSetting], *words: str
) -> dict[WrongSetting, tuple[int, str]]:
    """Start the app once with each fault, and return the exit status and output of each start."""
    (folder / "text.pem").write_text(f"{CANARY} is not a certificate", encoding="utf-8")
    (folder / "mapping.toml").write_text(
        'extends = "default"\n\n[fields.name]\nsalesfarce = "Name"\n', encoding="utf-8"
    )
    completed = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(Path(__file__).with_name("start_attempts.py")), *words],
        input=json.dumps([wrong.build_environ(folder) for wrong in wrong_settings]),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return {
        wrong: (code, output)
        for wrong, (code, output) in zip(wrong_settings, json.loads(completed.stdout), strict=True)
    }


@pytest.mark.parametrize("wrong", WRONG_SETTINGS, ids=str)
def test_a_wrong_setting_stops_the_start_and_is_named(
    refusals: dict[WrongSetting, tuple[int, str]], wrong: WrongSetting
) -> None:
    code, output = refusals[wrong]

    assert code == 2, output
    assert wrong.name in output or "mapping.toml, line 4" in output
    assert wrong.required_text in output
    assert "xample" in output or wrong.name == "MAPPING"
    assert CANARY not in output
    assert "Traceback" not in output


@pytest.mark.parametrize("wrong", MINIMAL_STARTS, ids=str)
def test_an_app_that_cannot_start_reports_the_fault_by_health_and_log_and_reads_no_queue(
    minimal_starts: dict[WrongSetting, tuple[int, str]], wrong: WrongSetting
) -> None:
    code, output = minimal_starts[wrong]
    assert code == 0, output
    result = json.loads(next(line for line in output.splitlines() if line.startswith("RESULT "))[len("RESULT ") :])
    assert result["triggers"] == {
        "report_health": "httpTrigger",
        "report_start_fault": "timerTrigger 0 * * * * *",
    }
    assert result["answers"]["without key"] == [401, ""]
    status, body = result["answers"]["with key"]
    report = json.loads(body)
    assert (status, report["error"], report["mode"]) == (503, "ConfigurationError", "not started")
    assert any(wrong.name in sentence or "mapping.toml, line 4" in sentence for sentence in report["errors"])
    lines = [line.removeprefix("cosell ") for line in output.splitlines() if line.startswith("cosell ")]
    assert [json.loads(line) for line in lines] == [
        {"event": "start_failed", "error": "ConfigurationError", "names": [wrong.required_text]}
    ]
    assert CANARY not in output
