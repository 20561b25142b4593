"""The quick look at the settings is never more lenient than the models, and reads what they read."""

import os
from unittest.mock import patch

import certifi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.foundation.errors import ConfigurationError
from shared.settings.event_values import EventValues
from shared.settings.guards import GuardSettings
from shared.settings.settings_group import SettingsGroup
from shared.settings.surely_right import CHECKS, EVENT_CHECKS, REQUIRED, event_values, settings_are_right
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
    trigger_settings,
)

GUID = "11111111-2222-3333-4444-555555555555"
TRIGGERS = {
    "EVENTS_QUEUE": "referral-events",
    "PUSH_SCHEDULE": "0 * * * * *",
    "SWEEP_SCHEDULE": "0 */15 * * * *",
    "CREDENTIALS_SCHEDULE": "0 17 3 * * *",
    "COMPARE_SCHEDULE": "0 23,53 2-5 * * *",
    "BACKUP_SCHEDULE": "0 47 6 * * *",
}
SURE = {
    "ENVIRONMENT": "staging",
    "PARTNER_CENTER_TENANT_ID": "acme.example",
    "PARTNER_CENTER_CLIENT_ID": GUID,
    "PARTNER_CENTER_ORGANIZATION_ID": GUID,
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com/",
    "SALESFORCE_CLIENT_ID": "3MVG9",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "KEY_VAULT_URL": "https://kv-cosell.vault.azure.net",
    "AZURE_CLIENT_ID": GUID,
    "STORE_FILE": "cosell.sqlite",
    **TRIGGERS,
}
EVERY_GROUP = (
    SyncSettings, PartnerCenterSettings, SalesforceSettings, VaultSettings, StoreSettings, WebhookSettings,
    GuardSettings, TriggerSettings,
)  # fmt: skip
SAMPLES = (
    *SURE.values(), "true", "False", "yes", "1", "0", "-1", "+1", "60.5", "1e3", ".5", "5.", "nan", "inf", "86400",
    "86400.001", "86401", "0.0", "0.001", "64", "65", "1_000", "٣", "1000001", "production", "PRODUCTION", "on",
    "preview", "checkbox", "opportunity", "managed", "cli", "66.0", "00D5g000004XyZaEAK", "00D5g000004XyZa",
    "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.123456+01:00", "2026-02-30T00:00:00Z", "2026-11-01", "1793491200",
    "2026-11-01T24:00:00Z", "2026-11-01T23:59:60Z", "2026-11-01T00:00:00+23:59", "2026-11-01T00:00:00+24:00",
    "https://a.example", "https://a.example:443/x", "http://a.example", "https://a.example/ä", "https://a b",
    "https://p.example/{id}", "https://p.example/{id}{", "@Microsoft.KeyVault(x)", certifi.where(), "/", "nowhere/x",
    "AccountName=a;AccountKey=b;TableEndpoint=c", "UseDevelopmentStorage=true", "0 0 0 31 2 *", "* * * * *",
    "0 59-1 * * * *", "a,b c", ",", " ", "\t", "é", "a\n", "x" * 70,
)  # fmt: skip
NO_SURROGATES = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.one_of(
    st.sampled_from(SAMPLES),
    st.tuples(st.sampled_from(SAMPLES), st.sampled_from(["", "\n", " ", "0", "/", ".", "-", "٣"])).map("".join),
    st.from_regex(r"[0-9]{0,4}\.?[0-9]{0,4}", fullmatch=True),
    st.text(NO_SURROGATES, max_size=30),
)


def models_accept() -> bool:
    """Whether the models accept the settings of the environment."""
    try:
        Settings.load()
        trigger_settings()
    except ConfigurationError:
        return False
    return True


def variables_of(*groups: type[SettingsGroup]) -> set[str]:
    return {group.variable_name(name) for group in groups for name in group.model_fields}


def test_every_variable_has_a_check_and_every_required_one_is_required() -> None:
    assert CHECKS.keys() == variables_of(*EVERY_GROUP)
    assert EVENT_CHECKS.keys() == variables_of(EventSettings)
    assert set(EventSettings.model_fields) == set(EventValues.__struct_fields__)
    required = {
        group.variable_name(name)
        for group in EVERY_GROUP
        for name, field in group.model_fields.items()
        if field.is_required()
    }
    assert required == REQUIRED


def test_usual_settings_are_surely_right() -> None:
    assert settings_are_right(SURE)
    assert settings_are_right({**SURE, "UNKNOWN": "é", "SYNC": "", "HOLD_WIN": "False"})


@given(st.dictionaries(st.sampled_from(sorted(CHECKS)), TEXTS, max_size=4))
@example({"LEASE_SECONDS": "120"})
@example({"LEASE_SECONDS": "120.001"})
@example({"DEADLINE_SECONDS": "150"})
@example({"STORE_FILE": "", "STORE_TABLES_URL": "https://a.example"})
@example({"STORE_TABLES_URL": "https://a.example"})
@example({"STORE_FILE": ""})
@example({"AZURE_CLIENT_ID": ""})
def test_what_is_surely_right_is_accepted_by_the_models(changes: dict[str, str]) -> None:
    environ = {**SURE, **changes}
    with patch.dict(os.environ, environ, clear=True):
        assert models_accept() or not settings_are_right()


@pytest.mark.parametrize("variable", sorted(CHECKS))
def test_each_sample_of_each_variable_is_refused_where_the_models_refuse_it(variable: str) -> None:
    for sample in (*SAMPLES, *(f"{sample}\n" for sample in SAMPLES)):
        environ = {**SURE, variable: sample}
        if variable in ("STORE_TABLES_URL", "STORE_CONNECTION_STRING"):
            environ.pop("STORE_FILE")
        if settings_are_right(environ):  # the models are slow, so only these are given to them
            with patch.dict(os.environ, environ, clear=True):
                assert models_accept(), sample


@given(st.dictionaries(st.sampled_from(sorted(EVENT_CHECKS)), TEXTS, max_size=4))
@example({})
@example({"EVENT_CERTIFICATE_ORIGINS": "https://a.example, https://b.example", "EVENT_MAX_BYTES": "07"})
@example({"EVENT_ROOTS": certifi.where(), "CA_BUNDLE": "nowhere"})
def test_the_settings_of_webhook_admission_are_those_of_the_model(changes: dict[str, str]) -> None:
    with patch.dict(os.environ, changes, clear=True):
        quick = event_values()
        if quick is not None:
            slow = event_settings()
            assert {name: getattr(quick, name) for name in quick.__struct_fields__} == slow.model_dump()
