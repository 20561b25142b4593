"""The doctor's checks of Salesforce: each one fails for its own fault."""

from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from emulators.salesforce.data.formula import parse_formula
from emulators.salesforce.data.schema import Record
from local.systems import DEFAULT_PHONE, Systems
from shared import __version__
from shared.clients.salesforce.org_shape import VERSION_COLUMN
from shared.clients.salesforce.records import Written
from shared.doctor import salesforce_checks
from shared.doctor.finding import Result, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_field_checks import FIELD_TYPES
from shared.mapping.schema import Ours
from tests.unit.doctor.conftest import Doctor


def test_an_unknown_consumer_key_fails_the_sign_in(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "3MVG9OTHER")
    verdicts = doctor.run("Salesforce sign-in", "custom fields", "Partner Center sign-in")
    assert verdicts["Salesforce sign-in"].result is Result.FAILED
    assert "consumer key" in verdicts["Salesforce sign-in"].remedy
    assert verdicts["custom fields"].result is Result.SKIPPED
    assert verdicts["Partner Center sign-in"].result is Result.OK


def test_production_on_a_sandbox_fails(doctor: Doctor, systems: Systems) -> None:
    assert doctor.run("environment")["environment"].result is Result.OK
    systems.salesforce.set_sandbox(on=True)
    assert "is a sandbox" in doctor.failed_verdict("environment").found


