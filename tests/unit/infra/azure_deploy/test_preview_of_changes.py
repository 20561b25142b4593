"""What the deployment shows of the answer of `what-if`, before it asks."""

from typing import Any

import pytest

from infra.azure.deploy.changes import read_changes
from infra.azure.deploy.deploy import deploy
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure

WHAT_IF = "deployment sub what-if"
SITE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/func-x"
ROLE = {
    "symbolicName": "appReadsVault", "resourceType": "Microsoft.Authorization/roleAssignments",
    "deploymentId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/deployments/rbac",
}  # fmt: skip
NOTE = {
    "code": "NestedDeploymentShortCircuited",
    "level": "Warning",
    "message": "A nested deployment was not expanded.",
    "target": "rbac",
}


def unchanged(**more: object) -> dict[str, Any]:
    return {"status": "Succeeded", "changes": [{"changeType": "NoChange", "resourceId": SITE}], **more}


def lines_of(answer: object) -> list[str]:
    return list(read_changes(answer).lines())


def test_a_row_without_an_id_is_named_by_its_symbol_and_type(azure: FakeAzure) -> None:
    azure.answer(WHAT_IF, {"changes": [{"changeType": "Create", **ROLE}]})
    deploy(azure.open_session())
    assert "  Create       appReadsVault (Microsoft.Authorization/roleAssignments)" in azure.printed
    assert azure.questions[-1] == "Changes to staging in westeurope: 1 Create. Continue?"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"symbolicName": "plan"}, "plan"),
        ({"resourceId": None, "resourceType": "Microsoft.Web/serverfarms"}, "Microsoft.Web/serverfarms"),
        ({}, "a resource without a name"),
    ],
)
def test_a_row_that_has_less_is_named_by_what_it_has(row: dict[str, Any], name: str) -> None:
    assert lines_of({"changes": [{"changeType": "Create", **row}]}) == [f"  Create       {name}"]


def test_a_row_that_what_if_does_not_support_gives_its_reason(azure: FakeAzure) -> None:
    row = {"changeType": "Unsupported", "resourceId": SITE, "unsupportedReason": "The id is\nnot known yet."}
    azure.answer(WHAT_IF, unchanged() | {"changes": [row]})
    deploy(azure.open_session())
    assert "  Unsupported  Microsoft.Web/sites/func-x: The id is not known yet." in azure.printed
    assert azure.questions[-1] == "Changes to staging in westeurope: 1 Unsupported. Continue?"


def test_what_may_happen_is_shown_and_counted(azure: FakeAzure) -> None:
    azure.answer(WHAT_IF, unchanged(potentialChanges=[{"changeType": "Create", **ROLE}]))
    deploy(azure.open_session())
    assert (
        "  Create       appReadsVault (Microsoft.Authorization/roleAssignments) (may or may not happen)"
        in azure.printed
    )
    assert azure.questions[-1] == "Changes to staging in westeurope: 1 that may or may not happen. Continue?"


def test_notes_are_shown_and_exclude_that_nothing_changes(azure: FakeAzure) -> None:
    azure.answer(WHAT_IF, unchanged(diagnostics=[NOTE]))
    deploy(azure.open_session())
    assert "  Warning: NestedDeploymentShortCircuited: rbac: A nested deployment was not expanded." in azure.printed
    assert azure.questions[-1] == "Changes to staging in westeurope: 1 note on what is not foreseen. Continue?"


@pytest.mark.parametrize("answer", [unchanged(), {"properties": unchanged(potentialChanges=[], diagnostics=None)}])
def test_nothing_changes_is_said_where_nothing_may(azure: FakeAzure, answer: object) -> None:
    azure.answer(WHAT_IF, answer)
    deploy(azure.open_session())
    assert azure.questions[-1] == "Nothing changes in the resources of staging in westeurope. Continue?"


@pytest.mark.parametrize("answer", [None, [], {"status": "Succeeded"}, {"properties": {"changes": None}}])
def test_an_answer_without_a_list_is_not_taken_for_no_change(answer: object) -> None:
    assert lines_of(answer) == ["  Warning: Azure gave no list of changes."]
    assert read_changes(answer).summary() == "1 note on what is not foreseen"


def test_the_lists_under_properties_are_read_too() -> None:
    properties = {"changes": [{"changeType": "Modify", "resourceId": SITE}], "diagnostics": [NOTE, NOTE]}
    assert read_changes({"status": "Succeeded", "properties": properties}).summary() == (
        "1 Modify, 2 notes on what is not foreseen"
    )


def test_no_value_is_shown() -> None:
    secret = "s3cret"
    row = {
        "changeType": "Modify", "resourceId": SITE, "before": secret, "after": {"x": secret},
        "identifiers": {"name": secret}, "delta": [{"path": "properties.x", "before": secret, "after": secret}],
    }  # fmt: skip
    note = {**NOTE, "additionalInfo": [{"info": secret}]}
    shown = lines_of({"changes": [row], "potentialChanges": [row], "diagnostics": [note]})
    assert secret not in "\n".join(shown)
    assert shown[0] == "  Modify       Microsoft.Web/sites/func-x: properties.x"


def test_a_long_reason_is_cut() -> None:
    row = {"changeType": "Unsupported", "resourceId": SITE, "unsupportedReason": "y" * 5000}
    assert len(lines_of({"changes": [row]})[0]) < 400
