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
    assert not flow["IsActive"]  # it tells of the latest version
    assert flow["ActiveVersionId"] not in {None, flow["LatestVersionId"]}


def test_an_unknown_kind_of_org_is_refused() -> None:
    assert control_answer(SalesforceEmulator(), "org_kind", kind="toy").status == 400


def test_a_person_activates_a_draft_in_setup() -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production")
    assert Deployer(org).deploy(_flow_package())["success"]
    control(org, "activate_flow", name="Tell_Owner")
    assert _is_flow_active(org)
    assert b"<status>Active</status>" in org.deployments.documents.kept["Flow", "Tell_Owner"]
    assert Deployer(org).deploy(_flow_package())["success"]
    assert not _is_flow_active(org)  # the new draft; the active version goes on beside it
    assert control_answer(org, "activate_flow", name="Nope").status == 400


@pytest.mark.parametrize("kind", ["production", "sandbox"])
def test_only_a_test_level_runs_the_tests_of_the_org(kind: str) -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind=kind)
    control(org, "apex_tests", total=12)
    result = Deployer(org).deploy(_field_package())
    assert (result["success"], result["runTestsEnabled"], result["numberTestsTotal"]) == (True, False, 0)
    result = Deployer(org).deploy(_field_package(), testLevel="RunLocalTests")
    assert (result["success"], result["runTestsEnabled"]) == (True, True)
    assert (result["numberTestsCompleted"], result["details"]["runTestResult"]["numTestsRun"]) == (12, 12)


def test_a_failed_test_rolls_the_deployment_back_and_is_named() -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production")
    control(org, "apex_tests", total=12, failing=["DealTest.closes"])
    result = Deployer(org).deploy(_field_package(), testLevel="RunLocalTests")
    assert (result["status"], result["numberComponentErrors"], result["numberTestErrors"]) == ("Failed", 0, 1)
    (failure,) = result["details"]["runTestResult"]["failures"]
    assert (failure["name"], failure["methodName"]) == ("DealTest", "closes")
    assert org.org.model.get("Opportunity").find_field("Region__c") is None
    assert Deployer(org).deploy(_field_package())["success"]


def test_code_that_tests_do_not_cover_fails_the_deployment() -> None:
    org = SalesforceEmulator()
    control(org, "apex_tests", total=1, coverage=71)
    result = Deployer(org).deploy(_field_package(), testLevel="RunLocalTests")
    (warning,) = result["details"]["runTestResult"]["codeCoverageWarnings"]
    assert (result["status"], "is 71%, at least 75%" in warning["message"]) == ("Failed", True)


@pytest.mark.parametrize(
    "options", [{"testLevel": "RunAll"}, {"testLevel": "RunSpecifiedTests"}, {"rollbackOnError": False}]
)
def test_production_refuses_other_options_that_it_does_not_take(options: dict[str, bool | str]) -> None:
    org = SalesforceEmulator()
    control(org, "org_kind", kind="production")
    assert Deployer(org).post_zip(_field_package().to_zip("66.0"), **options).status == 400
