"""`cosell webhook`, run from the command line against the emulated tenant, with events sent to our own webhook."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response, Server
from emulators.partner_center.control_api import make_service_fault
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from emulators.partner_center.events import NAMES, TEST_EVENT
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.clients.partner_center import webhook_registration
from shared.clients.partner_center.webhook_bodies import EVENTS
from shared.webhook import admission

OTHER_ADDRESS = "https://cipp.example/api/PublicWebhooks?code=hunter2"


def admit_request(request: Request) -> Response:
    """Admit an event as the app does, without the Functions host."""
    return Response(admission.admit(list(request.headers.items()), request.body).status)


@pytest.fixture
def app_url(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of the app, which the environment `local` has too."""
    monkeypatch.setattr(systems.partner_center.dispatcher, "spacing", 0.001)
    monkeypatch.setattr(webhook_registration, "PAUSE_SECONDS", 0.005)
    monkeypatch.chdir(tmp_path)
    admission.event_admission.cache_clear()
    with Server(admit_request, tls=systems.authority.server_context()) as server:
        write_environment(Environment("local", systems.environ, {"function_app_url": server.url}))
        yield server.url
        assert systems.partner_center.dispatcher.wait_idle(60)
    admission.event_admission.cache_clear()


@pytest.fixture
def partner_center(systems: Systems) -> PartnerCenterEmulator:
    return systems.partner_center


def run_cosell(*words: str) -> Result:
    return CliRunner().invoke(app, ["webhook", words[0], "--env", "local", *words[1:]])


def run_for_document(*words: str) -> tuple[int, dict[str, Any]]:
    result = run_cosell(*words, "--json")
    return result.exit_code, json.loads(result.stdout)


def registration_of(partner_center: PartnerCenterEmulator) -> tuple[str, set[str]] | None:
    registration = partner_center.dispatcher.registration
    return None if registration is None else (registration.url, set(registration.events))


# --- show


def test_a_missing_registration_is_shown_with_the_command_that_registers(app_url: str) -> None:
    result = run_cosell("show")
    assert (result.exit_code, "no registration" in result.stdout) == (1, True)
    assert "run `cosell webhook register --env local`." in result.stdout
    code, document = run_for_document("show")
    assert (code, document["registration"], document["ok"]) == (1, "none", False)
    assert (document["address"], document["missing"]) == (f"{app_url}/api/events", list(EVENTS))


def test_our_own_registration_is_shown_as_ours(app_url: str, partner_center: PartnerCenterEmulator) -> None:
    partner_center.register_events(f"{app_url}/api/events", [*NAMES, TEST_EVENT, "invoice-ready"])
    code, document = run_for_document("show")
    assert (code, document["registration"], document["missing"]) == (0, "ours", [])
    assert "invoice-ready" in document["events"]


def test_the_events_that_our_registration_lacks_are_named(app_url: str, partner_center: PartnerCenterEmulator) -> None:
    partner_center.register_events(f"{app_url}/api/events", NAMES, x_ms_signature=False)
    result = run_cosell("show")
    assert result.exit_code == 1
    assert "Missing: test-created." in result.stdout
    assert "Authorization" in result.stdout


@pytest.mark.usefixtures("app_url")
def test_a_foreign_registration_is_shown_without_its_secret(partner_center: PartnerCenterEmulator) -> None:
    partner_center.register_events(OTHER_ADDRESS, ["invoice-ready"])
    for words in (("show",), ("show", "--json"), ("register",), ("test",)):
        result = run_cosell(*words)
        assert "cipp.example" in result.output
        assert "hunter2" not in result.output
    assert registration_of(partner_center) == (OTHER_ADDRESS, {"invoice-ready"})


# --- register


def test_registering_without_a_former_registration_works(app_url: str, partner_center: PartnerCenterEmulator) -> None:
    code, document = run_for_document("register")
    assert (code, document["ok"], document["before"], document["taken_from"]) == (0, True, "none", None)
    assert registration_of(partner_center) == (f"{app_url}/api/events", set(EVENTS))
    assert run_cosell("show").exit_code == 0


def test_registering_again_keeps_the_events_that_are_registered(
    app_url: str, partner_center: PartnerCenterEmulator
) -> None:
    partner_center.register_events(f"{app_url}/api/events", ["invoice-ready"])
    assert run_for_document("register")[1]["before"] == "ours"
    assert run_for_document("register")[0] == 0
    assert registration_of(partner_center) == (f"{app_url}/api/events", {*EVENTS, "invoice-ready"})


def test_a_foreign_registration_is_replaced_only_with_overwrite(
    app_url: str, partner_center: PartnerCenterEmulator
) -> None:
    partner_center.register_events(OTHER_ADDRESS, ["invoice-ready"])

    code, document = run_for_document("register")
    assert (code, document["ok"], "--overwrite" in document["remedy"]) == (3, False, True)
    assert registration_of(partner_center) == (OTHER_ADDRESS, {"invoice-ready"})

    code, document = run_for_document("register", "--overwrite")
    assert (code, document["before"], document["taken_from"]) == (0, "foreign", "cipp.example")
    assert registration_of(partner_center) == (f"{app_url}/api/events", set(EVENTS))


