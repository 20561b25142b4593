"""A public registration: by device code, without a credential."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from local.systems import Systems
from shared.cli.exit_codes import Exit
from shared.foundation.errors import ConfigurationError, SignInFailed
from tests.unit.cli.connect_partner_center.connect_bench import (
    PLACEHOLDER,
    Person,
    connect,
    forms,
    public,
    stored,
)


def test_a_device_code_is_for_a_public_registration_alone(systems: Systems) -> None:
    with pytest.raises(ConfigurationError, match="PARTNER_CENTER_PUBLIC_CLIENT=true"):
        connect(device_code=True)

    assert forms(systems) == []


def test_a_device_code_signs_in_without_a_credential(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public(systems, monkeypatch)

    assert connect(device_code=True) is Exit.OK

    assert "https://microsoft.com/devicelogin and enter the code" in capsys.readouterr().out
    assert stored(systems) in systems.partner.entra._grants


def test_a_public_registration_signs_in_by_browser_as_well(
    systems: Systems, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)

    assert connect(person) is Exit.OK


# Nobody waits here, and MSAL says so.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_the_code_is_asked_about_at_its_interval_until_the_person_is_done(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            systems.partner.entra.settings.person = "consents"

    assert connect(device_code=True, pause=pause) is Exit.OK
    assert pauses == [5, 5, 5]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda entra: setattr(entra.settings, "person", "refuses"), "AADSTS65004"),
        (lambda entra: entra.clock.advance(1000), "AADSTS70019"),
        (lambda entra: entra.fail_next(53003, at="token"), "AADSTS53003"),
    ],
)
def test_a_device_code_that_comes_to_nothing_is_an_error(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[object], None], code: str
) -> None:
    public(systems, monkeypatch)

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True, pause=lambda _: prepare(systems.partner.entra))

    systems.partner.entra.clock.set(datetime.now(UTC))
    assert (refused.value.code, stored(systems)) == (code, PLACEHOLDER)


# Nobody waits here, and MSAL says so.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_nobody_who_types_the_code_is_an_error(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"

    with pytest.raises(SignInFailed, match="nobody typed the code"):
        connect(device_code=True, seconds=0.01)


@pytest.mark.usefixtures("systems")
def test_a_registration_that_is_confidential_after_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_PUBLIC_CLIENT", "true")

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True)

    assert refused.value.code == "AADSTS7000218"
    assert "confidential" in refused.value.remedy
