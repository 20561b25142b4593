"""The daily run that keeps the credentials, against the emulated Entra ID, Partner Center and Key Vault."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina

from emulators.base.emulator import Fault, FaultKind
from emulators.entra.tokens import REFERRALS_AUDIENCE, USER, WEBHOOKS_AUDIENCE
from local.systems import Systems
from shared.app import App
from shared.cli.self_signed_certificate import create_certificate
from shared.domain.deal import Side
from shared.operations.credentials import keep_credentials
from shared.sync.retry.side_health import is_paused

RT = "partner-center-refresh-token"
type Told = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def systems(systems: Systems) -> Iterator[Systems]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield systems


@pytest.fixture
def app(systems: Systems) -> Iterator[App]:
    del systems
    app = App()
    yield app
    app.close()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    caplog.set_level(logging.INFO, logger="cosell")

    def of(name: str) -> list[dict[str, Any]]:
        lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "cosell"]
        return [
            {key: value for key, value in line.items() if key != "event"} for line in lines if line["event"] == name
        ]

    return of


def stored(systems: Systems) -> str:
    return systems.vault.shelf.find(RT).latest.value


def test_the_token_is_redeemed_stored_and_told(systems: Systems, app: App, told: Told) -> None:
    systems.partner_center.populate(1)
    before = stored(systems)

    assert keep_credentials(app)

    assert stored(systems) != before
    assert told("credentials_kept") == [
        {"refresh_token_age_days": 0.0, "certificate_days_left": None, "secret_days_left": None, "mfa": True,
         "role": "admin"}
    ]  # fmt: skip
    assert told("sign_in_failed") == told("credential_ending") == told("run_failed") == []


def test_it_is_redeemed_even_while_an_access_token_is_good(systems: Systems, app: App) -> None:
    app.sign_in.token()
    before = stored(systems)

    keep_credentials(app)

    assert stored(systems) != before


@pytest.mark.parametrize("mode", ["off", "preview"])
def test_whatever_the_mode(systems: Systems, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("SYNC", mode)
    before, app = stored(systems), App()

    assert keep_credentials(app)

    app.close()
    assert stored(systems) != before


def test_a_refresh_token_that_entra_does_not_renew_grows_old_and_is_told(
    systems: Systems, app: App, told: Told
) -> None:
    systems.partner.entra.settings.rotation = "withhold"

    keep_credentials(app, lambda: datetime.now(UTC) + timedelta(days=65, hours=1))

    assert told("credentials_kept")[0]["refresh_token_age_days"] == 65.0
    assert told("credential_ending") == [{"name": RT, "days_left": 24}]


def test_the_end_that_the_vault_notes_is_told(systems: Systems, app: App, told: Told) -> None:
    app.vault.set("partner-center-client-secret", systems.partner.entra.client_secret, expires=in_days(30))
    app.vault.set("salesforce-private-key", app.vault.get("salesforce-private-key"), expires=in_days(-2))

    keep_credentials(app)

    assert told("credential_ending") == [
        {"name": "partner-center-client-secret", "days_left": 30},
        {"name": "salesforce-private-key", "days_left": -2},
    ]
    assert told("credentials_kept")[0]["secret_days_left"] == 30


@pytest.mark.parametrize(("days", "noted", "left"), [(200, None, 200), (10, None, 10), (200, 20, 20), (10, 20, 10)])
def test_of_the_certificates_own_end_and_the_vaults_the_sooner_counts(
    systems: Systems, app: App, told: Told, days: int, noted: int | None, left: int
) -> None:
    certificate = create_certificate("cosell-test", days, now=in_days(0))
    systems.partner.entra.register(systems.partner.entra.client_id, certificate_pem=certificate.public_pem)
    app.vault.set("partner-center-certificate", certificate.pem, expires=in_days(noted) if noted else None)

    assert keep_credentials(app)

    assert told("credentials_kept")[0]["certificate_days_left"] == left
    assert [ending["name"] for ending in told("credential_ending")] == ["partner-center-certificate"] * (left <= 30)


def test_what_ends_is_told_even_when_it_has_shut_us_out(systems: Systems, app: App, told: Told) -> None:
    app.vault.set("partner-center-client-secret", "ended", expires=in_days(-1))

    assert not keep_credentials(app)

    assert told("sign_in_failed") == [{"side": "partner_center", "code": "AADSTS7000215"}]
    assert told("credential_ending")[0]["days_left"] == -1
    assert told("credentials_kept") == []
    assert systems.partner_center.journal == []


@pytest.mark.parametrize(
    "code", [70008, 700082, 50173, 50076, 50079, 50078, 50158, 53003, 700007, 7000222, 50057, 50034, 50126]
)
def test_every_refusal_is_told_by_its_number_and_pauses_the_side(
    systems: Systems, app: App, told: Told, code: int
) -> None:
    systems.partner.entra.fail_next(code, times=2)

    assert not keep_credentials(app)

    assert told("sign_in_failed") == [{"side": "partner_center", "code": f"AADSTS{code}"}]
    assert is_paused(app.local, Side.PARTNER_CENTER)
    assert told("credentials_kept") == []


@pytest.mark.parametrize("code", [90033, 90024])
def test_what_passes_by_itself_pauses_nothing(systems: Systems, app: App, told: Told, code: int) -> None:
    systems.partner.entra.fail_next(code)

    assert not keep_credentials(app)

    assert told("run_failed") == [{"run": "credentials", "error": "Unavailable"}]
    assert not is_paused(app.local, Side.PARTNER_CENTER)
    assert keep_credentials(app)


def test_nobody_has_signed_in_yet(systems: Systems, app: App, told: Told) -> None:
    systems.vault.shelf.put(RT, {"value": "placeholder: run `cosell connect partner-center`"})

    assert not keep_credentials(app)

    assert told("sign_in_failed") == [{"side": "partner_center", "code": "refreshTokenMissing"}]
    assert systems.partner.entra.journal == []


def test_a_consent_without_mfa_is_told_and_the_token_is_kept_all_the_same(
    systems: Systems, app: App, told: Told
) -> None:
    systems.partner.entra.settings.mfa = False
    before = stored(systems)

    assert keep_credentials(app)

    assert stored(systems) != before
    assert told("sign_in_failed") == [{"side": "partner_center", "code": "900421"}]
    assert told("credentials_kept")[0]["mfa"] is False


@pytest.mark.parametrize(("roles", "role", "codes"), [((), "none", ["accessDenied"]), ((USER,), None, [])])
def test_the_role_is_looked_at(
    systems: Systems, app: App, told: Told, roles: tuple[str, ...], role: str | None, codes: list[str]
) -> None:
    systems.partner_center.populate(1)
    systems.partner.entra.settings.roles = roles

    assert keep_credentials(app)

    assert told("credentials_kept")[0]["role"] == role
    assert [failure["code"] for failure in told("sign_in_failed")] == codes


def test_consent_lost_for_events_alone_is_told_and_pauses_nothing(systems: Systems, app: App, told: Told) -> None:
    systems.partner.entra.settings.consented = (REFERRALS_AUDIENCE,)

    assert keep_credentials(app)

    assert told("sign_in_failed") == [{"side": "partner_center", "code": "AADSTS65001"}]
    assert not is_paused(app.local, Side.PARTNER_CENTER)


def test_consent_lost_for_referrals_shuts_us_out(systems: Systems, app: App, told: Told) -> None:
    systems.partner.entra.settings.consented = (WEBHOOKS_AUDIENCE,)

    assert not keep_credentials(app)

    assert told("sign_in_failed") == [{"side": "partner_center", "code": "AADSTS65001"}]


def test_a_vault_that_takes_nothing_is_told_and_the_age_grows(systems: Systems, app: App, told: Told) -> None:
    systems.vault.access.write = False
    before = stored(systems)

    assert keep_credentials(app, lambda: datetime.now(UTC) + timedelta(days=3))

    assert stored(systems) == before
    assert {failure["name"] for failure in told("refresh_token_not_stored")} == {RT}
    assert told("credentials_kept")[0]["refresh_token_age_days"] == 3.0


def test_a_vault_that_is_away_fails_the_run_alone(systems: Systems, app: App, told: Told) -> None:
    systems.vault.faults.append(Fault(FaultKind.ANSWER, times=1000, status=503))

    assert not keep_credentials(app)

    assert [failure["run"] for failure in told("run_failed")] == ["credentials"]


def test_two_instances_with_tokens_that_die_at_once_both_succeed(systems: Systems, app: App, told: Told) -> None:
    """Each has read the token before the other redeems: the stale one is read fresh once, the last successor stays."""
    systems.partner.entra.settings.rotation = "invalidate"
    other = App()
    assert app.vault.get(RT) == other.vault.get(RT)

    assert keep_credentials(app)
    assert keep_credentials(other)

    other.close()
    assert len(told("credentials_kept")) == 2
    assert told("sign_in_failed") == []
    assert keep_credentials(app)


def test_the_registration_for_events_is_looked_at_on_the_way(
    systems: Systems, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://func-cosell.azurewebsites.net/api/events")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    systems.partner_center.register_events("https://another.example/hook")
    app = App()

    assert keep_credentials(app)

    app.close()
    assert told("registration_foreign") == [{"host": "another.example"}]


def test_a_webhook_host_that_is_away_leaves_the_credentials_kept(
    systems: Systems, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://func-cosell.azurewebsites.net/api/events")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, path="/webhooks/", times=100, status=503))
    app = App()

    assert keep_credentials(app)

    app.close()
    assert told("run_failed") == [{"run": "registration", "error": "Unavailable"}]


def in_days(days: int) -> datetime:
    """That many days from now and an hour, so that a whole day more is never over."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days, hours=1)
