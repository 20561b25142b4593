"""Who may own a record, and how a client tells them: docs/reference/salesforce.md#owners-and-notifications."""

from typing import Any

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
OBJECTS = {"Opportunity": DEAL, "Account": {"Name": "Contoso"}, "Contact": {"LastName": "Lee"}}
ACTION = "/actions/standard/customNotificationAction"


def make_user(emulator: SalesforceEmulator, **values: object) -> str:
    person = {"Username": "anna@partner.example", "LastName": "Example", "UserType": "Standard", **values}
    return emulator.insert("User", person, user=emulator.founding.administrator)


@pytest.fixture
def type_id(emulator: SalesforceEmulator) -> str:
    [record] = emulator.records("CustomNotificationType")
    return str(record["Id"])


def notification(type_id: str, recipient: str, target: str, **values: object) -> dict[str, Any]:
    texts = {"title": "A new deal", "body": "Please answer."}
    one = {"customNotifTypeId": type_id, "recipientIds": [recipient], "targetId": target, **texts, **values}
    return {"inputs": [{name: value for name, value in one.items() if value is not None}]}


@pytest.mark.parametrize("sobject", OBJECTS)
def test_a_record_may_belong_to_another_active_person(api: ApiSession, sobject: str) -> None:
    owner = make_user(api.emulator)
    assert codes_by_path(api, sobject, {**OBJECTS[sobject], "OwnerId": owner}) == {()}


@pytest.mark.parametrize("sobject", OBJECTS)
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"IsActive": False}, "INACTIVE_OWNER_OR_USER"),
        ({"UserType": "CloudIntegrationUser"}, "OP_WITH_INVALID_USER_TYPE_EXCEPTION"),
    ],
)
def test_who_is_inactive_or_no_person_owns_nothing(
    api: ApiSession, sobject: str, values: dict[str, object], code: str
) -> None:
    owner = make_user(api.emulator, **values)
    assert codes_by_path(api, sobject, {**OBJECTS[sobject], "OwnerId": owner}) == {(code,)}


def test_a_new_owner_needs_read_access_to_the_object(api: ApiSession) -> None:
    owner = make_user(api.emulator)
    api.emulator.permission_sets[owner] = ()
    assert codes_by_path(api, "Opportunity", {**DEAL, "OwnerId": owner}) == {("TRANSFER_REQUIRES_READ",)}


def test_a_group_owns_no_deal(api: ApiSession) -> None:
    group = control_answer(api.emulator, "group", name="Team", members=[]).json()["id"]
    assert codes_by_path(api, "Opportunity", {**DEAL, "OwnerId": group}) == {("FIELD_INTEGRITY_EXCEPTION",)}
    assert codes_by_path(api, "Opportunity", {**DEAL, "OwnerId": "005000000000000AAA"}) == {
        ("INVALID_CROSS_REFERENCE_KEY",)
    }


def test_a_notification_reaches_an_active_user(api: ApiSession, type_id: str) -> None:
    owner, deal = make_user(api.emulator), api.create_deal()
    answer = api("POST", ACTION, notification(type_id, owner, deal))
    [result] = answer.json()
    assert (answer.status, result["isSuccess"], result["errors"]) == (200, True, None)
    [sent] = api.emulator.org.notifications
    assert (sent["recipientIds"], sent["targetId"]) == ([owner], deal)


def test_an_inactive_user_gets_nothing_without_an_error(api: ApiSession, type_id: str) -> None:
    owner, deal = make_user(api.emulator, IsActive=False), api.create_deal()
    assert api("POST", ACTION, notification(type_id, owner, deal)).status == 200
    assert api.emulator.org.notifications[0]["recipientIds"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"customNotifTypeId": None}, {"customNotifTypeId": "0ML000000000000AAA"}, {"recipientIds": None},
        {"recipientIds": ["005000000000000AAA"] * 501}, {"recipientIds": ["006000000000000AAA"]}, {"title": ""},
        {"title": "x" * 251}, {"body": "x" * 751}, {"targetId": None},
    ],
)  # fmt: skip
def test_a_notification_that_cannot_be_sent_is_refused(
    api: ApiSession, type_id: str, values: dict[str, object]
) -> None:
    answer = api("POST", ACTION, notification(type_id, make_user(api.emulator), api.create_deal(), **values))
    [result] = answer.json()
    assert (answer.status, result["isSuccess"]) == (400, False)
    assert result["errors"][0]["statusCode"] == "INVALID_API_INPUT"
    assert api.emulator.org.notifications == []


def test_a_user_without_the_permission_sends_none(api: ApiSession, type_id: str) -> None:
    owner, deal = make_user(api.emulator), api.create_deal()
    give_rights(api, {"Opportunity": "crevd"})
    [result] = api("POST", ACTION, notification(type_id, owner, deal)).json()
    assert result["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS"
    assert "Send Custom Notifications" in result["errors"][0]["message"]


def test_another_action_does_not_exist(api: ApiSession) -> None:
    assert status_and_code(api("POST", "/actions/standard/emailSimple", {"inputs": []})) == (404, "NOT_FOUND")
    assert api("GET", ACTION).status == 405


def test_the_type_is_found_by_its_name_after_the_package_is_deployed() -> None:
    bare = SalesforceEmulator(bare=True)
    assert bare.records("CustomNotificationType") == []
    deployed = SalesforceEmulator()
    [record] = deployed.records("CustomNotificationType")
    assert (record["DeveloperName"], record["Desktop"], record["Mobile"]) == ("Cosell_New_Deal", True, True)


def test_the_control_api_lists_the_notifications(api: ApiSession, type_id: str) -> None:
    api("POST", ACTION, notification(type_id, make_user(api.emulator), api.create_deal()))
    assert len(api.emulator.org.notifications) == 1
    control(api.emulator, "bare", bare=False)
    assert api.emulator.org.notifications == []


def test_a_task_has_the_defaults_of_the_org(api: ApiSession) -> None:
    deal = api.create_deal()
    made = api("POST", "/sobjects/Task", {"Subject": "Call", "WhatId": deal, "ActivityDate": "2026-12-06"})
    [task] = api.query_records("SELECT Id, Status, Priority, OwnerId FROM Task")
    assert (made.status, task["Status"], task["Priority"]) == (201, "Not Started", "Normal")
