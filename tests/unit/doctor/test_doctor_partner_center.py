"""The doctor's checks of Partner Center: each one fails for its own fault."""

from copy import replace
from datetime import timedelta
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from local.systems import Systems
from shared.doctor.finding import Result, Verdict, ok
from shared.doctor.installation import Installation
from shared.doctor.partner_center_checks import check_tenant
from shared.doctor.run_checks import PREREQUISITES, run_checks
from tests.unit.doctor.conftest import Doctor
from tests.unit.doctor.test_doctor_salesforce import use_mapping_file


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


def test_a_setting_that_the_locations_of_the_mapping_file_lack_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[location]\nallowed = ["7654321", "1112223"]\n')
    verdict = doctor.failed_verdict("partner location")
    assert verdict.found.startswith("the mapping file does not allow PARTNER_CENTER_LOCATION=1234567")
    assert "7654321, 1112223" in verdict.remedy


def test_locations_of_the_mapping_file_are_looked_for_on_referrals(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[location]\nallowed = ["1234567", "1112223"]\n')
    assert doctor.run("partner location")["partner location"] == ok("there are referrals of the location 1234567")
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "9")
    use_mapping_file(monkeypatch, tmp_path, '[location]\nallowed = ["1234567"]\ndefault = "1234567"\n')
    assert (
        "LOCATION=9 is not among those of the mapping file" in doctor.run("partner location")["partner location"].found
    )
    use_mapping_file(monkeypatch, tmp_path, '[location]\nallowed = ["1112223"]\ndefault = "1112223"\n')
    assert "no referral has a location of the mapping file" in doctor.failed_verdict("partner location").found


def test_columns_of_the_locations_that_the_org_lacks_are_named(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = '[location]\nallowed = ["1234567"]\ncolumn = "Nope__c"\nowner_country = "Owner.Land__c"\n'
    use_mapping_file(monkeypatch, tmp_path, f'{table}countries = {{ DE = "1234567" }}\n')
    found = doctor.failed_verdict("mapped fields").found
    assert "partner_location: Nope__c does not exist" in found
    assert "partner_location: Owner.Land__c does not exist" in found


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
