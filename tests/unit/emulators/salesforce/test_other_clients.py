"""What other clients ask: columns of a query, lists of metadata, limits, and resources that the emulator lacks.

The requests: docs/reference/salesforce.md#requests-of-the-salesforce-cli.
"""

from typing import Any
from urllib.parse import quote

import pytest

from emulators.salesforce.metadata.xml_schema import parse_xml
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce_metadata.deploy_client import XMLNS, Deployer

KEY = "Referral_Identifier__c"
REGION = (
    f"<CustomField {XMLNS}><fullName>Region__c</fullName><label>R</label><length>9</length><type>Text</type>"
    "</CustomField>"
)


def _columns(api: ApiSession, soql: str) -> dict[str, Any]:
    answer = api("GET", f"/query?q={quote(soql)}&columns=true")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.json()
    return body


def _soap_texts(api: ApiSession, operation: str, path: str) -> list[str]:
    answer = Deployer(api.emulator).send_soap(operation)
    assert answer.status == 200, answer.body
    return [each.text for each in parse_xml(answer.body).iterfind(f".//{path}")]


def test_the_columns_of_a_query_are_described_without_its_records(api: ApiSession) -> None:
    body = _columns(api, "SELECT Id, Amount, IsClosed, Audit__c FROM Opportunity")
    assert (body["entityName"], body["keyPrefix"], body["idSelected"], body["groupBy"]) == (
        "Opportunity", "006", True, False,
    )  # fmt: skip
    kinds = {
        each["columnName"]: (each["apexType"], each["numberType"], each["booleanType"], each["custom"])
        for each in body["columnMetadata"]
    }
    assert kinds == {
        "Id": ("Id", False, False, False), "Amount": ("Double", True, False, False),
        "IsClosed": ("Boolean", False, True, False), "Audit__c": ("String", False, False, True),
    }  # fmt: skip


def test_parents_and_subqueries_are_columns_with_columns(api: ApiSession) -> None:
    soql = "SELECT Account.Name, Account.Owner.Name, (SELECT Role FROM OpportunityContactRoles) FROM Opportunity"
    account, roles = _columns(api, soql)["columnMetadata"]
    assert (account["columnName"], roles["columnName"], roles["aggregate"]) == (
        "Account",
        "OpportunityContactRoles",
        True,
    )
    assert [each["columnName"] for each in account["joinColumns"]] == ["Name", "Owner"]
    assert [each["columnName"] for each in roles["joinColumns"]] == ["Role"]


@pytest.mark.parametrize("soql", ["SELECT Nope FROM Opportunity", "SELECT Id FROM Nope", "SELECT FROM"])
def test_a_wrong_query_has_no_columns(api: ApiSession, soql: str) -> None:
    assert api("GET", f"/query?q={quote(soql)}&columns=true").status == 400


def test_columns_of_a_hidden_field_are_refused(api: ApiSession) -> None:
    give_rights(api, {"Opportunity": "r"})
    soql = "SELECT Amount FROM Opportunity"
    answer = api("GET", f"/query?q={quote(soql)}&columns=true")
    assert status_and_code(answer) == (400, "INVALID_FIELD")


def test_all_limits_are_listed_with_what_remains(api: ApiSession) -> None:
    limits = api("GET", "/limits").json()
    assert {"DailyApiRequests", "DailyBulkV2QueryJobs", "DataStorageMB", "SingleEmail"} <= set(limits)
    assert all(set(each) == {"Max", "Remaining"} for each in limits.values())
    assert limits["DailyApiRequests"]["Remaining"] == 100_000 - 1


@pytest.mark.parametrize(
    "path",
    [
        "/tooling/query?q=x", "/tooling/sobjects/SourceMember/describe", "/tooling", "/search?q=FIND",
        "/parameterizedSearch?q=x", "/jobs/ingest", "/composite/tree/Account", "/composite/batch",
    ],
)  # fmt: skip
def test_a_resource_that_the_emulator_lacks_is_not_found_and_not_listed(api: ApiSession, path: str) -> None:
    assert status_and_code(api("GET", path)) == (404, "NOT_FOUND")
    assert not {"tooling", "search", "jobs"} & set(api("GET", "").json())


def test_custom_fields_and_objects_are_listed(api: ApiSession) -> None:
    control(api.emulator, "field", sobject="Account", xml=REGION)
    query = "<listMetadata {}><queries><type>{}</type></queries></listMetadata>"
    fields = _soap_texts(api, query.format(XMLNS, "CustomField"), "{*}fullName")
    assert {"Account.Region__c", f"Opportunity.{KEY}"} <= set(fields)
    assert "objects/Account.object" in _soap_texts(api, query.format(XMLNS, "CustomField"), "{*}fileName")
    assert {"Account", "Cosell_Inbox__c"} <= set(_soap_texts(api, query.format(XMLNS, "CustomObject"), "{*}fullName"))
    assert _soap_texts(api, query.format(XMLNS, "Nonsense"), "{*}fullName") == []


def test_the_types_of_metadata_are_described(api: ApiSession) -> None:
    call = f"<describeMetadata {XMLNS}><asOfVersion>66.0</asOfVersion></describeMetadata>"
    assert {"CustomObject", "PermissionSet", "Layout", "Flow"} <= set(_soap_texts(api, call, "{*}xmlName"))
    assert {"CustomField", "ValidationRule"} <= set(_soap_texts(api, call, "{*}childXmlNames"))


def test_a_record_is_deleted_by_its_external_id(api: ApiSession) -> None:
    deal = api.create_deal(**{KEY: "R1"})
    assert api("DELETE", f"/sobjects/Opportunity/{KEY}/r1").status == 204
    assert api.emulator.record("Opportunity", deal)["IsDeleted"] is True
    assert status_and_code(api("DELETE", f"/sobjects/Opportunity/{KEY}/r1")) == (404, "NOT_FOUND")
