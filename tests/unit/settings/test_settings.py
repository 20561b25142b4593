"""A wrong setting stops the app. The error has its name and an example, but not its value, which may be a secret."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.settings.guards import GuardSettings
from shared.settings.settings_group import SettingsGroup
from shared.settings.variables import (
    EventSettings,
    PartnerCenterSettings,
    SalesforceSettings,
    Settings,
    StoreSettings,
    SyncSettings,
    TriggerSettings,
    VaultSettings,
    WebhookSettings,
    event_settings,
)

GUID = "11111111-2222-3333-4444-555555555555"
COMPLETE = {
    "ENVIRONMENT": "staging",
    "PARTNER_CENTER_TENANT_ID": GUID,
    "PARTNER_CENTER_CLIENT_ID": GUID,
    "PARTNER_CENTER_ORGANIZATION_ID": GUID,
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com/",
    "SALESFORCE_CLIENT_ID": "3MVG9",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "KEY_VAULT_URL": "https://kv-cosell.vault.azure.net",
    "AZURE_CLIENT_ID": GUID,
    "STORE_FILE": "cosell.sqlite",
}
OPTIONAL = ("STORE_FILE",)
GROUPS = (
    SyncSettings,
    PartnerCenterSettings,
    SalesforceSettings,
    VaultSettings,
    StoreSettings,
    WebhookSettings,
    GuardSettings,
    EventSettings,
)
CANARY = "hunter2-canary-9f3b"

MALFORMED = {
    "ENVIRONMENT": f"-{CANARY}",
    "SYNC": CANARY,
    "AZURE_CREDENTIAL": CANARY,
    "SYNC_FROM": CANARY,
    "PUSH_PAUSED": CANARY,
    "PULL_PAUSED": CANARY,
    "LEASE_SECONDS": CANARY,
    "SETTLE_SECONDS": CANARY,
    "DEADLINE_SECONDS": CANARY,
    "IRREVERSIBLE_WAIT_SECONDS": CANARY,
    "HOLD_WIN": CANARY,
    "CUSTOMER_CONSENT": CANARY,
    "LEADS": CANARY,
    "PARALLELISM": CANARY,
    "RUN_SECONDS": CANARY,
    "COMPARE_SAMPLE": CANARY,
    "PARTNER_CENTER_URL": f"http://{CANARY}",
    "PARTNER_CENTER_SCOPE": CANARY,
    "PARTNER_CENTER_WEBHOOKS_URL": f"http://{CANARY}",
    "PARTNER_CENTER_WEBHOOKS_SCOPE": CANARY,
    "PARTNER_CENTER_AUTHORITY": f"https://user:{CANARY}@login.example",
    "PARTNER_CENTER_TENANT_ID": f"@Microsoft.KeyVault({CANARY})",
    "PARTNER_CENTER_CLIENT_ID": CANARY,
    "PARTNER_CENTER_PUBLIC_CLIENT": CANARY,
    "PARTNER_CENTER_TEST_TENANT": CANARY,
    "PARTNER_CENTER_ORGANIZATION_ID": CANARY,
    "PARTNER_CENTER_LOCATION": CANARY,
    "PARTNER_CENTER_QUALIFICATION": f"@Microsoft.KeyVault({CANARY})",
    "PARTNER_CENTER_MARKETPLACE_INTENT": f"@Microsoft.KeyVault({CANARY})",
    "PARTNER_CENTER_CONSENT_TO_CONTACT": CANARY,
    "PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS": CANARY,
    "PARTNER_CENTER_CONSENT_TO_CONTACT_SPECIFIC_PARTNERS": CANARY,
    "PARTNER_CENTER_REFERRAL_LINK": f"@Microsoft.KeyVault({CANARY})",
    "SALESFORCE_URL": CANARY,
    "SALESFORCE_AUDIENCE": CANARY,
    "SALESFORCE_CLIENT_ID": f"@Microsoft.KeyVault({CANARY})",
    "SALESFORCE_USERNAME": f"@Microsoft.KeyVault({CANARY})",
    "SALESFORCE_API_VERSION": CANARY,
    "SALESFORCE_ORGANIZATION_ID": CANARY,
    "SALESFORCE_KEY_SECRET": f"@Microsoft.KeyVault({CANARY})",
    "KEY_VAULT_URL": CANARY,
    "AZURE_CLIENT_ID": CANARY,
    "CA_BUNDLE": f"{CANARY}.pem",
    "VAULT_CACHE_SECONDS": CANARY,
    "STORE_TABLES_URL": CANARY,
    "STORE_CONNECTION_STRING": f"@Microsoft.KeyVault({CANARY})",
    "STORE_FILE": f"{CANARY}/cosell.sqlite",
    "STORE_TABLE": f"9{CANARY}",
    "EVENTS_URL": f"http://{CANARY}",
    "EVENTS_REGISTER": CANARY,
    "MASS_CHANGE_LIMIT": CANARY,
    "PURGE_AFTER_DAYS": CANARY,
    "BACKUP_CONTAINER": CANARY,
    "BACKUP_RETENTION_DAYS": CANARY,
}
FILES = {"ca_bundle", "roots", "intermediates", "certificates"}
NEVER_MALFORMED = {"MAPPING"}
"""Any text is a valid path. The code that opens the file reports what is wrong in it."""


@pytest.fixture(autouse=True)
def complete_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*MALFORMED, *NEVER_MALFORMED, *(f"EVENT_{name}".upper() for name in EventSettings.model_fields)):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in COMPLETE.items():
        monkeypatch.setenv(variable, value)


def refusal_message() -> str:
    """Return the message of the error for the current environment."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    return str(caught.value)


