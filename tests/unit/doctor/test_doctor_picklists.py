"""The doctor's checks of picklists: mapping file and org know each other's values, for each record type too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.salesforce.org_switches import restrict_picklist
from local.systems import Systems
from shared.doctor.finding import Result, ok
from shared.doctor.picklist_checks import MICROSOFT_STATUSES
from tests.unit.doctor.conftest import Doctor
from tests.unit.doctor.test_doctor_salesforce import use_mapping_file
from tests.unit.emulators.salesforce.control_calls import control

ALL_STAGES = [
    "On Hold", "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers",
    "Perception Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost",
]  # fmt: skip
MARKS = ["Synced", "Synced with differences", "Waiting", "Failed"]


@pytest.fixture
def org(systems: Systems) -> Iterator[Systems]:
    yield systems
    systems.salesforce.reset_state()


def record_type(systems: Systems, name: str, *, default: bool = True, **values: list[str]) -> None:
    control(
        systems.salesforce, "record_type", sobject="Opportunity", developer_name=name, default=default, values=values
    )


def test_a_stage_of_the_org_without_an_entry_is_named(doctor: Doctor, org: Systems) -> None:
    org.salesforce.insert("OpportunityStage", {"MasterLabel": "Renewal", "ApiName": "Renewal"})
    verdict = doctor.failed_verdict("stages")
    assert verdict.found == "the mapping file has no entry for the active stage 'Renewal'"
    assert "[[stages]]" in verdict.remedy


def test_an_optional_field_whose_column_the_org_lacks_is_off_and_no_fault(doctor: Doctor, org: Systems) -> None:
    org.salesforce.org.model.get("Opportunity").fields.pop("marketing_campaign_id__c", None)
    verdict = doctor.run("mapped fields")["mapped fields"]
    assert verdict.result is Result.OK
    assert "off, because the org lacks their column:" in verdict.found
    assert "campaign" in verdict.found


def test_a_free_text_may_not_go_into_a_restricted_picklist(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert doctor.run("picklists")["picklists"].result is Result.OK
    use_mapping_file(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "Type"\n')
    control(org.salesforce, "restrict", sobject="Opportunity", field="Type")
    verdict = doctor.failed_verdict("picklists")
    assert verdict.found == "notes: Type is a restricted picklist, and a referral may have any text"
    use_mapping_file(monkeypatch, tmp_path, '[fields.notes]\nsalesforce = "Type"\ndirection = "to_partner_center"\n')
    assert doctor.run("picklists")["picklists"].result is Result.OK


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        (
            "Solution_Area__c",
            ["Security"],
            "solution_area: Solution_Area__c is a restricted picklist that lacks 'Cloud",
        ),
        ("Partner_Center_Sales_Stage__c", ["10", "20", "40", "60", "80"], "sales_stage: Partner_Center_Sales_Stage__c"),
    ],
)
def test_a_restricted_picklist_lacks_no_value_that_the_mapping_file_lists(
    doctor: Doctor, org: Systems, column: str, values: list[str], found: str
) -> None:
    restrict_picklist(org.salesforce.org, "Opportunity", column, restricted=True, values=values)
    assert found in doctor.failed_verdict("picklists").found


def test_an_org_without_record_types_passes(doctor: Doctor) -> None:
    assert doctor.run("record types")["record types"] == ok("opportunities of this org have no record types")


def test_record_types_that_offer_all_pass(doctor: Doctor, org: Systems) -> None:
    record_type(org, "Partner", StageName=ALL_STAGES, Sync_Status__c=MARKS)
    assert doctor.run("record types")["record types"] == ok("1 record types offer what the sync writes")


def test_a_stage_that_the_record_type_of_arrivals_lacks_is_named(doctor: Doctor, org: Systems) -> None:
    record_type(org, "Partner", StageName=[name for name in ALL_STAGES if name != "On Hold"])
    record_type(org, "Renewals", default=False, StageName=["Prospecting"])
    verdict = doctor.failed_verdict("record types")
    assert verdict.found == "Partner does not offer 'On Hold' of StageName"
    assert "sales process" in verdict.remedy


def test_a_mark_that_any_record_type_lacks_is_named(doctor: Doctor, org: Systems) -> None:
    record_type(org, "Renewals", default=False, Sync_Status__c=["Synced", "Waiting", "Failed"])
    verdict = doctor.failed_verdict("record types")
    assert verdict.found == "Renewals does not offer 'Synced with differences' of Sync_Status__c"


def test_a_microsoft_status_that_any_record_type_lacks_is_named(doctor: Doctor, org: Systems) -> None:
    record_type(org, "Renewals", default=False, Microsoft_Status__c=["Asked", "Accepted", "Declined", "Won", "Lost"])
    verdict = doctor.failed_verdict("record types")
    assert verdict.found == "Renewals does not offer 'Expired', 'Error' of Microsoft_Status__c"


def test_an_org_without_microsoft_status_lacks_no_value_of_it(doctor: Doctor, org: Systems) -> None:
    record_type(org, "Partner", StageName=ALL_STAGES)
    del org.salesforce.org.model.get("Opportunity").fields["microsoft_status__c"]
    assert doctor.run("record types")["record types"] == ok("1 record types offer what the sync writes")


def test_the_package_has_the_values_of_microsoft_status_that_are_checked(org: Systems) -> None:
    field = org.salesforce.org.model.get("Opportunity").find_field("Microsoft_Status__c")
    assert field
    assert tuple(value for value, _ in field.values) == MICROSOFT_STATUSES


def test_an_org_that_does_not_tell_the_values_skips_the_check(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_type(org, "Partner", StageName=ALL_STAGES)
    monkeypatch.setattr("shared.doctor.picklist_checks.offered_values", lambda *_: None)
    found = doctor.run("record types")["record types"]
    assert (found.result, "does not tell" in found.found) == (Result.SKIPPED, True)


def test_the_record_type_of_the_mapping_file_is_checked(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record_type(org, "Direct")
    record_type(org, "Partner", default=False, StageName=["Qualification"])
    use_mapping_file(monkeypatch, tmp_path, '[new.Opportunity]\nrecord_type = "partner"\n')
    assert doctor.failed_verdict("record types").found.startswith("Partner does not offer 'Closed Lost'")
    use_mapping_file(monkeypatch, tmp_path, '[new.Opportunity]\nrecord_type = "Nope"\n')
    verdict = doctor.failed_verdict("record types")
    assert verdict.found == "the org has no record type 'Nope' that the user may use; it has Direct, Partner"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("PersonAccount", "new.Account.record_type: 'PersonAccount' makes people, and the sync makes companies"),
        ("Nope", "new.Account.record_type: the user has no record type 'Nope'"),
    ],
)
def test_a_record_type_that_makes_no_company_is_named(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, found: str
) -> None:
    control(org.salesforce, "person_accounts")
    use_mapping_file(monkeypatch, tmp_path, f'[new.Account]\nrecord_type = "{name}"\n')
    assert doctor.failed_verdict("record types").found == found