@pytest.mark.usefixtures("app_url")
@pytest.mark.parametrize("words", [("register",), ("register", "--overwrite"), ("test",)])
def test_staging_leaves_the_registration_to_production(
    partner_center: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    partner_center.register_events(OTHER_ADDRESS, [TEST_EVENT])

    result = run_cosell(*words)

    assert result.exit_code == 3
    assert "the sweep of staging finds the changes" in result.stdout
    assert "EVENTS_REGISTER=true" in result.stdout
    assert registration_of(partner_center) == (OTHER_ADDRESS, {TEST_EVENT})
    shown = run_cosell("show")
    assert (shown.exit_code, "the sweep of staging finds the changes" in shown.stdout) == (0, True)


def test_a_staging_environment_with_its_own_tenant_registers(
    app_url: str, partner_center: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    assert run_cosell("register").exit_code == 0
    assert registration_of(partner_center) == (f"{app_url}/api/events", set(EVENTS))


def test_the_setting_overrides_the_address_of_the_deployment(
    app_url: str, partner_center: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://gateway.example/cosell/events")
    assert run_cosell("register").exit_code == 0
    assert registration_of(partner_center) == ("https://gateway.example/cosell/events", set(EVENTS))
    assert app_url not in run_cosell("show").stdout


@pytest.mark.usefixtures("app_url")
def test_without_an_address_nothing_is_registered(systems: Systems, partner_center: PartnerCenterEmulator) -> None:
    write_environment(Environment("local", systems.environ))
    result = run_cosell("register")
    assert (result.exit_code, "EVENTS_URL" in result.stdout) == (2, True)
    assert registration_of(partner_center) is None


# --- test


def test_the_test_event_is_followed_until_it_arrives(app_url: str, caplog: pytest.LogCaptureFixture) -> None:
    run_cosell("register")
    with caplog.at_level(logging.INFO, logger="cosell"):
        code, document = run_for_document("test")

    assert (code, document["ok"], document["status"]) == (0, True, "completed")
    assert [attempt["code"] for attempt in document["attempts"]] == ["Accepted"]
    lines = [
        (record.levelname, json.loads(record.getMessage())) for record in caplog.records if record.name == "cosell"
    ]
    lines = [line for line in lines if not line[1]["event"].startswith("remote_")]
    assert lines == [("INFO", {"event": "event_tested", "correlation_id": document["correlation_id"]})]
    assert app_url


@pytest.mark.usefixtures("app_url")
def test_each_attempt_is_printed_once_and_the_last_one_decides(partner_center: PartnerCenterEmulator) -> None:
    run_cosell("register")
    admission.event_admission.cache_clear()
    partner_center.faults.clear()
    partner_center.dispatcher.faults.append(EventFault(EventFaultKind.WRONG_SIGNATURE, TEST_EVENT))

    result = run_cosell("test")

    assert result.exit_code == 1
    assert result.stdout.count("Unauthorized") == 10
    assert "event_refused" in result.stdout


@pytest.mark.usefixtures("app_url")
def test_a_lost_event_gives_no_result_in_time(partner_center: PartnerCenterEmulator) -> None:
    run_cosell("register")
    partner_center.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, TEST_EVENT, times=2))
    code, document = run_for_document("test", "--wait", "0.05")
    assert (code, document["ok"], document["attempts"]) == (5, False, [])
    again = run_cosell("test", "--wait", "0.05").stdout
    assert "run `cosell webhook test --env local` again" in again


def test_a_test_needs_a_registration_with_the_test_event(app_url: str, partner_center: PartnerCenterEmulator) -> None:
    result = run_cosell("test")
    assert (result.exit_code, "cosell webhook register" in result.stdout) == (3, True)
    partner_center.register_events(f"{app_url}/api/events", NAMES)
    result = run_cosell("test")
    assert (result.exit_code, "test-created" in result.stdout) == (3, True)


@pytest.mark.usefixtures("app_url")
def test_a_third_test_within_a_minute_must_be_tried_later() -> None:
    run_cosell("register")
    assert [run_cosell("test").exit_code for _ in range(2)] == [0, 0]
    third = run_cosell("test")
    assert third.exit_code == 5
    assert re.search(r"at most two test events a minute\. Request the next one in \d+ seconds", third.stdout)


# --- errors


@pytest.mark.usefixtures("app_url")
def test_each_error_is_one_sentence_with_its_exit_code(systems: Systems) -> None:
    partner_center, entra = systems.partner_center, systems.partner.entra
    partner_center.faults.append(make_service_fault("throttled", method="GET", times=3, retry_after=600))
    assert run_cosell("show").exit_code == 5
    partner_center.faults[:] = [
        Fault(FaultKind.ANSWER, "webhooks", status=403, body='{"code": "403", "description": "no"}')
    ]
    result = run_cosell("show")
    assert (result.exit_code, "Referrals admin" in result.stdout) == (4, True)
    entra.settings.apply_changes({"consented": ["https://api.partner.microsoft.com"]})
    result = run_cosell("show")
    assert (result.exit_code, "AADSTS65001" in result.stdout) == (4, True)
    entra.settings.apply_changes({"mfa": False, "consented": ["https://api.partnercenter.microsoft.com"]})
    result = run_cosell("show")
    assert (result.exit_code, "multi-factor" in result.stdout) == (4, True)
    assert "Traceback" not in result.output
