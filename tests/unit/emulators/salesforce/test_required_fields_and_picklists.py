"""Required custom fields, restricted picklists, and record types with stages of their own.

The requirements: docs/reference/salesforce.md#what-differs-between-orgs.
"""

from typing import Any

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce.write_paths import codes_by_path, errors_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
REGION = (
    '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Region__c</fullName><label>Region</label>'
    "<length>40</length><type>Text</type></CustomField>"
)
MISSING = {("REQUIRED_FIELD_MISSING",)}
BAD_PICK = {("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",)}
KEY = "Referral_Identifier__c"


def _described_field(api: ApiSession, sobject: str, name: str) -> dict[str, Any]:
    fields = api("GET", f"/sobjects/{sobject}/describe").json()["fields"]
    found: dict[str, Any] = next(each for each in fields if each["name"] == name)
    return found


@pytest.mark.parametrize(("sobject", "values"), [("Opportunity", DEAL), ("Account", {"Name": "A"})])
def test_a_required_custom_field_is_needed_in_every_creation(
    api: ApiSession, sobject: str, values: dict[str, object]
) -> None:
    control(api.emulator, "field", sobject=sobject, xml=REGION)
    assert codes_by_path(api, sobject, values) == {()}
    control(api.emulator, "required", sobject=sobject, field="region__c")
    found = errors_by_path(api, sobject, values)
    assert {tuple(each["fields"]) for errors in found.values() for each in errors} == {("Region__c",)}
    assert codes_by_path(api, sobject, values) == MISSING
    assert codes_by_path(api, sobject, {**values, "Region__c": "North"}) == {()}
    assert _described_field(api, sobject, "Region__c")["nillable"] is False


def test_a_record_without_the_value_cannot_be_saved_until_it_has_one(api: ApiSession) -> None:
    deal = api.create_deal()
    control(api.emulator, "field", sobject="Opportunity", xml=REGION)
    control(api.emulator, "required", sobject="Opportunity", field="Region__c")
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == MISSING
    assert codes_by_path(api, "Opportunity", {"Region__c": None}, edited=deal) == MISSING
    assert codes_by_path(api, "Opportunity", {"Region__c": "North"}, edited=deal) == {()}
    control(api.emulator, "required", sobject="Opportunity", field="Region__c", required=False)
    assert codes_by_path(api, "Opportunity", {"Region__c": None}, edited=deal) == {()}


@pytest.mark.parametrize("field", ["NextStep", "Sync_Mark__c", "Sync_with_Partner_Center__c", "Nope__c"])
def test_only_custom_fields_that_people_write_can_be_required(api: ApiSession, field: str) -> None:
    assert control_answer(api.emulator, "required", sobject="Opportunity", field=field).status == 400


@pytest.mark.parametrize(
    ("sobject", "field", "values"),
    [
        ("Opportunity", "StageName", DEAL),
        ("Opportunity", "LeadSource", DEAL),
        ("Account", "Industry", {"Name": "A"}),
    ],
)
def test_a_restricted_picklist_takes_its_values_only(
    api: ApiSession, sobject: str, field: str, values: dict[str, object]
) -> None:
    assert codes_by_path(api, sobject, {**values, field: "Odd"}) == {()}
    control(api.emulator, "restrict", sobject=sobject, field=field)
    assert codes_by_path(api, sobject, {**values, field: "Odd"}) == BAD_PICK
    assert codes_by_path(api, sobject, values) == {()}
    assert _described_field(api, sobject, field)["restrictedPicklist"] is True


def test_a_picklist_may_get_other_values(api: ApiSession) -> None:
    control(api.emulator, "restrict", sobject="OpportunityContactRole", field="Role", values=["Buyer"])
    picks = _described_field(api, "OpportunityContactRole", "Role")["picklistValues"]
    assert [each["value"] for each in picks] == ["Buyer"]
    role = {"OpportunityId": api.create_deal(), "ContactId": api.emulator.insert("Contact", {"LastName": "L"})}
    assert codes_by_path(api, "OpportunityContactRole", {**role, "Role": "Other"}) == BAD_PICK
    assert codes_by_path(api, "OpportunityContactRole", {**role, "Role": "Buyer"}) == {()}


