"""Partner Center: each check fails for the fault that it is there for."""

from copy import replace
from datetime import timedelta

import pytest

from emulators.base.emulator import Fault, FaultKind
from local.systems import Systems
from shared.doctor.finding import Result, Verdict
from shared.doctor.installation import Installation
from shared.doctor.partner_center_checks import check_tenant
from shared.doctor.run_checks import PREREQUISITES, run_checks
from tests.unit.doctor.conftest import Clinic


def test_a_revoked_consent_is_told_at_the_sign_in_and_the_rest_is_skipped(clinic: Clinic, systems: Systems) -> None:
    systems.vault.shelf.put("partner-center-refresh-token", {"value": "of nobody"})
    found = clinic.examined()
    assert found["Partner Center sign-in"].result is Result.FAILED
    assert "Sign in again" in found["Partner Center sign-in"].remedy
    assert found["MFA"].result is Result.SKIPPED
    assert found["Salesforce sign-in"].result is Result.OK


def test_a_consent_without_mfa_is_told(clinic: Clinic, systems: Systems) -> None:
    systems.partner.entra.settings.mfa = False
    assert "multi-factor" in clinic.failure("MFA").remedy


def test_an_account_without_the_role_is_told(clinic: Clinic, systems: Systems) -> None:
    systems.partner.entra.settings.roles = ()
    assert "Referrals admin" in clinic.failure("referral role").remedy


def test_an_account_that_sees_its_own_deals_only_is_told(clinic: Clinic, systems: Systems) -> None:
    account = systems.partner.entra.user.email
    for row in systems.partner_center.store.book:
        row.record["team"] = [{"firstName": "A", "lastName": "B", "email": account}]
    assert "in the team" in clinic.failure("referral role").found


@pytest.mark.usefixtures("systems")
def test_a_token_of_another_tenant_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "99999999-0000-4111-8222-ccccdddd0001"
    patient = Installation()
    probe, ahead = patient.partner_center_probe
    monkeypatch.setitem(patient.__dict__, "probed", (replace(probe, tenant=other), ahead))
    verdict = check_tenant(patient)
    patient.close()
    assert verdict.result is Result.FAILED
    assert other in verdict.found


def test_a_wrong_organisation_id_is_told_with_those_that_are_seen(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, systems: Systems
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_ORGANIZATION_ID", "99999999-0000-4111-8222-ccccdddd0001")
    verdict = clinic.failure("organisation id")
    assert systems.environ["PARTNER_CENTER_ORGANIZATION_ID"].lower() in verdict.found


def test_a_wrong_location_is_told_with_those_that_are_seen(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "7654321")
    assert "1234567" in clinic.failure("partner location").found


def test_before_the_first_deal_nothing_is_claimed(clinic: Clinic, systems: Systems) -> None:
    systems.reset()
    found = clinic.examined()
    for name in ("referral role", "organisation id", "partner location", "conditional update"):
        assert (found[name].result, "first deal" in found[name].found) == (Result.SKIPPED, True)


@pytest.mark.usefixtures("systems")
def test_a_clock_that_is_wrong_is_told() -> None:
    patient = Installation()
    ours = patient.now
    patient.now = lambda: ours() - timedelta(minutes=10)
    verdicts = {check.name: check.verdict for check in run_checks(patient)}
    patient.close()
    for name in ("Partner Center clock", "Salesforce clock"):
        assert verdicts[name].result is Result.FAILED
        assert "ahead of ours" in verdicts[name].found


def test_a_side_that_does_not_answer_fails_its_own_checks_alone(clinic: Clinic, systems: Systems) -> None:
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, times=100, status=503))
    found = clinic.examined()
    systems.partner_center.faults.clear()
    assert found["referral role"].result is Result.FAILED
    assert found["Salesforce permissions"].result is Result.OK


@pytest.mark.usefixtures("systems")
def test_a_check_that_breaks_is_a_failed_check_and_not_the_end() -> None:
    def broken(_: Installation) -> Verdict:
        raise KeyError("a secret text")

    items = [replace(item, check=broken) if item.name == "storage" else item for item in PREREQUISITES]
    patient = Installation()
    verdicts = {check.name: check.verdict for check in run_checks(patient, items=items)}
    patient.close()
    assert verdicts["storage"].found == "the check broke off: KeyError"
    assert verdicts["Salesforce sign-in"].result is Result.OK
