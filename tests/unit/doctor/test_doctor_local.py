"""The doctor's checks of our own side: settings, mapping file, secrets and storage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.key_vault.secret_store import SecretStore
from local.systems import Systems
from shared import __version__
from shared.app import App
from shared.cli.self_signed_certificate import create_certificate
from shared.doctor.finding import Result
from shared.doctor.run_checks import PREREQUISITES
from shared.domain.deal import Side
from shared.domain.list_rows import AGREED, DIFFERED, OFF_FOR
from shared.operations.credentials import days_left_by_secret
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import KnownPath, SideState
from tests.unit.doctor.conftest import Doctor


def test_no_check_of_a_healthy_installation_fails(doctor: Doctor) -> None:
    results = {name: verdict.result for name, verdict in doctor.run().items()}
    assert set(results) == {item.name for item in PREREQUISITES}
    assert {name for name, result in results.items() if result is Result.FAILED} == set()
    assert {name for name, result in results.items() if result is Result.SKIPPED} <= {
        "webhook registration",
        "app access",
        "owners",
    }


def test_a_wrong_setting_is_named_and_the_checks_that_need_it_are_skipped(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "here")
    verdicts = doctor.run()
    assert verdicts["settings"].found.startswith("PARTNER_CENTER_LOCATION: ")
    assert {verdict.result for name, verdict in verdicts.items() if name != "settings"} == {Result.SKIPPED}


@pytest.mark.parametrize(
    ("environment", "says"),
    [("production", "has no effect in production"), ("staging", "lets Microsoft see deals")],
)
def test_a_test_tenant_is_told_by_its_effect(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, environment: str, says: str
) -> None:
    assert "TEST_TENANT" not in doctor.run("settings")["settings"].found
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("PARTNER_CENTER_TEST_TENANT", "true")
    verdict = doctor.run("settings")["settings"]
    assert (verdict.result, f"PARTNER_CENTER_TEST_TENANT {says}" in verdict.found) == (Result.OK, True)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("0 61 * * * *", "SWEEP_SCHEDULE is not a schedule: in the field minute"),
        ("0 0 9 * * FRI-MON", "runs Monday to Friday; write FRI-SAT,SUN-MON"),
        ("0 */90 * * * *", "Azure runs at minute 0 of every hour"),
        ("00:15:00", "an interval such as 00:05:00 does not run on Flex Consumption"),
    ],
)
def test_a_schedule_that_azure_refuses_or_reads_in_another_way_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, schedule: str, says: str
) -> None:
    monkeypatch.setenv("SWEEP_SCHEDULE", schedule)
    assert says in doctor.failed_verdict("schedules").found


def test_a_day_together_with_a_weekday_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.run("schedules")["schedules"].found == "all 5 run when they say"
    monkeypatch.setenv("SWEEP_SCHEDULE", "0 0 9 1-7 * MON")
    verdict = doctor.run("schedules")["schedules"]
    assert (verdict.result, "SWEEP_SCHEDULE: it has a day and a day of week" in verdict.found) == (Result.OK, True)


def test_a_broken_mapping_file_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text('extends = "default"\n[fields.money]\ntype = "gold"\n', encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    assert "broken.toml, line 3" in doctor.failed_verdict("mapping file").found


def test_a_vault_that_denies_access_is_reported_with_the_role(doctor: Doctor, systems: Systems) -> None:
    denied = '{"error":{"code":"Forbidden","message":"no","innererror":{"code":"ForbiddenByRbac"}}}'
    systems.vault.faults.append(Fault(FaultKind.ANSWER, path="secrets", times=20, status=403, body=denied))
    verdict = doctor.failed_verdict("vault")
    assert "Key Vault Secrets Officer" in verdict.remedy
    systems.vault.faults.clear()


@pytest.mark.parametrize(
    ("secret", "check", "remedy"),
    [
        ("salesforce-private-key", "Salesforce key", "connect salesforce"),
        ("partner-center-client-secret", "Partner Center credential", "connect partner-center"),
        ("partner-center-refresh-token", "refresh token", "connect partner-center"),
    ],
)
def test_each_missing_secret_is_named(doctor: Doctor, systems: Systems, secret: str, check: str, remedy: str) -> None:
    systems.vault.secret_store.delete(secret)
    verdict = doctor.failed_verdict(check)
    assert secret in verdict.found
    assert remedy in verdict.remedy


def test_a_secret_without_a_private_key_fails(doctor: Doctor, systems: Systems) -> None:
    systems.vault.secret_store.put("salesforce-private-key", {"value": "placeholder"})
    assert "is not a private key" in doctor.failed_verdict("Salesforce key").found


@pytest.mark.parametrize(("days", "words"), [(-3, "ended"), (5, "more days")])
@pytest.mark.parametrize(
    ("secret", "check", "remedy"),
    [
        ("partner-center-client-secret", "Partner Center credential", "connect partner-center"),
        ("salesforce-private-key", "Salesforce key", "--rotate"),
    ],
)
def test_a_secret_that_has_ended_or_ends_soon_fails(
    doctor: Doctor, systems: Systems, days: int, words: str, secret: str, check: str, remedy: str
) -> None:
    stored = next(stored for stored in systems.vault.secret_store.live_secrets() if stored.name == secret)
    end = int((datetime.now(UTC) + timedelta(days=days)).timestamp())
    stored.latest.attributes["exp"] = end
    verdict = doctor.failed_verdict(check)
    assert words in verdict.found
    assert remedy in verdict.remedy
    del stored.latest.attributes["exp"]


CERTIFICATE, KEY = "partner-center-certificate", "salesforce-private-key"


@pytest.fixture
def secrets(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> SecretStore:
    monkeypatch.setattr("shared.cli.self_signed_certificate.KEY_BITS", 2048)
    return systems.vault.secret_store


def certificate_that_ends_in(days: int) -> str:
    return create_certificate("cosell-test", 400, now=datetime.now(UTC) + timedelta(days=days - 400, minutes=5)).pem


@pytest.mark.parametrize(
    ("days", "found"), [(-5, "ended 4 days ago"), (10, "is valid for 10 more"), (29, "is valid for 29 more")]
)
@pytest.mark.parametrize("line_break", ["\n", " ", "\\n"], ids=["breaks", "blanks", "escapes"])
def test_the_doctor_reads_the_end_in_the_certificate_as_the_daily_run_does(
    doctor: Doctor, secrets: SecretStore, days: int, found: str, line_break: str
) -> None:
    pem = certificate_that_ends_in(days).replace("\n", line_break)
    secrets.put(CERTIFICATE, {"value": pem})
    secrets.put(KEY, {"value": pem})
    assert f"{CERTIFICATE} {found}" in doctor.failed_verdict("Partner Center credential").found
    assert f"{KEY} {found}" in doctor.failed_verdict("Salesforce key").found
    app = App()
    assert dict(days_left_by_secret(app, datetime.now(UTC)))[CERTIFICATE] == days
    app.close()


def test_during_a_rotation_the_doctor_warns_of_the_certificate_in_use(doctor: Doctor, secrets: SecretStore) -> None:
    secrets.put(KEY, {"value": certificate_that_ends_in(365) + certificate_that_ends_in(10)})
    verdict = doctor.failed_verdict("Salesforce key")
    assert verdict.found == f"the secret {KEY} is valid for 10 more days; a rotation has begun"
    assert "connect salesforce --verify" in verdict.remedy


def test_a_certificate_that_cannot_be_read_fails(doctor: Doctor, secrets: SecretStore) -> None:
    secrets.put(CERTIFICATE, {"value": certificate_that_ends_in(365)[:-300]})
    assert "cannot be read" in doctor.failed_verdict("Partner Center credential").found


def test_a_refresh_token_that_is_not_renewed_fails_with_its_age(doctor: Doctor, systems: Systems) -> None:
    stored = next(s for s in systems.vault.secret_store.live_secrets() if s.name == "partner-center-refresh-token")
    stored.latest.created = datetime.now(UTC) - timedelta(days=30)
    verdict = doctor.failed_verdict("refresh token")
    assert verdict.found == "renewed 30 days ago"
    assert "keep_credentials" in verdict.remedy


def test_the_placeholder_of_the_deployment_is_not_a_refresh_token(doctor: Doctor, systems: Systems) -> None:
    systems.vault.secret_store.put("partner-center-refresh-token", {"value": "placeholder: run `cosell connect ...`"})
    assert "placeholder" in doctor.failed_verdict("refresh token").found


def test_only_the_storage_check_fails_if_the_storage_cannot_be_opened(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_text("not a database, and longer than the header of a database: " * 10, encoding="utf-8")
    monkeypatch.setenv("STORE_FILE", str(broken))
    verdicts = doctor.run()
    assert verdicts["storage"].result is Result.FAILED
    assert {name for name, verdict in verdicts.items() if verdict.result is Result.FAILED} == {"storage"}


def test_the_storage_check_leaves_no_row(doctor: Doctor, tmp_path: Path) -> None:
    assert doctor.run()["storage"].result is Result.OK
    rows = SqliteRows(str(tmp_path / "store.sqlite"))
    assert rows.list("probe") == []
    rows.close()


@pytest.mark.parametrize(
    ("side", "remedy"),
    [(Side.PARTNER_CENTER, "cosell connect partner-center"), (Side.SALESFORCE, "connect salesforce --verify")],
)
def test_a_side_that_is_paused_after_a_failed_sign_in_fails(doctor: Doctor, side: Side, remedy: str) -> None:
    pause(side, "sign_in")
    verdict = doctor.failed_verdict("paused sides")
    assert verdict.found.startswith(f"the app has paused {side} until ")
    assert remedy in verdict.remedy


def test_a_side_that_limits_calls_is_told(doctor: Doctor) -> None:
    assert doctor.run("paused sides")["paused sides"].found == "no side is paused"
    pause(Side.SALESFORCE, "throttled")
    verdict = doctor.run("paused sides")["paused sides"]
    assert (verdict.result, "(throttled)" in verdict.found) == (Result.OK, True)


def test_the_paths_that_partner_center_refuses_are_named(doctor: Doctor) -> None:
    assert doctor.run("refused paths")["refused paths"].found == "Partner Center has refused no path"
    app = App()
    app.store.write_side_state(Side.PARTNER_CENTER, SideState(paths={"/name": KnownPath(__version__, is_taken=False)}))
    app.close()
    verdict = doctor.run("refused paths")["refused paths"]
    assert (verdict.result, "takes no change of /name" in verdict.found) == (Result.OK, True)


def test_lists_that_differed_from_the_referrals_are_told(doctor: Doctor) -> None:
    assert doctor.run("lists")["lists"].found == "no list was compared yet"
    app = App()
    app.store.move_cursor(AGREED, datetime(2026, 12, 1, 9, 5, tzinfo=UTC))
    assert doctor.run("lists")["lists"].found == "lists agreed with the referrals on 2026-12-01 09:05 UTC"
    at = app.clock.now() - timedelta(days=1)
    app.store.move_cursor(DIFFERED, at)
    app.close()
    verdict = doctor.run("lists")["lists"]
    assert verdict.result is Result.OK
    assert f"differed from the referrals on {at:%Y-%m-%d %H:%M} UTC: until {at + OFF_FOR:%Y-%m-%d}" in verdict.found


def pause(side: Side, reason: str) -> None:
    app = App()
    app.store.write_side_state(side, SideState(datetime.now(UTC) + timedelta(minutes=10), reason))
    app.close()