def test_a_stored_value_outside_the_picklist_stays_and_other_columns_can_be_written(api: ApiSession) -> None:
    deal = api.create_deal(StageName="Odd")
    control(api.emulator, "restrict", sobject="Opportunity", field="StageName")
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}
    assert codes_by_path(api, "Opportunity", {"StageName": "Odd"}, edited=deal) == BAD_PICK


def _make_partner_type(api: ApiSession, **more: object) -> str:
    stages = {"StageName": ["Qualification", "Closed Won"]}
    wish = {"sobject": "Opportunity", "developer_name": "Partner_Deal", "values": stages, **more}
    record_type: str = control(api.emulator, "record_type", **wish).json()["id"]
    return record_type


def test_without_record_types_no_object_has_the_column(api: ApiSession) -> None:
    assert api.query_refusal("SELECT RecordTypeId FROM Opportunity")[0] == "INVALID_FIELD"
    (info,) = api("GET", "/sobjects/Opportunity/describe").json()["recordTypeInfos"]
    assert info["master"] is True


def test_a_record_type_has_stages_of_its_own(api: ApiSession) -> None:
    partner = _make_partner_type(api)
    typed = {**DEAL, "RecordTypeId": partner}
    assert codes_by_path(api, "Opportunity", typed, key_field=KEY) == BAD_PICK
    assert codes_by_path(api, "Opportunity", {**typed, "StageName": "Qualification"}, key_field=KEY) == {()}
    assert codes_by_path(api, "Opportunity", DEAL) == {()}
    deal = next(each["Id"] for each in api.emulator.records("Opportunity") if each["RecordTypeId"] == partner)
    assert codes_by_path(api, "Opportunity", {"StageName": "Prospecting"}, edited=deal) == BAD_PICK
    found, *_ = api.query_records(
        "SELECT RecordType.DeveloperName FROM Opportunity WHERE RecordType.Name = 'Partner Deal'"
    )
    assert found["RecordType"]["DeveloperName"] == "Partner_Deal"


def test_the_default_record_type_applies_to_creations_that_name_none(api: ApiSession) -> None:
    _make_partner_type(api, default=True)
    assert codes_by_path(api, "Opportunity", DEAL) == BAD_PICK
    assert codes_by_path(api, "Opportunity", {**DEAL, "RecordTypeId": None}) == {()}


def test_a_record_type_of_another_object_or_an_inactive_one_is_refused(api: ApiSession) -> None:
    wish = {"sobject": "Account", "developer_name": "Customer"}
    other = control(api.emulator, "record_type", **wish).json()["id"]
    inactive = _make_partner_type(api, active=False)
    for each in (other, inactive):
        found = codes_by_path(api, "Opportunity", {**DEAL, "RecordTypeId": each})
        assert found == {("INVALID_CROSS_REFERENCE_KEY",)}


def test_the_schema_tells_the_record_types_and_what_each_offers(api: ApiSession) -> None:
    partner = _make_partner_type(api, default=True)
    infos = api("GET", "/sobjects/Opportunity/describe").json()["recordTypeInfos"]
    told = [(each["developerName"], each["master"], each["defaultRecordTypeMapping"]) for each in infos]
    assert told == [("Partner_Deal", False, True), ("Master", True, False)]
    mappings = api("GET", "/sobjects/Opportunity/describe/layouts").json()["recordTypeMappings"]
    stages = {
        mapping["developerName"]: [pick["value"] for pick in picklist["picklistValues"]]
        for mapping in mappings
        for picklist in mapping["picklistsForRecordType"]
        if picklist["picklistName"] == "StageName"
    }
    assert stages["Partner_Deal"] == ["Qualification", "Closed Won"]
    assert "Prospecting" in stages["Master"]
    path = f"/ui-api/object-info/Opportunity/picklist-values/{partner}/StageName"
    assert [each["value"] for each in api("GET", path).json()["values"]] == ["Qualification", "Closed Won"]
    assert api("GET", "/ui-api/object-info/Opportunity/picklist-values/nonsense/StageName").status == 404
    soql = "SELECT DeveloperName FROM RecordType WHERE SobjectType = 'Opportunity'"
    assert api.query_values(soql, "DeveloperName") == ["Partner_Deal"]
