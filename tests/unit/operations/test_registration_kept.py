"""The daily check of the registration for events: in which environment it runs, and with which address."""

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


def events_of_daily_check(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Run the daily check and return the events that it logs."""
    caplog.clear()
    app = App()
    try:
        with caplog.at_level(logging.INFO, logger="cosell"):
            app.keep_registration()
    finally:
        app.close()
    events = [json.loads(record.getMessage()) for record in caplog.records if record.name == "cosell"]
    return [event for event in events if not event["event"].startswith("remote_")]


def registered_address(systems: Systems) -> str | None:
    registration = systems.partner_center.dispatcher.registration
    return None if registration is None else registration.url


def test_production_registers_the_address_of_the_platform(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WEBSITE_HOSTNAME", "func-cosell.azurewebsites.net")
    assert events_of_daily_check(caplog) == [{"event": "registration_kept", "outcome": "registered"}]
    assert registered_address(systems) == ADDRESS
    assert events_of_daily_check(caplog) == [{"event": "registration_kept", "outcome": "fine"}]


def test_staging_skips_the_check_without_any_request(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    assert events_of_daily_check(caplog) == [
        {"event": "run_skipped", "run": "registration", "reason": "not_production"}
    ]
    assert (registered_address(systems), systems.partner_center.journal) == (None, [])


def test_staging_with_its_own_tenant_registers(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    events_of_daily_check(caplog)
    assert registered_address(systems) == ADDRESS


@pytest.mark.usefixtures("systems")
def test_without_an_address_nothing_is_registered(caplog: pytest.LogCaptureFixture) -> None:
    assert events_of_daily_check(caplog) == [{"event": "run_skipped", "run": "registration", "reason": "no_address"}]


def test_production_that_may_not_register_repairs_only_its_former_registration(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EVENTS_REGISTER", "false")
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    assert events_of_daily_check(caplog) == [{"event": "registration_missing"}]
    assert registered_address(systems) is None

    systems.partner_center.register_events(ADDRESS)
    assert events_of_daily_check(caplog) == [{"event": "registration_kept", "outcome": "repaired"}]
    systems.partner_center.dispatcher.registration = None
    assert events_of_daily_check(caplog) == [{"event": "registration_kept", "outcome": "registered"}]
