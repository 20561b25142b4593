"""`cosell webhook` from the command line to the emulated tenant, and back to our own event door."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emulators.base.emulator import Fault, FaultKind
from emulators.base.server import Request, Response, Server
from emulators.partner_center.control_api import trouble
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.events import NAMES, TEST_EVENT, EventFault, EventFaultKind
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.clients.partner_center import webhook_registration
from shared.clients.partner_center.webhook_bodies import EVENTS
from shared.webhook import admission

ELSEWHERE = "https://cipp.example/api/PublicWebhooks?code=hunter2"


def take(request: Request) -> Response:
    """The app's own door, without the host before it."""
    return Response(admission.admit(list(request.headers.items()), request.body).status)


@pytest.fixture
def home(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of the app, and the environment `local` that tells it."""
    monkeypatch.setattr(systems.partner_center.dispatcher, "spacing", 0.001)
    monkeypatch.setattr(webhook_registration, "PAUSE", 0.005)
    monkeypatch.chdir(tmp_path)
    admission.door.cache_clear()
    with Server(take, tls=systems.authority.server()) as server:
        write_environment(Environment("local", systems.environ, {"function_app_url": server.url}))
        yield server.url
        assert systems.partner_center.dispatcher.wait_idle(10)
    admission.door.cache_clear()


@pytest.fixture
def pc(systems: Systems) -> PartnerCenterEmulator:
    return systems.partner_center


def cosell(*words: str) -> Result:
    return CliRunner().invoke(app, ["webhook", words[0], "--env", "local", *words[1:]])


def document(*words: str) -> tuple[int, dict[str, Any]]:
    result = cosell(*words, "--json")
    return result.exit_code, json.loads(result.stdout)


def slot(pc: PartnerCenterEmulator) -> tuple[str, set[str]] | None:
    found = pc.dispatcher.registration
    return None if found is None else (found.url, set(found.events))


# --- show


def test_an_empty_slot_is_shown_with_the_way_to_fill_it(home: str) -> None:
    result = cosell("show")
    assert (result.exit_code, "no registration" in result.stdout) == (1, True)
    assert "cosell webhook register." in result.stdout
    code, told = document("show")
    assert (code, told["registration"], told["ok"]) == (1, "none", False)
    assert (told["address"], told["missing"]) == (f"{home}/api/events", list(EVENTS))


def test_our_own_registration_is_shown_as_ours(home: str, pc: PartnerCenterEmulator) -> None:
    pc.register_events(f"{home}/api/events", [*NAMES, TEST_EVENT, "invoice-ready"])
    code, told = document("show")
    assert (code, told["registration"], told["missing"]) == (0, "ours", [])
    assert "invoice-ready" in told["events"]


def test_what_is_missing_from_ours_is_named(home: str, pc: PartnerCenterEmulator) -> None:
    pc.register_events(f"{home}/api/events", NAMES, x_ms_signature=False)
    result = cosell("show")
    assert result.exit_code == 1
    assert "Missing: test-created." in result.stdout
    assert "Authorization" in result.stdout


@pytest.mark.usefixtures("home")
def test_a_foreign_registration_is_named_without_its_secret(pc: PartnerCenterEmulator) -> None:
    pc.register_events(ELSEWHERE, ["invoice-ready"])
    for words in (("show",), ("show", "--json"), ("register",), ("test",)):
        result = cosell(*words)
        assert "cipp.example" in result.output
        assert "hunter2" not in result.output
    assert slot(pc) == (ELSEWHERE, {"invoice-ready"})


# --- register


def test_registering_fills_the_empty_slot(home: str, pc: PartnerCenterEmulator) -> None:
    code, told = document("register")
    assert (code, told["ok"], told["before"], told["taken_from"]) == (0, True, "none", None)
    assert slot(pc) == (f"{home}/api/events", set(EVENTS))
    assert cosell("show").exit_code == 0


def test_registering_again_changes_nothing_that_is_there(home: str, pc: PartnerCenterEmulator) -> None:
    pc.register_events(f"{home}/api/events", ["invoice-ready"])
    assert document("register")[1]["before"] == "ours"
    assert document("register")[0] == 0
    assert slot(pc) == (f"{home}/api/events", {*EVENTS, "invoice-ready"})


def test_a_foreign_registration_is_taken_only_by_overwrite(home: str, pc: PartnerCenterEmulator) -> None:
    pc.register_events(ELSEWHERE, ["invoice-ready"])

    code, told = document("register")
    assert (code, told["ok"], "--overwrite" in told["remedy"]) == (3, False, True)
    assert slot(pc) == (ELSEWHERE, {"invoice-ready"})

    code, told = document("register", "--overwrite")
    assert (code, told["before"], told["taken_from"]) == (0, "foreign", "cipp.example")
    assert slot(pc) == (f"{home}/api/events", set(EVENTS))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("words", [("register",), ("register", "--overwrite"), ("test",)])
def test_staging_leaves_the_slot_to_production(
    pc: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    pc.register_events(ELSEWHERE, [TEST_EVENT])

    result = cosell(*words)

    assert result.exit_code == 3
    assert "staging lives by its sweep" in result.stdout
    assert "EVENTS_REGISTER=true" in result.stdout
    assert slot(pc) == (ELSEWHERE, {TEST_EVENT})
    shown = cosell("show")
    assert (shown.exit_code, "lives by its sweep" in shown.stdout) == (0, True)


def test_a_staging_with_a_tenant_of_its_own_registers(
    home: str, pc: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    assert cosell("register").exit_code == 0
    assert slot(pc) == (f"{home}/api/events", set(EVENTS))


def test_the_setting_goes_before_the_address_of_the_deployment(
    home: str, pc: PartnerCenterEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://gateway.example/cosell/events")
    assert cosell("register").exit_code == 0
    assert slot(pc) == ("https://gateway.example/cosell/events", set(EVENTS))
    assert home not in cosell("show").stdout


@pytest.mark.usefixtures("home")
def test_without_an_address_nothing_is_registered(systems: Systems, pc: PartnerCenterEmulator) -> None:
    write_environment(Environment("local", systems.environ))
    result = cosell("register")
    assert (result.exit_code, "EVENTS_URL" in result.stdout) == (2, True)
    assert slot(pc) is None


# --- test


def test_the_test_event_is_followed_to_our_door(home: str, caplog: pytest.LogCaptureFixture) -> None:
    cosell("register")
    with caplog.at_level(logging.INFO, logger="cosell"):
        code, told = document("test")

    assert (code, told["ok"], told["status"]) == (0, True, "completed")
    assert [attempt["code"] for attempt in told["attempts"]] == ["Accepted"]
    lines = [
        (record.levelname, json.loads(record.getMessage())) for record in caplog.records if record.name == "cosell"
    ]
    assert lines == [("INFO", {"event": "event_tested", "correlation_id": told["correlation_id"]})]
    assert home


@pytest.mark.usefixtures("home")
def test_each_attempt_is_said_once_and_the_last_one_counts(pc: PartnerCenterEmulator) -> None:
    cosell("register")
    admission.door.cache_clear()
    pc.faults.clear()
    pc.dispatcher.faults.append(EventFault(EventFaultKind.WRONG_SIGNATURE, TEST_EVENT))

    result = cosell("test")

    assert result.exit_code == 1
    assert result.stdout.count("Unauthorized") == 10
    assert "event_refused" in result.stdout


@pytest.mark.usefixtures("home")
def test_an_event_that_got_lost_leaves_no_result_in_time(pc: PartnerCenterEmulator) -> None:
    cosell("register")
    pc.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, TEST_EVENT))
    code, told = document("test", "--wait", "0.05")
    assert (code, told["ok"], told["attempts"]) == (5, False, [])


def test_a_test_needs_a_registration_that_holds_its_event(home: str, pc: PartnerCenterEmulator) -> None:
    result = cosell("test")
    assert (result.exit_code, "cosell webhook register" in result.stdout) == (3, True)
    pc.register_events(f"{home}/api/events", NAMES)
    result = cosell("test")
    assert (result.exit_code, "test-created" in result.stdout) == (3, True)


@pytest.mark.usefixtures("home")
def test_a_third_test_within_a_minute_is_to_be_tried_later() -> None:
    cosell("register")
    assert [cosell("test").exit_code for _ in range(2)] == [0, 0]
    third = cosell("test")
    assert third.exit_code == 5
    assert re.search(r"two test events a minute at most; ask for the next one in \d+ seconds", third.stdout)


# --- trouble


@pytest.mark.usefixtures("home")
def test_each_trouble_is_one_sentence_with_its_exit_code(systems: Systems) -> None:
    pc, entra = systems.partner_center, systems.partner.entra
    pc.faults.append(trouble("throttled", method="GET", times=3, retry_after=600))
    assert cosell("show").exit_code == 5
    pc.faults[:] = [Fault(FaultKind.ANSWER, "webhooks", status=403, body='{"code": "403", "description": "no"}')]
    result = cosell("show")
    assert (result.exit_code, "Referrals admin" in result.stdout) == (4, True)
    entra.settings.change({"consented": ["https://api.partner.microsoft.com"]})
    result = cosell("show")
    assert (result.exit_code, "AADSTS65001" in result.stdout) == (4, True)
    entra.settings.change({"mfa": False, "consented": ["https://api.partnercenter.microsoft.com"]})
    result = cosell("show")
    assert (result.exit_code, "multi-factor" in result.stdout) == (4, True)
    assert "Traceback" not in result.output
