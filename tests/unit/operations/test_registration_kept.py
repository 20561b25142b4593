"""The app's daily look at the registration for events: where it is done, and under which address."""

import json
import logging
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App

ADDRESS = "https://func-cosell.azurewebsites.net/api/events"


@pytest.fixture
def systems(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Systems:
    for name in ("WEBSITE_HOSTNAME", "EVENTS_URL", "EVENTS_REGISTER"):
        monkeypatch.delenv(name, raising=False)
    return systems


def looked(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What a look at the registration logs."""
    caplog.clear()
    app = App()
    try:
        with caplog.at_level(logging.INFO, logger="cosell"):
            app.keep_registration()
    finally:
        app.close()
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "cosell"]


def slot(systems: Systems) -> str | None:
    found = systems.partner_center.dispatcher.registration
    return None if found is None else found.url


def test_production_registers_where_the_platform_says_it_is(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WEBSITE_HOSTNAME", "func-cosell.azurewebsites.net")
    assert looked(caplog) == [{"event": "registration_kept", "outcome": "registered"}]
    assert slot(systems) == ADDRESS
    assert looked(caplog) == [{"event": "registration_kept", "outcome": "fine"}]


def test_staging_looks_at_nothing_and_asks_nobody(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    assert looked(caplog) == [{"event": "run_skipped", "run": "registration", "reason": "not_production"}]
    assert (slot(systems), systems.partner_center.journal) == (None, [])


def test_staging_with_a_tenant_of_its_own_registers(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    looked(caplog)
    assert slot(systems) == ADDRESS


@pytest.mark.usefixtures("systems")
def test_without_an_address_nothing_is_registered(caplog: pytest.LogCaptureFixture) -> None:
    assert looked(caplog) == [{"event": "run_skipped", "run": "registration", "reason": "no_address"}]


def test_production_that_may_not_register_comes_back_only_to_what_was_its_own(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EVENTS_REGISTER", "false")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    assert looked(caplog) == [{"event": "registration_missing"}]
    assert slot(systems) is None

    systems.partner_center.register_events(ADDRESS)
    assert looked(caplog) == [{"event": "registration_kept", "outcome": "repaired"}]
    systems.partner_center.dispatcher.registration = None
    assert looked(caplog) == [{"event": "registration_kept", "outcome": "registered"}]