def test_objects_that_the_user_may_not_create_fail(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.org.model.get("Account").setup = True
    try:
        assert "Account is not createable" in doctor.failed_verdict("Salesforce permissions").found
    finally:
        systems.salesforce.org.model.get("Account").setup = False


def test_an_org_without_our_fields_fails_with_the_remedy_to_deploy(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.bare = True
    systems.salesforce.reset_state()
    verdicts = doctor.run("mapped fields", "conditional update")
    systems.salesforce.bare = False
    systems.salesforce.reset_state()
    assert "Sync_with_Partner_Center__c does not exist" in verdicts["custom fields"].found
    assert "cosell salesforce deploy" in verdicts["custom fields"].remedy
    assert verdicts["mapped fields"].result is Result.FAILED
    assert verdicts["conditional update"].result is Result.SKIPPED


def test_the_package_of_the_app_passes_with_its_version(doctor: Doctor) -> None:
    assert doctor.run("package")["package"] == ok(f"version {__version__}, as the app")


def test_a_package_without_version_fails(doctor: Doctor, systems: Systems) -> None:
    del systems.salesforce.org.model.get("Opportunity").fields[VERSION_COLUMN.lower()]
    verdict = doctor.failed_verdict("package")
    assert verdict.found.startswith("the package in the org has no version, so it is earlier than 0.4.0")
    assert "cosell salesforce deploy" in verdict.remedy


def test_another_version_passes_unless_the_app_misses_something(doctor: Doctor, systems: Systems) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    fields[VERSION_COLUMN.lower()] = replace(fields[VERSION_COLUMN.lower()], formula=parse_formula('"9.8.7"'))
    found = f"version 9.8.7, and the app has {__version__}; the org "
    assert doctor.run("package")["package"] == ok(f"{found}has all that the app uses")
    status = fields["sync_status__c"]
    fields["sync_status__c"] = replace(status, values=tuple(pair for pair in status.values if " with " not in pair[0]))
    assert doctor.failed_verdict("package").found == f"{found}lacks Synced with differences"
    lacking = "Sync_Status__c lacks the value Synced with differences"
    assert doctor.failed_verdict("custom fields").found == lacking


def test_an_org_without_the_inbox_fails_and_says_where_the_deals_are_shown(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.bare = True
    systems.salesforce.reset_state()
    verdict = doctor.failed_verdict("inbox")
    systems.salesforce.bare = False
    systems.salesforce.reset_state()
    assert "the org has no object Cosell_Inbox__c" in verdict.found
    assert "in the log and by the alert only" in verdict.found
    assert "cosell salesforce deploy" in verdict.remedy


def test_an_inbox_of_another_shape_fails(doctor: Doctor, systems: Systems) -> None:
    inbox = systems.salesforce.org.model.get("Cosell_Inbox__c")
    kept = dict(inbox.fields)
    inbox.fields["key__c"] = replace(kept["key__c"], unique=False)
    del inbox.fields["remedy__c"]
    inbox.setup = True
    verdict = doctor.failed_verdict("inbox")
    inbox.fields, inbox.setup = kept, False
    assert "Key__c is not both an external id and unique" in verdict.found
    assert "Remedy__c does not exist" in verdict.found
    assert "records are not deletable" in verdict.found
    assert doctor.run("inbox")["inbox"].result is Result.OK


@pytest.mark.parametrize(
    ("field", "attribute", "words"),
    [
        ("Referral_Identifier__c", "unique", "not both an external id and unique"),
        ("Referral_Identifier__c", "external_id", "not both an external id and unique"),
        ("Audit__c", "writable", "Audit__c may not be written"),
    ],
)
def test_a_field_that_is_not_unique_or_not_writable_fails(
    doctor: Doctor, systems: Systems, field: str, attribute: str, words: str
) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    fields[field.lower()] = replace(fields[field.lower()], **{attribute: False})  # type: ignore[arg-type]  # flags, all three
    assert words in doctor.failed_verdict("custom fields").found


def test_columns_in_another_letter_case_stop_no_check(doctor: Doctor, systems: Systems) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    flag = "sync_with_partner_center__c"
    fields[flag] = replace(fields[flag], name=flag)
    for deal in systems.salesforce.org.stored_records("Opportunity"):
        deal[flag] = deal.pop("Sync_with_Partner_Center__c", None)
    names = ("custom fields", "mapped fields", "new records", "conditional update", "write access", "arrival")
    verdicts = doctor.run(*names)
    systems.salesforce.reset_state()
    assert {name: verdicts[name].found for name in names if verdicts[name].result is not Result.OK} == {}


def test_the_doctor_knows_the_types_of_all_our_fields() -> None:
    assert set(FIELD_TYPES) == set(Ours.model_fields)


def test_a_field_of_another_type_fails(doctor: Doctor, systems: Systems) -> None:
    fields = systems.salesforce.org.model.get("Opportunity").fields
    flag = "sync_with_partner_center__c"
    fields[flag] = replace(fields["description"], name=fields[flag].name)
    assert "is of type textarea, not boolean" in doctor.failed_verdict("custom fields").found


def test_a_missing_salesforce_field_is_shown_with_the_mapped_field(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "Notes__c"\n')
    assert doctor.failed_verdict("mapped fields").found.startswith("notes: Notes__c does not exist")


def test_a_mapped_field_of_a_parent_record_is_checked_on_the_parent(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[fields.account.salesforce]\nname = "Account.Trade_Name__c"\n')
    assert "account: Account.Trade_Name__c does not exist" in doctor.failed_verdict("mapped fields").found


def test_a_field_whose_value_goes_to_salesforce_must_be_writable(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "ForecastCategory"\n')
    assert "notes: ForecastCategory may not be written" in doctor.failed_verdict("mapped fields").found


def whole_file(path: Path, currency: str) -> Path:
    """A whole mapping file with `currency` in place of the default file's column."""
    default_file = Path("shared/mapping/default.toml").read_text(encoding="utf-8")
    path.write_text(default_file.replace('currency = "CurrencyIsoCode"', currency), encoding="utf-8")
    return path


def make_single_currency(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the org has US dollars only."""
    monkeypatch.setattr(systems.salesforce, "multi_currency", False)
    systems.salesforce.reset_state()


@pytest.fixture
def single_currency(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        make_single_currency(systems, patch)
        yield
    systems.salesforce.reset_state()


def test_the_default_file_fits_an_org_with_several_currencies(doctor: Doctor) -> None:
    verdicts = doctor.run("currency field", "mapped fields", "custom fields")
    assert verdicts["currency field"] == ok("read from CurrencyIsoCode")
    assert {verdict.result for verdict in verdicts.values()} == {Result.OK}


@pytest.mark.usefixtures("single_currency")
def test_the_default_file_fits_an_org_with_one_currency(doctor: Doctor) -> None:
    verdicts = doctor.run("currency field", "mapped fields", "custom fields")
    assert verdicts["currency field"] == ok("always USD")
    assert {verdict.result for verdict in verdicts.values()} == {Result.OK}


@pytest.mark.usefixtures("single_currency")
def test_a_fixed_currency_that_is_not_the_orgs_is_named(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAPPING", str(whole_file(tmp_path / "one.toml", 'fixed_currency = "USD"')))
    assert doctor.run("currency field")["currency field"] == ok("always USD")
    use_mapping_file(monkeypatch, tmp_path, '[fields.money.salesforce]\nfixed_currency = "EUR"\n')
    found = doctor.failed_verdict("currency field").found
    assert found == "the org's only currency is USD, but the mapping file sets EUR"


@pytest.mark.usefixtures("single_currency")
def test_an_org_that_does_not_name_its_only_currency_needs_a_fixed_one(
    doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del systems.salesforce.org.model.get("Organization").fields["defaultcurrencyisocode"]
    assert "does not name it" in doctor.failed_verdict("currency field").found
    use_mapping_file(monkeypatch, tmp_path, '[fields.money.salesforce]\nfixed_currency = "EUR"\n')
    assert doctor.run("currency field")["currency field"] == ok("always EUR")


def test_a_fixed_currency_of_an_org_with_several_is_not_used(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAPPING", str(whole_file(tmp_path / "one.toml", 'fixed_currency = "USD"')))
    assert doctor.run("currency field")["currency field"] == ok("read from CurrencyIsoCode")


def test_a_hidden_currency_field_of_an_org_with_several_fails(
    doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(systems.salesforce.org.model.get("Opportunity").fields, "currencyisocode")
    assert "CurrencyIsoCode does not exist, or the user may not see it" in doctor.failed_verdict("currency field").found


def test_a_conversion_to_a_currency_that_the_org_lacks_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_mapping_file(monkeypatch, tmp_path, '[fields.money.convert]\nto = "DKK"\nrates = { SEK = 0.65 }\n')
    assert "converted to DKK, which this org does not use" in doctor.failed_verdict("currency field").found


def stage_record(systems: Systems, name: str) -> Record:
    stages = systems.salesforce.org.stored_records("OpportunityStage")
    return next(stage for stage in stages if stage["MasterLabel"] == name)


def test_a_missing_stage_is_named(doctor: Doctor, systems: Systems) -> None:
    stage_record(systems, "On Hold")["IsActive"] = False
    verdict = doctor.failed_verdict("stages")
    assert "'On Hold'" in verdict.found
    assert "Setup" in verdict.remedy


def test_a_closed_on_hold_stage_fails(doctor: Doctor, systems: Systems) -> None:
    stage_record(systems, "On Hold")["IsClosed"] = True
    assert "closed" in doctor.failed_verdict("stages").found


def test_an_inactive_or_missing_user_fails(systems: Systems) -> None:
    name = systems.environ["SALESFORCE_USERNAME"]
    user = next(user for user in systems.salesforce.org.stored_records("User") if user["Username"] == name)
    installation = Installation()
    installation.salesforce.organization_id()  # sign in before the user is deactivated
    user["IsActive"] = False
    assert "not active" in salesforce_checks.check_integration_user(installation).found
    user["Username"] = "renamed@example.com"
    assert "the org shows no user" in salesforce_checks.check_integration_user(installation).found
    installation.close()


def test_the_conditional_update_passes_and_changes_nothing(doctor: Doctor, systems: Systems) -> None:
    original = [dict(record) for record in systems.salesforce.org.stored_records("Opportunity")]
    verdict = doctor.run("conditional update")["conditional update"]
    assert (verdict.result, "412" in verdict.found) == (Result.OK, True)
    assert [dict(record) for record in systems.salesforce.org.stored_records("Opportunity")] == original


def test_an_org_that_ignores_the_condition_fails_with_the_remedy_not_to_turn_on(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulators.salesforce.rest.records.check_unmodified", lambda *_: None)
    assert "Do not turn the sync on" in doctor.failed_verdict("conditional update").remedy


def test_a_locked_record_skips_the_conditional_update(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, systems: Systems
) -> None:
    def answer_locked(_: object, writes: list[object], __: object) -> list[Written]:
        return [Written(write.id, None, systems.salesforce.clock.now(), locked=True) for write in writes]  # type: ignore[attr-defined]  # a Write

    monkeypatch.setattr("shared.clients.salesforce.client.SalesforceClient.update_unmodified", answer_locked)
    assert doctor.run("conditional update")["conditional update"].result is Result.SKIPPED


def test_a_spent_budget_fails(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.rest.used = 90_000
    assert "of 100000 API calls" in doctor.failed_verdict("Salesforce API budget").found


def use_mapping_file(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """Write a mapping file that extends the default, and set it."""
    path = folder / "changed.toml"
    phone = "" if "[fields.team]" in text else f'[fields.team]\ndefault_phone = "{DEFAULT_PHONE}"\n'
    path.write_text(f'extends = "default"\n{text}{phone}', encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(path))
