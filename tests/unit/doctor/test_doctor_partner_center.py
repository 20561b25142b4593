"""The doctor's checks of Partner Center: each one fails for its own fault."""

from copy import replace
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from local.systems import Systems
from shared.doctor.finding import Result, Verdict
from shared.doctor.installation import Installation
from shared.doctor.partner_center_checks import check_tenant
from shared.doctor.run_checks import PREREQUISITES, run_checks
from tests.unit.doctor.conftest import Doctor


def test_a_revoked_consent_fails_the_sign_in_and_skips_the_checks_that_need_it(
    doctor: Doctor, systems: Systems
) -> None:
    systems.vault.secret_store.put("partner-center-refresh-token", {"value": "an unknown token"})
    verdicts = doctor.run()
    assert verdicts["Partner Center sign-in"].result is Result.FAILED
    assert "Sign in again" in verdicts["Partner Center sign-in"].remedy
    assert verdicts["MFA"].result is Result.SKIPPED
    assert verdicts["Salesforce sign-in"].result is Result.OK


def test_a_consent_without_mfa_fails(doctor: Doctor, systems: Systems) -> None:
    systems.partner.entra.settings.mfa = False
    assert "multi-factor" in doctor.failed_verdict("MFA").remedy


def test_an_account_without_the_role_fails(doctor: Doctor, systems: Systems) -> None:
    systems.partner.entra.settings.roles = ()
    assert "Referrals admin" in doctor.failed_verdict("referral role").remedy


def test_an_account_that_sees_only_its_own_deals_fails(doctor: Doctor, systems: Systems) -> None:
    account = systems.partner.entra.user.email
    for referral in systems.partner_center.service.store:
        referral.record["team"] = [{"firstName": "A", "lastName": "B", "email": account}]
    assert "in the team" in doctor.failed_verdict("referral role").found


@pytest.mark.usefixtures("systems")
def test_a_token_of_another_tenant_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "99999999-0000-4111-8222-ccccdddd0001"
    installation = Installation()
    probe, ahead = installation.partner_center_probe
    monkeypatch.setitem(installation.__dict__, "partner_center_probe", (replace(probe, tenant=other), ahead))
    verdict = check_tenant(installation)
    installation.close()
    assert verdict.result is Result.FAILED
    assert other in verdict.found


def test_a_wrong_organisation_id_fails_and_the_ids_on_referrals_are_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, systems: Systems
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_ORGANIZATION_ID", "99999999-0000-4111-8222-ccccdddd0001")
    verdict = doctor.failed_verdict("organisation id")
    assert systems.environ["PARTNER_CENTER_ORGANIZATION_ID"].lower() in verdict.found


def test_a_wrong_location_fails_and_the_locations_on_referrals_are_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "7654321")
    assert "1234567" in doctor.failed_verdict("partner location").found


def test_checks_that_need_a_deal_are_skipped_before_the_first_one(doctor: Doctor, systems: Systems) -> None:
    systems.reset()
    verdicts = doctor.run()
    for name in ("referral role", "organisation id", "partner location", "conditional update"):
        assert (verdicts[name].result, "first deal" in verdicts[name].found) == (Result.SKIPPED, True)


@pytest.mark.usefixtures("systems")
def test_a_wrong_clock_fails() -> None:
    installation = Installation()
    right_time = installation.now
    installation.now = lambda: right_time() - timedelta(minutes=10)
    verdicts = run_checks(installation)
    installation.close()
    for name in ("Partner Center clock", "Salesforce clock"):
        assert verdicts[name].result is Result.FAILED
        assert "ahead of this machine's" in verdicts[name].found


def test_a_side_that_does_not_answer_fails_only_its_own_checks(doctor: Doctor, systems: Systems) -> None:
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, times=100, status=503))
    verdicts = doctor.run()
    systems.partner_center.faults.clear()
    assert verdicts["referral role"].result is Result.FAILED
    assert verdicts["Salesforce permissions"].result is Result.OK


@pytest.mark.usefixtures("systems")
def test_a_check_with_an_unexpected_error_fails_and_the_others_still_run() -> None:
    def raise_unexpected_error(_: Installation) -> Verdict:
        raise KeyError("a secret text")

    prerequisites = [
        replace(item, check=raise_unexpected_error) if item.name == "storage" else item for item in PREREQUISITES
    ]
    installation = Installation()
    verdicts = run_checks(installation, prerequisites=prerequisites)
    installation.close()
    assert verdicts["storage"].found == "the check stopped with an unexpected error: KeyError"
    assert verdicts["Salesforce sign-in"].result is Result.OK