def variable_names(*groups: type[SettingsGroup]) -> set[str]:
    return {group.variable_name(name) for group in groups for name in group.model_fields}


def test_a_complete_environment_is_read() -> None:
    settings = Settings.load()
    assert settings.partner_center.location == "1234567"
    assert settings.salesforce.url == "https://acme.my.salesforce.com"
    assert settings.store.file == Path("cosell.sqlite")
    assert settings.sync.sync == "preview", "a new deployment writes nothing"


@pytest.mark.parametrize("variable", [variable for variable in COMPLETE if variable not in OPTIONAL])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_a_missing_setting_is_named_with_an_example(monkeypatch: pytest.MonkeyPatch, variable: str, how: str) -> None:
    if how == "absent":
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, "")
    assert re.search(rf"\b{variable}: is missing \(example: {variable}=\S+\)", refusal_message())


def test_every_setting_has_a_malformed_value_in_this_test() -> None:
    all_variables = variable_names(*GROUPS[:-1])
    assert all_variables == set(MALFORMED) | NEVER_MALFORMED


@pytest.mark.parametrize(("variable", "value"), MALFORMED.items())
def test_a_malformed_setting_is_named_with_an_example_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    message = refusal_message()
    assert message.startswith(f"{variable}: ")
    assert re.search(rf"\(example: {variable}=\S", message)
    assert CANARY not in message


def test_the_chain_of_errors_does_not_hold_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_CONNECTION_STRING", f"@Microsoft.KeyVault({CANARY})")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_examples_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for group in (*GROUPS, TriggerSettings):
        for name, value in group.examples.items():
            if name in FILES:
                continue
            monkeypatch.setenv(group.variable_name(name), value)
    for group in (*GROUPS, TriggerSettings):
        group.from_environment()


def test_one_error_reports_all_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ENVIRONMENT", "SALESFORCE_URL", "KEY_VAULT_URL", "STORE_FILE"):
        monkeypatch.delenv(variable)
    message = refusal_message()
    for variable in ("ENVIRONMENT", "SALESFORCE_URL", "KEY_VAULT_URL"):
        assert f"{variable}: is missing" in message
    assert "Exactly one of STORE_TABLES_URL" in message


