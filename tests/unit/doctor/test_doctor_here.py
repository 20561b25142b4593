"""Our own side: what the doctor finds when a setting, the mapping file, a secret or storage is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.emulator import Fault, FaultKind
from local.systems import Systems
from shared.doctor.finding import Result
from shared.doctor.run_checks import PREREQUISITES
from shared.store.sqlite_rows import SqliteRows
from tests.unit.doctor.conftest import Clinic


def test_a_healthy_installation_has_nothing_failed(clinic: Clinic) -> None:
    results = {name: verdict.result for name, verdict in clinic.examined().items()}
    assert set(results) == {item.name for item in PREREQUISITES}
    assert {name for name, result in results.items() if result is Result.FAILED} == set()
    assert {name for name, result in results.items() if result is Result.SKIPPED} <= {"webhook registration"}


def test_a_wrong_setting_is_named_and_all_that_rests_on_it_is_skipped(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "here")
    found = clinic.examined()
    assert found["settings"].found.startswith("PARTNER_CENTER_LOCATION: ")
    assert {verdict.result for name, verdict in found.items() if name != "settings"} == {Result.SKIPPED}


def test_a_broken_mapping_file_is_named(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text('extends = "default"\n[fields.money]\ntype = "gold"\n', encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    assert "broken.toml, line 3" in clinic.failure("mapping file").found


def test_a_vault_that_denies_access_is_told_with_the_role(clinic: Clinic, systems: Systems) -> None:
    denied = '{"error":{"code":"Forbidden","message":"no","innererror":{"code":"ForbiddenByRbac"}}}'
    systems.vault.faults.append(Fault(FaultKind.ANSWER, path="secrets", times=20, status=403, body=denied))
    verdict = clinic.failure("vault")
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
def test_each_missing_secret_is_named(clinic: Clinic, systems: Systems, secret: str, check: str, remedy: str) -> None:
    systems.vault.shelf.delete(secret)
    verdict = clinic.failure(check)
    assert secret in verdict.found
    assert remedy in verdict.remedy


def test_a_key_that_is_none_is_not_taken_for_one(clinic: Clinic, systems: Systems) -> None:
    systems.vault.shelf.put("salesforce-private-key", {"value": "placeholder"})
    assert "no private key" in clinic.failure("Salesforce key").found


@pytest.mark.parametrize(("days", "said"), [(-3, "ended"), (5, "more days")])
@pytest.mark.parametrize(
    ("secret", "check", "remedy"),
    [
        ("partner-center-client-secret", "Partner Center credential", "connect partner-center"),
        ("salesforce-private-key", "Salesforce key", "--rotate"),
    ],
)
def test_a_secret_that_ended_or_soon_will_is_told(
    clinic: Clinic, systems: Systems, days: int, said: str, secret: str, check: str, remedy: str
) -> None:
    kept = next(kept for kept in systems.vault.shelf.live() if kept.name == secret)
    end = int((datetime.now(UTC) + timedelta(days=days)).timestamp())
    kept.latest.attributes["exp"] = end
    verdict = clinic.failure(check)
    assert said in verdict.found
    assert remedy in verdict.remedy
    del kept.latest.attributes["exp"]


def test_a_refresh_token_that_nobody_renews_is_told_with_its_age(clinic: Clinic, systems: Systems) -> None:
    kept = next(s for s in systems.vault.shelf.live() if s.name == "partner-center-refresh-token")
    kept.latest.created = datetime.now(UTC) - timedelta(days=30)
    verdict = clinic.failure("refresh token")
    assert verdict.found == "renewed 30 days ago"
    assert "keep_credentials" in verdict.remedy


def test_the_placeholder_of_the_deployment_is_no_refresh_token(clinic: Clinic, systems: Systems) -> None:
    systems.vault.shelf.put("partner-center-refresh-token", {"value": "placeholder: run `cosell connect ...`"})
    assert "placeholder" in clinic.failure("refresh token").found


def test_storage_that_cannot_be_opened_fails_alone(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_text("no database, and longer than the head of one: " * 10, encoding="utf-8")
    monkeypatch.setenv("STORE_FILE", str(broken))
    found = clinic.examined()
    assert found["storage"].result is Result.FAILED
    assert {name for name, verdict in found.items() if verdict.result is Result.FAILED} == {"storage"}


def test_the_probe_of_storage_leaves_no_row_behind(clinic: Clinic, tmp_path: Path) -> None:
    assert clinic.examined()["storage"].result is Result.OK
    rows = SqliteRows(str(tmp_path / "store.sqlite"))
    assert rows.list("probe") == []
    rows.close()
