"""Deployments to a production org: docs/reference/salesforce.md#test-level."""

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.source_format import Package
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce_metadata.deploy_client import (
    XMLNS,
    Deployer,
    encode_base64,
    single_component_package,
    single_field_package,
)


def _field_package() -> Package:
    return single_field_package("Region__c", "<label>Region</label><length>9</length><type>Text</type>")


def _flow_package(status: str = "Active") -> Package:
    text = (
        f"<Flow {XMLNS}><label>Tell the owner</label><processType>AutoLaunchedFlow</processType>"
        f"<status>{status}</status></Flow>"
    )
    return single_component_package("flows/Tell_Owner.flow", text, "Flow", "Tell_Owner")


def _is_flow_active(org: SalesforceEmulator) -> bool:
    (flow,) = _session(org).query_records("SELECT ApiName, IsActive FROM FlowDefinitionView")
    assert flow["ApiName"] == "Tell_Owner"
    return bool(flow["IsActive"])


def _session(org: SalesforceEmulator) -> ApiSession:
    return ApiSession(org, org.oauth.issue_session_id(org.founding.administrator))


def test_an_org_takes_any_test_level_until_it_is_a_production_org() -> None:
    org = SalesforceEmulator()
    assert Deployer(org).deploy(_field_package(), testLevel="NoTestRun")["success"]
    control(org, "org_kind", kind="sandbox")
    assert Deployer(org).deploy(_field_package(), testLevel="NoTestRun")["success"]
    assert _session(org).query_values("SELECT IsSandbox FROM Organization", "IsSandbox") == [True]


def test_production_refuses_to_run_no_tests() -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production")
    deployer = Deployer(org)
    for check_only in (False, True):
        answer = deployer.post_zip(_field_package().to_zip("66.0"), testLevel="NoTestRun", checkOnly=check_only)
        assert (answer.status, answer.json()[0]["errorCode"]) == (400, "INVALID_OPERATION")
    assert deployer.deploy(_field_package())["success"]
    assert deployer.deploy(_field_package(), testLevel="RunLocalTests")["success"]


def test_production_refuses_it_by_soap_too() -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production")
    data = encode_base64(_field_package().to_zip("66.0"))
    options = "<DeployOptions><singlePackage>true</singlePackage><testLevel>NoTestRun</testLevel></DeployOptions>"
    answer = Deployer(org).send_soap(f"<deploy {XMLNS}><ZipFile>{data}</ZipFile>{options}</deploy>")
    assert answer.status == 500
    assert b"INVALID_OPERATION: testLevel of NoTestRun cannot be used in production organizations" in answer.body


def test_an_active_flow_stays_active_outside_of_production() -> None:
    org = SalesforceEmulator()
    assert Deployer(org).deploy(_flow_package())["success"]
    assert _is_flow_active(org)
    assert Deployer(org).deploy(_flow_package("Draft"))["success"]
    assert not _is_flow_active(org)


@pytest.mark.parametrize("activates", [False, True])
def test_production_takes_an_active_flow_as_a_draft_unless_its_setting_is_on(activates: bool) -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production", activates_flows=activates)
    assert Deployer(org).deploy(_flow_package())["success"]
    assert _is_flow_active(org) is activates
    status = b"<status>Active</status>" if activates else b"<status>Draft</status>"
    assert status in org.deployments.documents.kept["Flow", "Tell_Owner"]


def test_a_draft_leaves_the_version_active_that_was_active_in_production() -> None:
    org = SalesforceEmulator()
    assert Deployer(org).deploy(_flow_package())["success"]
    control(org, "org_kind", kind="production")
    assert Deployer(org).deploy(_flow_package())["success"]
    (flow,) = _session(org).query_records("SELECT IsActive, ActiveVersionId, LatestVersionId FROM FlowDefinitionView")
    assert flow["IsActive"]
    assert flow["ActiveVersionId"] not in {None, flow["LatestVersionId"]}


def test_an_unknown_kind_of_org_is_refused() -> None:
    assert control_answer(SalesforceEmulator(), "org_kind", kind="toy").status == 400
