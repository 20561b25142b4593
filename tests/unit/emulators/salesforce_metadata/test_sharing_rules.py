"""Deployed groups and sharing rules: docs/reference/salesforce.md#sharing-rules-in-metadata."""

import json

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.source_format import Package
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce_metadata.deploy_client import DEAL, XMLNS, Deployer

FLAG = (
    "<criteriaItems><field>Sync_with_Partner_Center__c</field><operation>equals</operation><value>True</value>"
    "</criteriaItems>"
)
KEY = (
    "<criteriaItems><field>Referral_Identifier__c</field><operation>notEqual</operation><value></value></criteriaItems>"
)
ALL_OWNERS = "<includeRecordsOwnedByAll>true</includeRecordsOwnedByAll>"
GROUP = f"<Group {XMLNS}><doesIncludeBosses>false</doesIncludeBosses><name>Co-sell</name></Group>"


def _package(criteria: str, *, group: str = "Cosell", owners: str = ALL_OWNERS, member: str = "") -> Package:
    rule = (
        "<sharingCriteriaRules><fullName>Ours</fullName><accessLevel>Edit</accessLevel><label>Ours</label>"
        f"<sharedTo><group>{group}</group></sharedTo>{criteria}{owners}</sharingCriteriaRules>"
    )
    files = {
        "groups/Cosell.group": GROUP.encode(),
        "sharingRules/Opportunity.sharingRules": f"<SharingRules {XMLNS}>{rule}</SharingRules>".encode(),
    }
    kinds = {"Group": ("Cosell",), "SharingRules": ("Opportunity",)}
    return Package(files, {**kinds, "SharingCriteriaRule": (member,)} if member else kinds)


def _closed_org() -> SalesforceEmulator:
    """An org whose org-wide default leaves room for sharing rules."""
    org = SalesforceEmulator()
    control(org, "sharing", sobject="Opportunity", model="Private")
    return org


def _robot(org: SalesforceEmulator) -> ApiSession:
    """A user whom an administrator adds to the group by the API."""
    user = org.org.insert("User", {"Username": "r@x.example", "LastName": "R"}, org.founding.administrator)
    admin = ApiSession(org, org.oauth.issue_session_id(org.founding.administrator))
    group = admin.query_values("SELECT Id FROM Group WHERE DeveloperName = 'Cosell'", "Id")[0]
    answer = admin("POST", "/sobjects/GroupMember", {"GroupId": group, "UserOrGroupId": user})
    assert answer.status == 201, json.loads(answer.body)
    return ApiSession(org, org.oauth.issue_session_id(user))


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        (FLAG, ["Flag"]),
        (KEY, ["Key"]),
        (f"<booleanFilter>1 OR 2</booleanFilter>{FLAG}{KEY}", ["Flag", "Key"]),
        (FLAG + KEY, []),
    ],
)
def test_a_deployed_rule_opens_the_records_that_meet_it(criteria: str, names: list[str]) -> None:
    org = _closed_org()
    for more in ({"Name": "Flag", "Sync_with_Partner_Center__c": True}, {"Name": "Key", "Referral_Identifier__c": "R"}):
        org.insert("Opportunity", {**DEAL, **more})
    org.insert("Opportunity", {**DEAL, "Name": "Other"})
    assert Deployer(org).deploy(_package(criteria))["success"]
    robot = _robot(org)
    assert sorted(robot.query_values("SELECT Name FROM Opportunity")) == names
    for deal in robot.query_values("SELECT Id FROM Opportunity", "Id"):
        assert robot("PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}).status == 204


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (_package(FLAG, group="Nope"), "In field: group - no Group named Nope found"),
        (
            _package(FLAG, owners=""),
            "Missing child element(s). Expected is one of ( criteriaItems, includeRecordsOwnedByAll )",
        ),
        (_package(FLAG.replace("Sync_with", "Nope")), "no CustomField named Opportunity.Nope_Partner_Center__c found"),
        (_package(FLAG, member="Opportunity.Ours"), "was not found in zipped directory"),
    ],
)
def test_what_the_service_refuses_is_refused(package: Package, message: str) -> None:
    refusals = Deployer(_closed_org()).deploy_refusals(package)
    assert any(message in text for text in refusals), refusals


@pytest.mark.parametrize("model", [None, "ReadWrite"])
def test_an_org_where_everybody_may_edit_takes_no_rule(model: str | None) -> None:
    org = SalesforceEmulator()
    if model:
        control(org, "sharing", sobject="Opportunity", model=model)
    [refusal] = Deployer(org).deploy_refusals(_package(FLAG))
    assert "not supported for Opportunity since it's org wide default is" in refusal


def test_a_second_deployment_keeps_the_group_and_its_members() -> None:
    org = _closed_org()
    assert Deployer(org).deploy(_package(FLAG))["success"]
    _robot(org)
    assert Deployer(org).deploy(_package(KEY))["success"]
    assert [each["DeveloperName"] for each in org.records("Group")].count("Cosell") == 1
    assert len(org.records("GroupMember")) == 1
    assert list(org.org.sharing.rules) == ["Opportunity.Ours"]
