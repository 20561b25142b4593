"""The doctor's check of the registration for events: missing, foreign, incomplete, ours."""

import pytest

from local.systems import Systems
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from tests.unit.doctor.conftest import Doctor

ADDRESS = "https://func-cosell.example/api/events"
CHECK = "webhook registration"


@pytest.fixture
def our_address(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 - it sets the environment first
    monkeypatch.setenv("EVENTS_URL", ADDRESS)
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    return ADDRESS


def register(url: str) -> None:
    installation = Installation()
    installation.app.webhooks.register(url, overwrite=True)
    installation.close()


@pytest.mark.usefixtures("our_address")
def test_a_missing_registration_fails(doctor: Doctor) -> None:
    assert "cosell webhook register" in doctor.failed_verdict(CHECK).remedy


def test_our_own_registration_passes(doctor: Doctor, our_address: str) -> None:
    register(our_address)
    assert doctor.run(CHECK)[CHECK].result is Result.OK


@pytest.mark.usefixtures("our_address")
def test_a_foreign_registration_is_shown_by_its_host_only(doctor: Doctor) -> None:
    register("https://other-tool.example/hook?key=hidden")
    verdict = doctor.failed_verdict(CHECK)
    assert "other-tool.example" in verdict.found
    assert "hidden" not in verdict.found + verdict.remedy


@pytest.mark.usefixtures("our_address")
def test_an_account_without_a_role_for_events_fails(doctor: Doctor, systems: Systems) -> None:
    systems.partner.entra.settings.roles = ("ReferralsAdmin",)
    try:
        verdict = doctor.failed_verdict(CHECK)
    finally:
        systems.partner.entra.settings.roles = None
    for role in ("Billing admin", "Admin agent", "Sales agent", "Helpdesk agent"):
        assert role in verdict.remedy


def test_a_registration_that_lacks_events_fails(
    doctor: Doctor, our_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(our_address)
    monkeypatch.setattr("shared.clients.partner_center.webhook_bodies.Registration.is_complete", False)
    assert "lacks" in doctor.failed_verdict(CHECK).found


@pytest.mark.usefixtures("systems")
def test_the_address_of_the_deployment_is_used_if_the_setting_is_missing() -> None:
    installation = Installation(app_url="https://func.example/")
    assert installation.events_address == "https://func.example/api/events"


def test_an_environment_that_does_not_register_skips_the_check(
    doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    monkeypatch.delenv("EVENTS_REGISTER")
    assert doctor.run(CHECK)[CHECK].result is Result.SKIPPED
    assert not [entry for entry in systems.partner_center.journal if "webhooks" in entry.path]
