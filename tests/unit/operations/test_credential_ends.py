"""The daily run reports credentials that end soon, or have ended."""

from datetime import UTC, datetime, timedelta

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.self_signed_certificate import create_certificate
from shared.operations.credentials import renew_credentials
from tests.unit.operations.conftest import LoggedEvents


def in_days(days: int) -> datetime:
    """Return the time after that many days and one hour, so that the whole days left are exactly `days`."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days, hours=1)


def test_the_end_date_in_the_vault_is_reported(systems: Systems, app: App, logged: LoggedEvents) -> None:
    app.vault.set("partner-center-client-secret", systems.partner.entra.client_secret, expires=in_days(30))
    app.vault.set("salesforce-private-key", app.vault.get("salesforce-private-key"), expires=in_days(-2))

    renew_credentials(app)

    assert logged("credential_ending") == [
        {"name": "partner-center-client-secret", "days_left": 30},
        {"name": "salesforce-private-key", "days_left": -2},
    ]
    assert logged("credentials_kept")[0]["secret_days_left"] == 30


@pytest.mark.parametrize(("days", "in_vault", "left"), [(200, None, 200), (10, None, 10), (200, 20, 20), (10, 20, 10)])
def test_the_earlier_end_of_certificate_and_vault_counts(
    systems: Systems, app: App, logged: LoggedEvents, days: int, in_vault: int | None, left: int
) -> None:
    certificate = create_certificate("cosell-test", days, now=in_days(0))
    systems.partner.entra.register_app(systems.partner.entra.client_id, certificate_pem=certificate.public_pem)
    app.vault.set("partner-center-certificate", certificate.pem, expires=in_days(in_vault) if in_vault else None)

    assert renew_credentials(app)

    assert logged("credentials_kept")[0]["certificate_days_left"] == left
    assert [ending["name"] for ending in logged("credential_ending")] == ["partner-center-certificate"] * (left <= 30)


ONE_LINE = {"breaks": "\n", "blanks": " ", "escapes": "\\n"}


@pytest.mark.parametrize("form", ONE_LINE)
def test_a_certificate_on_one_line_is_used_and_its_end_is_reported(
    systems: Systems, app: App, logged: LoggedEvents, form: str
) -> None:
    certificate = create_certificate("cosell-test", 10, now=in_days(0))
    systems.partner.entra.register_app(systems.partner.entra.client_id, certificate_pem=certificate.public_pem)
    app.vault.set("partner-center-certificate", certificate.pem.replace("\n", ONE_LINE[form]))

    assert renew_credentials(app)

    assert logged("credential_ending") == [{"name": "partner-center-certificate", "days_left": 10}]


@pytest.mark.parametrize("in_vault", [None, 365])
def test_during_a_rotation_the_certificate_in_use_is_reported(
    app: App, logged: LoggedEvents, in_vault: int | None
) -> None:
    new, old = (create_certificate("cosell-test", days, now=in_days(0)) for days in (365, 10))
    app.vault.set("salesforce-private-key", new.pem + old.pem, expires=in_days(in_vault) if in_vault else None)

    renew_credentials(app)

    assert logged("credential_ending") == [{"name": "salesforce-private-key", "days_left": 10}]


def test_a_certificate_that_cannot_be_read_is_reported(app: App, logged: LoggedEvents) -> None:
    key = app.vault.get("salesforce-private-key")
    broken = f"{key}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    app.vault.set("salesforce-private-key", broken)

    renew_credentials(app)

    assert logged("credential_ending") == [{"name": "salesforce-private-key", "days_left": None}]


def test_an_ended_credential_is_reported_even_if_the_sign_in_fails_because_of_it(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    app.vault.set("partner-center-client-secret", "ended", expires=in_days(-1))

    assert not renew_credentials(app)

    assert [failure["code"] for failure in logged("sign_in_failed")] == ["AADSTS7000215"]
    assert logged("credential_ending")[0]["days_left"] == -1
    assert logged("credentials_kept") == []
    assert systems.partner_center.journal == []


def test_the_ends_are_stored_for_those_without_rights_on_the_vault(app: App) -> None:
    app.vault.set("salesforce-private-key", app.vault.get("salesforce-private-key"), expires=in_days(12))
    renew_credentials(app)
    cursors = app.store.cursors()
    assert (cursors["ends|salesforce-private-key"] - datetime.now(UTC)).days in (11, 12)
    assert cursors["credentials_done"] <= datetime.now(UTC)
