"""Salesforce: each check fails for the fault that it is there for."""

from copy import replace
from pathlib import Path

import pytest

from emulators.salesforce.data.schema import Record
from local.systems import DEFAULT_PHONE, Systems
from shared.clients.salesforce.records import Written
from shared.doctor import salesforce_checks
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from tests.unit.doctor.conftest import Clinic


def test_a_consumer_key_that_the_org_does_not_know_is_told_at_the_sign_in(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "3MVG9OTHER")
    found = clinic.examined("Salesforce sign-in", "custom fields", "Partner Center sign-in")
    assert found["Salesforce sign-in"].result is Result.FAILED
    assert "consumer key" in found["Salesforce sign-in"].remedy
    assert found["custom fields"].result is Result.SKIPPED
    assert found["Partner Center sign-in"].result is Result.OK


def test_objects_that_may_not_be_created_are_told(clinic: Clinic, systems: Systems) -> None:
    systems.salesforce.org.model.get("Account").setup = True
    try:
        assert "Account is not createable" in clinic.failure("Salesforce permissions").found
    finally:
        systems.salesforce.org.model.get("Account").setup = False


def test_an_org_without_our_fields_is_told_to_deploy(clinic: Clinic, systems: Systems) -> None:
    systems.salesforce.bare = True
    systems.salesforce.restart()
    found = clinic.examined("mapped fields", "conditional update")
    systems.salesforce.bare = False
    systems.salesforce.restart()
    assert "Sync_with_Partner_Center__c is not there" in found["custom fields"].found
    assert "cosell salesforce deploy" in found["custom fields"].remedy
    assert found["mapped fields"].result is Result.FAILED
    assert found["conditional update"].result is Result.SKIPPED


@pytest.mark.parametrize(
    ("field", "attribute", "said"),
    [
        ("Referral_Identifier__c", "unique", "not both an external id and unique"),
        ("Referral_Identifier__c", "external_id", "not both an external id and unique"),
        ("Audit__c", "writable", "Audit__c may not be written"),
    ],
)
def test_a_field_of_another_shape_is_told(
    clinic: Clinic, systems: Systems, field: str, attribute: str, said: str
) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    fields[field.lower()] = replace(fields[field.lower()], **{attribute: False})  # type: ignore[arg-type]  # flags, all three
    assert said in clinic.failure("custom fields").found


def test_a_field_of_another_type_is_told(clinic: Clinic, systems: Systems) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    flag = "sync_with_partner_center__c"
    fields[flag] = replace(fields["description"], name=fields[flag].name)
    assert "is of type textarea, not boolean" in clinic.failure("custom fields").found


def test_a_mapped_column_that_is_not_there_is_named_with_its_field(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mapping(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "Notes__c"\n')
    assert clinic.failure("mapped fields").found.startswith("notes: Notes__c is not there")


def test_a_mapped_column_of_a_parent_is_looked_for_there(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mapping(monkeypatch, tmp_path, '[fields.account.salesforce]\nname = "Account.Trade_Name__c"\n')
    assert "account: Account.Trade_Name__c is not there" in clinic.failure("mapped fields").found


def test_a_column_that_travels_to_salesforce_must_be_writable(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mapping(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "ForecastCategory"\n')
    assert "notes: ForecastCategory may not be written" in clinic.failure("mapped fields").found


def test_an_org_with_several_currencies_needs_the_currency_field(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = (Path("shared/mapping/default.toml")).read_text(encoding="utf-8")
    path = tmp_path / "one.toml"
    path.write_text(whole.replace('currency = "CurrencyIsoCode"', 'fixed_currency = "USD"'), encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    assert "several currencies" in clinic.failure("currency field").found


def test_an_org_with_one_currency_has_no_currency_field(
    clinic: Clinic, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(systems.salesforce.org.model.get("Opportunity").fields, "currencyisocode")
    assert "one currency" in clinic.failure("currency field").found


def stage(systems: Systems, name: str) -> Record:
    return next(row for row in systems.salesforce.org.rows("OpportunityStage") if row["MasterLabel"] == name)


def test_a_missing_stage_is_named(clinic: Clinic, systems: Systems) -> None:
    stage(systems, "On Hold")["IsActive"] = False
    verdict = clinic.failure("stages")
    assert "'On Hold'" in verdict.found
    assert "Setup" in verdict.remedy


def test_an_on_hold_stage_that_is_closed_is_told(clinic: Clinic, systems: Systems) -> None:
    stage(systems, "On Hold")["IsClosed"] = True
    assert "closed" in clinic.failure("stages").found


def test_a_user_that_is_not_there_is_told(systems: Systems) -> None:
    name = systems.environ["SALESFORCE_USERNAME"]
    row = next(row for row in systems.salesforce.org.rows("User") if row["Username"] == name)
    patient = Installation()
    patient.salesforce.organization_id()  # signed in before the user was closed
    row["IsActive"] = False
    assert "not active" in salesforce_checks.check_integration_user(patient).found
    row["Username"] = "renamed@example.com"
    assert "not to be seen" in salesforce_checks.check_integration_user(patient).found
    patient.close()


def test_the_conditional_update_is_proven_and_changes_nothing(clinic: Clinic, systems: Systems) -> None:
    before = [dict(row) for row in systems.salesforce.org.rows("Opportunity")]
    verdict = clinic.examined("conditional update")["conditional update"]
    assert (verdict.result, "412" in verdict.found) == (Result.OK, True)
    assert [dict(row) for row in systems.salesforce.org.rows("Opportunity")] == before


def test_an_org_that_ignores_the_condition_must_not_be_turned_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulators.salesforce.rest.records.check_unmodified", lambda *_: None)
    assert "Do not turn the sync on" in clinic.failure("conditional update").remedy


def test_a_locked_record_proves_nothing(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, systems: Systems) -> None:
    def locked(_: object, writes: list[object], __: object) -> list[Written]:
        return [Written(write.id, None, systems.salesforce.clock.now(), locked=True) for write in writes]  # type: ignore[attr-defined]  # a Write

    monkeypatch.setattr("shared.clients.salesforce.client.SalesforceClient.update_unmodified", locked)
    assert clinic.examined("conditional update")["conditional update"].result is Result.SKIPPED


def test_a_spent_budget_is_told(clinic: Clinic, systems: Systems) -> None:
    systems.salesforce.rest.used = 90_000
    assert "of 100000 API calls" in clinic.failure("Salesforce API budget").found


def mapping(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """A mapping file that extends the default."""
    path = folder / "changed.toml"
    phone = "" if "[fields.team]" in text else f'[fields.team]\ndefault_phone = "{DEFAULT_PHONE}"\n'
    path.write_text(f'extends = "default"\n{text}{phone}', encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(path))
