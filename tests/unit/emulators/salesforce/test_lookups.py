"""Custom lookup fields: docs/reference/salesforce.md#custom-fields-in-metadata."""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.write_paths import codes_by_path
from tests.unit.emulators.salesforce_metadata.deploy_client import Deployer, single_field_package

XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
LOOKUP = (
    "<label>Partner</label><referenceTo>Account</referenceTo><relationshipLabel>Partner deals</relationshipLabel>"
    "<relationshipName>Partner_Deals</relationshipName><type>Lookup</type>"
)


@pytest.fixture
def partner(api: ApiSession) -> str:
    """An account, in an org whose opportunities have a lookup to accounts."""
    xml = f"<CustomField {XMLNS}><fullName>Partner__c</fullName>{LOOKUP}</CustomField>"
    control(api.emulator, "field", sobject="Opportunity", xml=xml)
    return api.emulator.insert("Account", {"Name": "Partner"})


def test_a_lookup_takes_the_ids_of_its_object_only(api: ApiSession, partner: str) -> None:
    assert codes_by_path(api, "Opportunity", {**DEAL, "Partner__c": partner}) == {()}
    contact = api.emulator.insert("Contact", {"LastName": "L"})
    for value, code in {contact: "FIELD_INTEGRITY_EXCEPTION", "x": "MALFORMED_ID"}.items():
        assert codes_by_path(api, "Opportunity", {**DEAL, "Partner__c": value}) == {(code,)}


def test_queries_follow_a_lookup_both_ways(api: ApiSession, partner: str) -> None:
    deal = api.create_deal(Partner__c=partner)
    soql = "SELECT Partner__c, Partner__r.Name FROM Opportunity WHERE Partner__r.Name = 'Partner'"
    (found,) = api.query_records(soql)
    assert (found["Partner__c"], found["Partner__r"]["Name"]) == (partner, "Partner")
    (above,) = api.query_records("SELECT Id, (SELECT Id FROM Partner_Deals__r) FROM Account")
    assert [each["Id"] for each in above["Partner_Deals__r"]["records"]] == [deal]


def test_the_schema_describes_a_lookup(api: ApiSession, partner: str) -> None:
    fields = api("GET", "/sobjects/Opportunity/describe").json()["fields"]
    field = next(each for each in fields if each["name"] == "Partner__c")
    told = (field["type"], field["referenceTo"], field["relationshipName"], field["cascadeDelete"])
    assert told == ("reference", ["Account"], "Partner__r", False)
    children = api("GET", "/sobjects/Account/describe").json()["childRelationships"]
    assert {each["relationshipName"]: each["cascadeDelete"] for each in children}["Partner_Deals__r"] is False
    assert partner


def test_a_lookup_is_emptied_with_its_record(api: ApiSession, partner: str) -> None:
    deal = api.create_deal(Partner__c=partner)
    api.emulator.delete("Account", partner)
    record = api.emulator.record("Opportunity", deal)
    assert (record["Partner__c"], record["IsDeleted"]) == (None, False)


def test_a_required_lookup_is_needed(api: ApiSession, partner: str) -> None:
    control(api.emulator, "required", sobject="Opportunity", field="Partner__c")
    assert codes_by_path(api, "Opportunity", DEAL) == {("REQUIRED_FIELD_MISSING",)}
    assert codes_by_path(api, "Opportunity", {**DEAL, "Partner__c": partner}) == {()}


def test_a_lookup_is_deployed_if_its_object_exists(api: ApiSession) -> None:
    deployer = Deployer(api.emulator)
    assert deployer.deploy(single_field_package("Partner__c", LOOKUP))["success"]
    wrong = LOOKUP.replace("Account", "Nope")
    assert deployer.deploy_refusals(single_field_package("Other__c", wrong)) == [
        "referenceTo value of 'Nope' does not resolve to a valid sObject type"
    ]
    missing = "<label>Partner</label><type>Lookup</type>"
    assert deployer.deploy_refusals(single_field_package("Third__c", missing)) == [
        "Must specify 'referenceTo' for a CustomField of type Lookup"
    ]
