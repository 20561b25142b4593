"""The doctor's check of what a new record needs: each column that Salesforce demands gets a value."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.systems import USERNAME, Systems
from shared.doctor.finding import Result, ok
from tests.unit.doctor.conftest import Doctor
from tests.unit.doctor.test_doctor_salesforce import use_mapping_file
from tests.unit.emulators.salesforce.control_calls import control

XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PARTS = "<fullName>Region__c</fullName><label>Region</label><length>9</length><type>Text</type>"
REGION = f"<CustomField {XMLNS}>{PARTS}</CustomField>"


@pytest.fixture
def org(systems: Systems) -> Iterator[Systems]:
    yield systems
    systems.salesforce.reset_state()


def require(systems: Systems, sobject: str, field: str) -> None:
    control(systems.salesforce, "required", sobject=sobject, field=field)


def test_the_package_and_the_default_file_fill_what_an_org_needs(doctor: Doctor, org: Systems) -> None:
    control(org.salesforce, "permission_sets", username=USERNAME, names=["Cosell_Integration"])
    verdicts = doctor.run("new records", "mapped fields", "custom fields", "Salesforce permissions")
    assert {verdict.result for verdict in verdicts.values()} == {Result.OK}, verdicts


@pytest.mark.parametrize("sobject", ["Opportunity", "Account", "Contact"])
def test_a_required_column_that_nothing_fills_is_told_with_the_table_that_would(
    doctor: Doctor, org: Systems, sobject: str
) -> None:
    control(org.salesforce, "field", sobject=sobject, xml=REGION)
    require(org, sobject, "Region__c")
    verdict = doctor.failed_verdict("new records")
    assert verdict.found == f"{sobject}.Region__c is required, and nothing fills it"
    assert "[new.OBJECT]" in verdict.remedy


def test_a_required_column_that_a_referral_can_leave_empty_is_told(doctor: Doctor, org: Systems) -> None:
    require(org, "Opportunity", "Products__c")
    found = doctor.failed_verdict("new records").found
    assert (
        found
        == "Opportunity.Products__c is required, and fields.solutions leaves it empty where the referral has no value"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [('[fields.closing]\ndirection = "to_partner_center"\n', 3), ('[fields.closing]\nwhen = ["update"]\n', 0)],
)
def test_a_field_that_every_deal_needs_must_travel_to_salesforce(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, line: int
) -> None:
    use_mapping_file(monkeypatch, tmp_path, text)
    if not line:
        assert doctor.failed_verdict("mapping file").found.startswith("changed.toml, line 3: fields.closing.when")
        return
    verdict = doctor.failed_verdict("new records")
    assert (
        verdict.found == "Opportunity.CloseDate is required, and fields.closing (changed.toml, line 3) does not fill it"
    )
    assert "let a field travel to Salesforce" in verdict.remedy


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("Contact.AccountId", "Contact.AccountId does not exist, or the user may not write it"),
        ("Opportunity.AccountId", "Opportunity.AccountId does not exist, or the user may not write it"),
    ],
)
def test_a_column_that_ties_the_records_together_must_be_writable(
    doctor: Doctor, org: Systems, column: str, found: str
) -> None:
    limit(org, column)
    assert found in doctor.failed_verdict("new records").found


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("Contact.Email", "contacts: Contact.Email may not be written by the user on a new record"),
        ("Account.BillingAddress", "account: Account.BillingCity may not be written by the user on a new record"),
        ("Opportunity.Amount", "money: Amount may not be written by the user on a new record"),
    ],
)
def test_read_only_columns_of_account_contact_and_deal_are_told(
    doctor: Doctor, org: Systems, column: str, found: str
) -> None:
    limit(org, column, b"<editable>false</editable>")
    assert found in doctor.failed_verdict("mapped fields").found


@pytest.mark.parametrize(("column", "name"), [("Contact.Phone", "contacts"), ("Account.NumberOfEmployees", "size")])
def test_hidden_columns_of_account_and_contact_are_told(doctor: Doctor, org: Systems, column: str, name: str) -> None:
    limit(org, column)
    assert (
        f"{name}: {column} does not exist, or the user may not see it" in doctor.failed_verdict("mapped fields").found
    )


def limit(systems: Systems, column: str, editable: bytes = b"") -> None:
    """Give the integration user the package's rights, except that this column is hidden, or read-only."""
    sets, key = systems.salesforce.deployments.documents.kept, ("PermissionSet", "Cosell_Integration")
    start, field, rest = sets[key].partition(f"<field>{column}</field>".encode())
    assert field, column
    opening = start.rindex(b"<fieldPermissions>")
    closing = rest.index(b"</fieldPermissions>") + len(b"</fieldPermissions>")
    kept = (
        b"<fieldPermissions>" + editable + field + b"<readable>true</readable></fieldPermissions>" if editable else b""
    )
    sets[key] = start[:opening] + kept + rest[closing:]
    control(systems.salesforce, "permission_sets", username=USERNAME, names=["Cosell_Integration"])


def test_the_active_duplicate_rules_are_told_with_what_the_sync_does(doctor: Doctor, org: Systems) -> None:
    nothing = "no duplicate rule is active for accounts and contacts"
    assert doctor.run("duplicate rules")["duplicate rules"] == ok(nothing)
    control(org.salesforce, "duplicate_rules", blocks=["Contact"])
    found = doctor.run("duplicate rules")["duplicate rules"].found
    assert "Standard Account Duplicate Rule alerts: an account that it names is used" in found
    assert "Standard Contact Duplicate Rule blocks: the match on the account is used, else the deal arrives" in found


def test_rules_that_the_user_may_not_read_skip_the_check(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.doctor.new_record_checks.active_rules", lambda *_: None)
    verdict = doctor.run("duplicate rules")["duplicate rules"]
    assert (verdict.result, "Setup, Duplicate Rules" in verdict.found) == (Result.SKIPPED, True)


def test_a_default_of_the_mapping_file_fills_a_required_column(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    control(org.salesforce, "field", sobject="Opportunity", xml=REGION)
    require(org, "Opportunity", "Region__c")
    assert doctor.run("arrival")["arrival"].result is Result.FAILED
    use_mapping_file(monkeypatch, tmp_path, '[new.Opportunity]\ndefaults = { region__c = "EMEA" }\n')
    verdicts = doctor.run("new records", "arrival")
    assert {verdicts[name].result for name in ("new records", "arrival")} == {Result.OK}, verdicts


@pytest.mark.parametrize(
    ("default", "found"),
    [
        ('Nope__c = "x"', "new.Opportunity.defaults: Nope__c does not exist, or the user may not write it"),
        ('Type = "Odd"', "new.Opportunity.defaults: Type is a picklist without the value 'Odd'"),
    ],
)
def test_a_default_that_the_org_cannot_hold_is_told(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, default: str, found: str
) -> None:
    control(org.salesforce, "restrict", sobject="Opportunity", field="Type")
    use_mapping_file(monkeypatch, tmp_path, f"[new.Opportunity]\ndefaults = {{ {default} }}\n")
    verdict = doctor.failed_verdict("new records")
    assert verdict.found == found
    assert "Correct the defaults" in verdict.remedy
