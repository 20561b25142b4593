"""Deployments of objects with a master-detail field, and what the package's permission sets allow with them.

The rules: docs/reference/salesforce.md#custom-objects-in-metadata and
docs/reference/salesforce.md#permission-sets-in-metadata.
"""

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.source_format import Package
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce_metadata.deploy_client import (
    XMLNS,
    Deployer,
    single_component_package,
    single_field_package,
    whole_package,
)

ROW, SOLUTION = "Cosell_Deal_Solution__c", "Cosell_Solution__c"
OPPORTUNITIES = (
    "<label>Deal</label><referenceTo>Opportunity</referenceTo><relationshipLabel>Rows</relationshipLabel>"
    "<relationshipName>Rows</relationshipName><type>MasterDetail</type>"
)
RIGHTS = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords")


def _object(model: str, name_field: str, field: str = OPPORTUNITIES) -> Package:
    """A package with the object Row__c and one field of it."""
    text = (
        f"<CustomObject {XMLNS}><deploymentStatus>Deployed</deploymentStatus>"
        f"<fields><fullName>Deal__c</fullName>{field}</fields><label>Row</label><nameField>{name_field}</nameField>"
        f"<pluralLabel>Rows</pluralLabel><sharingModel>{model}</sharingModel></CustomObject>"
    )
    members = {"CustomObject": ("Row__c",), "CustomField": ("Row__c.Deal__c",)}
    return Package({"objects/Row__c.object": text.encode()}, members)


NUMBERED = "<displayFormat>R-{000}</displayFormat><label>Number</label><type>AutoNumber</type>"


