"""jsforce meets the rules of real orgs (docs/reference/emulator-of-salesforce.md#switches-of-real-orgs)."""

from typing import Any

import pytest

from emulators.base.server import Server
from emulators.salesforce import SalesforceEmulator
from tests.conformance.jsforce_client import run_jsforce
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.real_orgs import SWITCHES

pytestmark = pytest.mark.node

DEAL = {"Name": "Of a seller", "StageName": "Qualification", "CloseDate": "2026-12-31"}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """The results of the script in an org with most switches on, made once for all tests."""
    org = SalesforceEmulator()
    deal = org.insert("Opportunity", DEAL)
    org.insert("Account", {"Name": "Contoso Ltd", "BillingStreet": "1 Main Street", "BillingCity": "Redmond"})
    for name in ("country picklists", "required field", "production"):
        SWITCHES[name](org)
    control(org, "duplicate_rules")
    control(org, "save_rule", sobject="Opportunity", formula="Amount < 0", message="An amount is positive.")
    stages = {"StageName": ["Qualification"]}
    control(org, "record_type", sobject="Opportunity", developer_name="Partner", values=stages, default=True)
    control(org, "sharing", sobject="Opportunity", model="Read")
    robot = org.org.insert("User", {"Username": "r@partner.example", "LastName": "R"}, org.founding.administrator)
    with Server(org.handle) as server:
        org.public_url = server.url
        tokens = {
            "TOKEN": org.oauth.issue_session_id(robot),
            "ADMINISTRATOR": org.oauth.issue_session_id(org.founding.administrator),
        }
        return run_jsforce("call_strict_org.cjs", {"EMULATOR": str(org.public_url), "DEAL": deal, **tokens})


def test_it_meets_duplicate_rules(results: dict[str, Any]) -> None:
    assert results["twin"] == {"name": "DUPLICATES_DETECTED", "message": "Use one of these records?"}
    assert results["allowedTwin"]["success"] is True
    refused, made = results["twins"]
    assert (refused["errors"][0]["statusCode"], made["success"]) == ("DUPLICATES_DETECTED", True)


def test_it_is_refused_what_the_org_refuses(results: dict[str, Any]) -> None:
    names = ("badCountry", "withoutRegion", "badStage", "readOnly", "rule")
    assert [results[name]["name"] for name in names] == [
        "FIELD_INTEGRITY_EXCEPTION", "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INSUFFICIENT_ACCESS_OR_READONLY", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    ]  # fmt: skip
    assert results["rule"]["message"] == "An amount is positive."
    assert results["numberInQuotes"]["success"] is True


def test_it_sees_the_rules_in_the_schema(results: dict[str, Any]) -> None:
    assert results["region"]["nillable"] is False
    assert results["recordTypes"] == ["Partner", "Master"]
    assert {"DE", "US"} <= {pick["value"] for pick in results["country"]["picklistValues"]}


def test_it_lists_metadata_and_limits(results: dict[str, Any]) -> None:
    assert {"Opportunity.Region__c", "Opportunity.Audit__c"} <= set(results["fields"])
    assert ({"CustomObject", "Flow"} <= set(results["types"]), results["testRequired"]) == (True, True)
    assert "DailyBulkV2QueryJobs" in results["limits"]


def test_what_the_emulator_lacks_is_not_found(results: dict[str, Any]) -> None:
    assert (results["search"]["name"], results["tooling"]["name"]) == ("NOT_FOUND", "NOT_FOUND")
