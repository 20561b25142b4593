"""A public registration: it signs in with a device code and has no credential."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from local.systems import Systems
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError, SignInFailed
from tests.unit.cli.connect_partner_center.sign_in_steps import (
    PLACEHOLDER,
    Person,
    connect,
    journal_tags,
    make_registration_public,
    stored_secret,
)


def test_only_a_public_registration_can_use_a_device_code(systems: Systems) -> None:
    with pytest.raises(ConfigurationError, match="PARTNER_CENTER_PUBLIC_CLIENT=true"):
        connect(device_code=True)

    assert journal_tags(systems) == []


def test_a_device_code_signs_in_without_a_credential(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_registration_public(systems, monkeypatch)

    assert connect(device_code=True) is Exit.OK

    assert "https://microsoft.com/devicelogin and enter the code" in capsys.readouterr().out
    assert stored_secret(systems) in systems.partner.entra._grants


def test_a_public_registration_can_sign_in_by_browser_too(
    systems: Systems, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_registration_public(systems, monkeypatch)

    assert connect(person) is Exit.OK


# The test does not wait between polls, and MSAL warns about that.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_the_command_polls_at_the_given_interval_until_the_person_has_signed_in(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_registration_public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"
    pauses: list[float] = []

    def consent_at_third_pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            systems.partner.entra.settings.person = "consents"

    assert connect(device_code=True, pause=consent_at_third_pause) is Exit.OK
    assert pauses == [5, 5, 5]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda entra: setattr(entra.settings, "person", "refuses"), "AADSTS65004"),
        (lambda entra: entra.clock.advance(1000), "AADSTS70019"),
        (lambda entra: entra.fail_next(53003, at="token"), "AADSTS53003"),
    ],
)
def test_a_device_code_that_is_refused_or_expires_is_an_error(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[object], None], code: str
) -> None:
    make_registration_public(systems, monkeypatch)

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True, pause=lambda _: prepare(systems.partner.entra))

    systems.partner.entra.clock.set(datetime.now(UTC))
    assert (refused.value.code, stored_secret(systems)) == (code, PLACEHOLDER)


# The test does not wait between polls, and MSAL warns about that.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_a_code_that_nobody_enters_is_an_error(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    make_registration_public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"

    with pytest.raises(SignInFailed, match="the code was not entered"):
        connect(device_code=True, seconds=0.01)


@pytest.mark.usefixtures("systems")
def test_a_confidential_registration_configured_as_public_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_PUBLIC_CLIENT", "true")

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True)

    assert refused.value.code == "AADSTS7000218"
    assert "confidential" in refused.value.remedy