def test_a_detail_is_deployed_with_its_object(org: SalesforceEmulator, deployer: Deployer) -> None:
    assert deployer.deploy(_object("ControlledByParent", NUMBERED))["success"]
    deal = org.insert("Opportunity", {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"})
    rows = [org.insert("Row__c", {"Deal__c": deal}) for _ in range(2)]
    assert [org.record("Row__c", each)["Name"] for each in rows] == ["R-001", "R-002"]
    assert org.org.model.get("Row__c").find_field("OwnerId") is None


@pytest.mark.parametrize(
    ("model", "name_field", "field", "message"),
    [
        ("Read", NUMBERED, OPPORTUNITIES, "Must set sharingModel to ControlledByParent"),
        ("ControlledByParent", NUMBERED, "<label>Deal</label><length>9</length><type>Text</type>",
         "without a MasterDetail relationship field"),
        ("ControlledByParent", NUMBERED.replace("R-{000}", "R"), OPPORTUNITIES, "Must specify 'displayFormat'"),
        ("ControlledByParent", NUMBERED, f"{OPPORTUNITIES}<required>true</required>", "Can not specify 'required'"),
        ("ControlledByParent", NUMBERED, OPPORTUNITIES.replace("Opportunity<", "Nope<"), "does not resolve"),
    ],
)  # fmt: skip
def test_a_detail_of_another_shape_is_refused(
    deployer: Deployer, model: str, name_field: str, field: str, message: str
) -> None:
    refusals = deployer.deploy_refusals(_object(model, name_field, field))
    assert any(message in each for each in refusals), refusals


def test_a_required_lookup_restricts_or_cascades(deployer: Deployer) -> None:
    lookup = "<label>Partner</label><referenceTo>Account</referenceTo><required>true</required><type>Lookup</type>"
    [refusal] = deployer.deploy_refusals(single_field_package("Partner__c", lookup))
    assert refusal == "Must specify either cascade delete or restrict delete for required lookup foreign key"
    assert deployer.deploy(
        single_field_package("Partner__c", f"<deleteConstraint>Restrict</deleteConstraint>{lookup}")
    )["success"]


def test_rights_to_a_detail_need_read_on_its_parent(deployer: Deployer) -> None:
    deployer.deploy(whole_package())
    flags = "".join(f"<{right}>{str(right == 'allowRead').lower()}</{right}>" for right in RIGHTS)
    text = (
        f"<PermissionSet {XMLNS}><label>P</label><objectPermissions>{flags}<object>{ROW}</object>"
        "<viewAllRecords>false</viewAllRecords></objectPermissions></PermissionSet>"
    )
    package = single_component_package("permissionsets/P.permissionset", text, "PermissionSet", "P")
    assert deployer.deploy_refusals(package) == [f"Permission Read {ROW} depends on permission(s): Read Opportunity"]


@pytest.mark.parametrize(
    ("related", "message"),
    [
        (f"<relatedList>{ROW}.Nope__c</relatedList>", f"Cannot find related list:{ROW}.Nope__c"),
        (f"<relatedList>{ROW}.Solution__c</relatedList>", f"Cannot find related list:{ROW}.Solution__c"),
        (f"<fields>Nope__c</fields><relatedList>{ROW}.Opportunity__c</relatedList>",
         f"Invalid field:Nope__c in related list:{ROW}.Opportunity__c"),
    ],
)  # fmt: skip
def test_a_related_list_that_does_not_exist_is_refused(deployer: Deployer, related: str, message: str) -> None:
    whole = whole_package()
    deployer.deploy(whole)
    name = "layouts/Opportunity-Co-sell Layout.layout"
    head, _, rest = whole.files[name].decode().partition("<relatedLists>")
    text = f"{head}<relatedLists>{related}</relatedLists>{rest.partition('</relatedLists>')[2]}"
    package = single_component_package(name, text, "Layout", "Opportunity-Co-sell Layout")
    assert deployer.deploy_refusals(package) == [message]


@pytest.fixture
def api() -> ApiSession:
    """A session of a user whose rights a test chooses, in an org with the package and a solution."""
    org = SalesforceEmulator(public_url="https://acme.example")
    name = {"Username": "robot@partner.example", "LastName": "Robot"}
    user = org.org.insert("User", name, org.founding.administrator)
    org.insert(SOLUTION, {"Name": "Ledger", "Solution_Id__c": "SOL-1"})
    return ApiSession(org, org.oauth.issue_session_id(user))


def _give(api: ApiSession, name: str) -> None:
    control(api.emulator, "permission_sets", username="robot@partner.example", names=[name])


def test_the_integration_user_writes_rows_and_catalogue_where_it_may_edit_the_deal(api: ApiSession) -> None:
    deal = api.create_deal()
    _give(api, "Cosell_Integration")
    control(api.emulator, "sharing", sobject="Opportunity", model="Private")
    values = {"Opportunity__c": deal, "Solution__r": {"Solution_Id__c": "SOL-1"}, "Key__c": f"{deal}|SOL-1"}
    code = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert status_and_code(api("POST", f"/sobjects/{ROW}", values)) == (400, code), "View All only reads"
    control(api.emulator, "group", name="Cosell_Integration_2", members=["robot@partner.example"])
    rule = {"sobject": "Opportunity", "group": "Cosell_Integration_2", "edit": True}
    control(api.emulator, "sharing_rule", name="All", **rule)
    made = api("POST", f"/sobjects/{ROW}", values)
    assert made.status == 201, made.body
    assert api("PATCH", f"/sobjects/{SOLUTION}/Solution_Id__c/SOL-2", {"Name": "New", "Active__c": False}).status == 201
    soql = "SELECT Id, (SELECT Key__c, Solution__r.Active__c FROM Cosell_Solutions__r) FROM Opportunity"
    assert len(api.query_records(soql)[0]["Cosell_Solutions__r"]["records"]) == 1
    assert api("DELETE", f"/sobjects/{ROW}/{made.json()['id']}").status == 204


def test_sellers_pick_from_the_catalogue_and_do_not_change_it(api: ApiSession) -> None:
    deal = api.create_deal()
    _give(api, "Cosell_Seller")
    solution = api.query_records("SELECT Id, Solution_Id__c FROM Cosell_Solution__c")[0]["Id"]
    made = api("POST", f"/sobjects/{ROW}", {"Opportunity__c": deal, "Solution__c": solution})
    assert made.status == 201, made.body
    refused = api("POST", f"/sobjects/{ROW}", {"Opportunity__c": deal, "Solution__c": solution, "Key__c": "k"})
    assert status_and_code(refused)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert status_and_code(api("PATCH", f"/sobjects/{SOLUTION}/{solution}", {"Name": "x"}))[1] == (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    )
    assert api("DELETE", f"/sobjects/{ROW}/{made.json()['id']}").status == 204
