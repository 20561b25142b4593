"""The daily run that keeps the credentials valid, against the emulated Entra ID, Partner Center and Key Vault."""

from datetime import UTC, datetime, timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.entra.tokens import REFERRALS_AUDIENCE, USER, WEBHOOKS_AUDIENCE
from local.systems import Systems
from shared import __version__
from shared.app import App
from shared.domain.deal import Side
from shared.operations.credentials import renew_credentials
from shared.sync.retry_queue import is_paused
from tests.unit.operations.conftest import LoggedEvents

REFRESH_TOKEN = "partner-center-refresh-token"


def stored_token(systems: Systems) -> str:
    return systems.vault.secret_store.find(REFRESH_TOKEN).latest.value


def test_the_token_is_redeemed_and_stored_and_the_result_is_logged(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.partner_center.populate(1)
    first = stored_token(systems)

    assert renew_credentials(app)

    assert stored_token(systems) != first
    assert logged("credentials_kept") == [
        {"refresh_token_age_days": 0.0, "certificate_days_left": None, "secret_days_left": None, "mfa": True,
         "role": "admin"}
    ]  # fmt: skip
    assert logged("sign_in_failed") == logged("credential_ending") == logged("run_failed") == []


def test_the_package_of_the_org_is_kept_in_the_store_even_while_the_sync_is_off(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents
) -> None:
    monkeypatch.setenv("SYNC", "off")
    del systems.salesforce.org.model.get("Opportunity").fields["partner_center_amount__c"]
    app = App()
    assert renew_credentials(app)
    assert renew_credentials(app)
    known = app.store.org_shape()
    app.close()
    assert known is not None
    assert (known[0].package, known[0].missing) == (__version__, ("Partner_Center_Amount__c",))
    assert logged("package_differs") == [{"package": __version__, "missing": ["Partner_Center_Amount__c"]}]


def test_a_salesforce_that_does_not_answer_does_not_stop_the_renewal(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.salesforce.faults.append(Fault(FaultKind.ANSWER, times=1000, status=503))
    first = stored_token(systems)
    assert renew_credentials(app)
    assert stored_token(systems) != first
    assert [failure["run"] for failure in logged("run_failed")] == ["package"]


def test_the_token_is_redeemed_even_while_an_access_token_is_valid(systems: Systems, app: App) -> None:
    app.sign_in.token()
    first = stored_token(systems)

    renew_credentials(app)

    assert stored_token(systems) != first


@pytest.mark.parametrize("mode", ["off", "preview"])
def test_the_token_is_redeemed_in_every_mode(systems: Systems, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("SYNC", mode)
    first, app = stored_token(systems), App()

    assert renew_credentials(app)

    app.close()
    assert stored_token(systems) != first


def test_a_refresh_token_that_entra_does_not_renew_is_reported(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.partner.entra.settings.rotation = "withhold"

    renew_credentials(app, lambda: datetime.now(UTC) + timedelta(days=65, hours=1))

    assert logged("credentials_kept")[0]["refresh_token_age_days"] == 65.0
    assert logged("credential_ending") == [{"name": REFRESH_TOKEN, "days_left": 24}]


@pytest.mark.parametrize(
    "code", [70008, 700082, 50173, 50076, 50079, 50078, 50158, 53003, 700007, 7000222, 50057, 50034, 50126]
)
def test_every_refusal_is_logged_with_its_code_and_pauses_the_side(
    systems: Systems, app: App, logged: LoggedEvents, code: int
) -> None:
    systems.partner.entra.fail_next(code, times=2)

    assert not renew_credentials(app)

    assert [failure["code"] for failure in logged("sign_in_failed")] == [f"AADSTS{code}"]
    assert is_paused(app.local, Side.PARTNER_CENTER)
    assert logged("credentials_kept") == []


@pytest.mark.parametrize("code", [90033, 90024])
def test_a_temporary_problem_pauses_nothing(systems: Systems, app: App, logged: LoggedEvents, code: int) -> None:
    systems.partner.entra.fail_next(code)

    assert not renew_credentials(app)

    [failed] = logged("run_failed")
    assert (failed["run"], failed["error"]) == ("credentials", "Unavailable")
    assert failed["correlation_id"]
    assert not is_paused(app.local, Side.PARTNER_CENTER)
    assert renew_credentials(app)


def test_the_placeholder_of_the_deployment_is_reported_as_a_missing_token(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.vault.secret_store.put(REFRESH_TOKEN, {"value": "placeholder: run `cosell connect partner-center`"})

    assert not renew_credentials(app)

    assert [failure["code"] for failure in logged("sign_in_failed")] == ["refreshTokenMissing"]
    assert systems.partner.entra.journal == []


def test_a_consent_without_mfa_is_logged_and_the_token_is_still_stored(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.partner.entra.settings.mfa = False
    first = stored_token(systems)

    assert renew_credentials(app)

    assert stored_token(systems) != first
    assert [failure["code"] for failure in logged("sign_in_failed")] == ["900421"]
    assert logged("credentials_kept")[0]["mfa"] is False


@pytest.mark.parametrize(("roles", "role", "codes"), [((), "none", ["accessDenied"]), ((USER,), None, [])])
def test_the_role_is_checked_and_logged(
    systems: Systems, app: App, logged: LoggedEvents, roles: tuple[str, ...], role: str | None, codes: list[str]
) -> None:
    systems.partner_center.populate(1)
    systems.partner.entra.settings.roles = roles

    assert renew_credentials(app)

    assert logged("credentials_kept")[0]["role"] == role
    assert [failure["code"] for failure in logged("sign_in_failed")] == codes


def test_a_consent_missing_for_the_events_api_only_is_logged_and_pauses_nothing(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.partner.entra.settings.consented = (REFERRALS_AUDIENCE,)

    assert renew_credentials(app)

    assert [failure["code"] for failure in logged("sign_in_failed")] == ["AADSTS65001"]
    assert not is_paused(app.local, Side.PARTNER_CENTER)


def test_a_consent_missing_for_the_referrals_api_fails_the_sign_in(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.partner.entra.settings.consented = (WEBHOOKS_AUDIENCE,)

    assert not renew_credentials(app)

    assert [failure["code"] for failure in logged("sign_in_failed")] == ["AADSTS65001"]


def test_a_vault_that_refuses_writes_is_logged_and_the_token_gets_older(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    systems.vault.access.write = False
    first = stored_token(systems)

    assert renew_credentials(app, lambda: datetime.now(UTC) + timedelta(days=3))

    assert stored_token(systems) == first
    assert {failure["name"] for failure in logged("refresh_token_not_stored")} == {REFRESH_TOKEN}
    assert logged("credentials_kept")[0]["refresh_token_age_days"] == 3.0


def test_a_vault_that_does_not_answer_fails_the_run(systems: Systems, app: App, logged: LoggedEvents) -> None:
    systems.vault.faults.append(Fault(FaultKind.ANSWER, times=1000, status=503))

    assert not renew_credentials(app)

    assert [failure["run"] for failure in logged("run_failed")] == ["package", "credentials"]


def test_two_instances_both_succeed_if_each_token_is_valid_only_once(
    systems: Systems, app: App, logged: LoggedEvents
) -> None:
    """Both read the token before one redeems it. The other one reads the token again, and the last successor stays."""
    systems.partner.entra.settings.rotation = "invalidate"
    other = App()
    assert app.vault.get(REFRESH_TOKEN) == other.vault.get(REFRESH_TOKEN)

    assert renew_credentials(app)
    assert renew_credentials(other)

    other.close()
    assert len(logged("credentials_kept")) == 2
    assert logged("sign_in_failed") == []
    assert renew_credentials(app)


def test_the_run_also_checks_the_registration_for_events(
    systems: Systems, logged: LoggedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://func-cosell.azurewebsites.net/api/events")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    systems.partner_center.register_events("https://another.example/hook")
    app = App()

    assert renew_credentials(app)

    app.close()
    assert logged("registration_foreign") == [{"host": "another.example"}]


def test_a_webhook_host_that_does_not_answer_does_not_fail_the_run(
    systems: Systems, logged: LoggedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://func-cosell.azurewebsites.net/api/events")
    monkeypatch.setenv("EVENTS_REGISTER", "true")
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, path="/webhooks/", times=100, status=503))
    app = App()

    assert renew_credentials(app)

    app.close()
    [failed] = logged("run_failed")
    assert (failed["run"], failed["error"]) == ("registration", "Unavailable")
    assert failed["correlation_id"]