# --- one store --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stores",
    [
        {},
        {"STORE_FILE": "a", "STORE_TABLES_URL": "https://a.example"},
        {
            "STORE_FILE": "a",
            "STORE_CONNECTION_STRING": f"AccountName=a;AccountKey={CANARY};EndpointSuffix=core.windows.net",
        },
        {
            "STORE_TABLES_URL": "https://a.example",
            "STORE_CONNECTION_STRING": f"AccountName=a;AccountKey={CANARY};EndpointSuffix=core.windows.net",
        },
    ],
)
def test_exactly_one_store_must_be_set(monkeypatch: pytest.MonkeyPatch, stores: Mapping[str, str]) -> None:
    monkeypatch.delenv("STORE_FILE")
    for variable, value in stores.items():
        monkeypatch.setenv(variable, value)
    message = refusal_message()
    assert message.count("Exactly one of") == 1
    assert CANARY not in message
    for variable in stores:
        assert message.count(variable) >= 2, "the rule names it, and so does the list of what is set"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STORE_TABLES_URL", "https://a.example"),
        ("STORE_CONNECTION_STRING", "AccountName=a;AccountKey=x;EndpointSuffix=core.windows.net"),
        ("STORE_CONNECTION_STRING", "AccountName=a;AccountKey=x;TableEndpoint=http://127.0.0.1:10002/a"),
        ("STORE_CONNECTION_STRING", "UseDevelopmentStorage=true"),
    ],
)
def test_each_kind_of_store_alone_is_enough(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.delenv("STORE_FILE")
    monkeypatch.setenv(variable, value)
    assert getattr(Settings.load().store, variable.removeprefix("STORE_").lower()) == value


# --- meanings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["production", "Production", "PRODUCTION"])
def test_production_has_no_tag_in_any_spelling(monkeypatch: pytest.MonkeyPatch, environment: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    assert Settings.load().sync.tag is None


def test_every_other_environment_is_tagged_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging-2")
    assert Settings.load().sync.tag == "STAGING-2"


@pytest.mark.parametrize(
    ("value", "begin"),
    [
        ("2026-11-01T00:00:00Z", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T00:00:00", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T02:00:00+02:00", datetime(2026, 11, 1, 2, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_sync_from_gets_a_time_zone(monkeypatch: pytest.MonkeyPatch, value: str, begin: datetime) -> None:
    monkeypatch.setenv("SYNC_FROM", value)
    assert Settings.load().sync.begin == begin


def test_without_sync_from_the_sync_begins_at_the_first_start() -> None:
    assert Settings.load().sync.begin is None


@pytest.mark.parametrize("value", ["a.example b.example", "a.example,b.example", " a.example ,  b.example,"])
def test_lists_are_separated_by_spaces_or_commas(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EVENT_RESOURCE_HOSTS", value)
    assert event_settings().resource_hosts == ("a.example", "b.example")


def test_a_wrong_setting_of_webhook_admission_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_MAX_BYTES", CANARY)
    with pytest.raises(ConfigurationError, match=r"^EVENT_MAX_BYTES: .*\(example: EVENT_MAX_BYTES=65536\)$") as caught:
        event_settings()
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "events_register", "holds"),
    [
        ("production", None, True),
        ("Production", None, True),
        ("staging", None, False),
        ("staging", "true", True),
        ("production", "false", False),
    ],
)
def test_production_registers_for_events_unless_the_setting_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, environment: str, events_register: str | None, *, holds: bool
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    if events_register is not None:
        monkeypatch.setenv("EVENTS_REGISTER", events_register)
    assert Settings.load().holds_registration is holds


@pytest.mark.parametrize(
    ("setting", "platform", "address"),
    [
        (None, None, None),
        (None, "func-cosell.azurewebsites.net", "https://func-cosell.azurewebsites.net/api/events"),
        (None, "localhost:7071", None),
        ("https://api.acme.example/events/", "func.azurewebsites.net", "https://api.acme.example/events"),
    ],
)
def test_the_events_address_comes_from_the_setting_or_the_platform(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, platform: str | None, address: str | None
) -> None:
    for name, value in (("EVENTS_URL", setting), ("WEBSITE_HOSTNAME", platform)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Settings.load().webhook.address == address
