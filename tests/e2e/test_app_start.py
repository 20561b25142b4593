"""A wrong setting never starts the app: the refusal names it, shows an example, and keeps the value to itself."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.systems import ROOT

CANARY = "c4n4ry-s3cr3t"
GUID = "11111111-2222-3333-4444-555555555555"
GOOD = {
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
}
REQUIRED = sorted(GOOD.keys() - {"SYNC"})

TOGETHER = (
    ("EVENTS_QUEUE", "", "EVENTS_QUEUE: is missing"),
    ("EVENT_MAX_BYTES", "0", "EVENT_MAX_BYTES: "),
    ("EVENT_CERTIFICATE_ORIGINS", "https://*.blob.core.windows.net", "wildcard"),
)
"""Faults that another check finds than that of a missing SALESFORCE_URL."""


@dataclass(frozen=True)
class Wrong:
    """One fault: what is set (None: removed) and what the refusal must say beside the setting's name."""

    name: str
    value: str | None
    says: str = ""
    beside: Mapping[str, str] = field(default_factory=dict, hash=False)

    def environ(self, folder: Path) -> dict[str, str]:
        """The good environment with this fault in it; `{folder}` in a value is a folder of the test."""
        values = {**GOOD, **self.beside, self.name: self.value}
        return {name: text.format(folder=folder) for name, text in values.items() if text is not None}

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


FAULTS = [
    *(Wrong(name, None) for name in REQUIRED),
    Wrong("ENVIRONMENT", f"{CANARY} with spaces"),
    Wrong("SYNC", CANARY),
    Wrong("SYNC_FROM", CANARY),
    Wrong("LEASE_SECONDS", "-1"),
    Wrong("PARALLELISM", CANARY),
    Wrong("PUSH_PAUSED", CANARY),
    Wrong("PARTNER_CENTER_URL", f"http://{CANARY}.example", "https"),
    Wrong("PARTNER_CENTER_CLIENT_ID", CANARY),
    Wrong("PARTNER_CENTER_LOCATION", CANARY),
    Wrong("SALESFORCE_URL", f"http://{CANARY}.my.salesforce.com", "https"),
    Wrong("SALESFORCE_URL", f"https://acme.my.salesforce.com/{CANARY}", "https"),
    Wrong("SALESFORCE_URL", f"https://user:{CANARY}@acme.my.salesforce.com", "https"),
    Wrong("SALESFORCE_API_VERSION", CANARY),
    Wrong("SALESFORCE_CLIENT_ID", f"@Microsoft.KeyVault(SecretUri={CANARY})", "Key Vault reference"),
    Wrong("KEY_VAULT_URL", f"http://{CANARY}.vault.azure.net", "https"),
    Wrong("KEY_VAULT_URL", f"https://kv-cosell.vault.azure.net/secrets/{CANARY}", "https"),
    Wrong("AZURE_CLIENT_ID", CANARY),
    Wrong("STORE_FILE", f"{CANARY}.sqlite", "STORE_TABLES_URL and STORE_FILE"),
    Wrong("STORE_FILE", f"/{CANARY}/store.sqlite", "folder", {"STORE_TABLES_URL": ""}),
    Wrong("STORE_CONNECTION_STRING", f"AccountKey={CANARY}", "AccountName", {"STORE_TABLES_URL": ""}),
    Wrong("STORE_TABLE", f"1-{CANARY}"),
    Wrong("EVENT_CERTIFICATE_ORIGINS", "https://*.blob.core.windows.net", "wildcard"),
    Wrong("EVENT_CERTIFICATE_ORIGINS", "http://3psostorageacct.blob.core.windows.net"),
    Wrong("EVENT_CERTIFICATE_ORIGINS", "https://3psostorageacct.blob.core.windows.net/cert"),
    Wrong("EVENT_CERTIFICATE_ORIGINS", "https://localhost:8445", "in Azure", {"WEBSITE_INSTANCE_ID": "a1b2"}),
    Wrong("EVENT_CERTIFICATE_ORIGINS", "https://127.0.0.1", "in Azure", {"WEBSITE_INSTANCE_ID": "a1b2"}),
    Wrong("EVENT_ISSUER_ORIGINS", "http://*.microsoft.com", "wildcard"),
    Wrong("EVENT_DISPATCHER", f"{CANARY} dispatcher"),
    Wrong("EVENT_ROOTS", "{folder}/missing.pem", "can be read"),
    Wrong("EVENT_ROOTS", "{folder}/text.pem", "certificate"),
    Wrong("EVENT_INTERMEDIATES", "{folder}/missing.pem", "can be read"),
    Wrong("EVENT_CERTIFICATES", "{folder}/text.pem", "certificate"),
    Wrong("EVENT_MAX_BYTES", "0"),
    Wrong("CA_BUNDLE", "{folder}/missing.pem", "can be read"),
    Wrong("CA_BUNDLE", "{folder}/text.pem", "certificate"),
    Wrong("MAPPING", "{folder}/missing.toml"),
    Wrong("MAPPING", "{folder}/mapping.toml", "line 4"),
    Wrong("EVENTS_QUEUE", "Not A Queue", "queue name"),
    Wrong("PUSH_SCHEDULE", "every minute", "schedule"),
    *(Wrong("SALESFORCE_URL", None, says, {name: wrong}) for name, wrong, says in TOGETHER),
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[Wrong, tuple[int, str]]:
    """What became of each start."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "text.pem").write_text(f"{CANARY} is no certificate", encoding="utf-8")
    (folder / "mapping.toml").write_text(
        'extends = "default"\n\n[fields.name]\nsalesfarce = "Name"\n', encoding="utf-8"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(Path(__file__).with_name("start_attempts.py"))],
        input=json.dumps([wrong.environ(folder) for wrong in FAULTS]), env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    return {wrong: (code, said) for wrong, (code, said) in zip(FAULTS, json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("wrong", FAULTS, ids=str)
def test_a_wrong_setting_stops_the_start_and_is_named(refusals: dict[Wrong, tuple[int, str]], wrong: Wrong) -> None:
    code, said = refusals[wrong]

    assert code == 2, said
    assert wrong.name in said or "mapping.toml, line 4" in said
    assert wrong.says in said
    assert "xample" in said or wrong.name == "MAPPING"
    assert CANARY not in said
    assert "Traceback" not in said
