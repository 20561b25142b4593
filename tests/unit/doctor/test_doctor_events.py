"""The registration for events: nobody's, another tool's, incomplete, ours."""

import pytest

from local.systems import Systems
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from tests.unit.doctor.conftest import Clinic

DOOR = "https://func-cosell.example/api/events"
CHECK = "webhook registration"


@pytest.fixture
def door(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 - the environment comes first
    monkeypatch.setenv("EVENTS_URL", DOOR)
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    return DOOR


def registered(url: str) -> None:
    patient = Installation()
    patient.app.webhooks.register(url, overwrite=True)
    patient.close()


@pytest.mark.usefixtures("door")
def test_no_registration_is_told(clinic: Clinic) -> None:
    assert "cosell webhook register" in clinic.failure(CHECK).remedy


def test_our_own_registration_is_all_right(clinic: Clinic, door: str) -> None:
    registered(door)
    assert clinic.examined(CHECK)[CHECK].result is Result.OK


@pytest.mark.usefixtures("door")
def test_a_foreign_registration_is_named_by_its_host_alone(clinic: Clinic) -> None:
    registered("https://other-tool.example/hook?key=hidden")
    verdict = clinic.failure(CHECK)
    assert "other-tool.example" in verdict.found
    assert "hidden" not in verdict.found + verdict.remedy


def test_a_registration_that_lacks_events_is_told(clinic: Clinic, door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(door)
    monkeypatch.setattr("shared.clients.partner_center.webhook_bodies.Registration.is_complete", False)
    assert "lacks" in clinic.failure(CHECK).found


@pytest.mark.usefixtures("systems")
def test_the_address_of_the_deployment_stands_in_for_the_setting() -> None:
    patient = Installation(door="https://func.example/")
    assert patient.events_address == "https://func.example/api/events"


def test_an_environment_that_lives_by_its_sweep_has_none(
    clinic: Clinic, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.delenv("EVENTS_REGISTER")
    assert clinic.examined(CHECK)[CHECK].result is Result.SKIPPED
    assert not [entry for entry in systems.partner_center.journal if "webhooks" in entry.path]
