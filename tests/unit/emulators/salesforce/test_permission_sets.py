"""A user sees and writes what the deployed permission sets allow: docs/reference/salesforce.md#integration-user."""

from typing import Any

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce.permission_sets import ROBOT, give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
ALL = "crevd"
KEY = "Referral_Identifier__c"


def _fields(api: ApiSession, sobject: str) -> dict[str, Any]:
    fields = api("GET", f"/sobjects/{sobject}/describe").json()["fields"]
    return {each["name"]: each for each in fields}


def test_without_the_switch_a_user_has_all_rights(api: ApiSession) -> None:
    assert "Amount" in _fields(api, "Opportunity")
    assert codes_by_path(api, "Opportunity", {**DEAL, "Amount": 5}) == {()}


def test_a_hidden_column_does_not_exist(api: ApiSession) -> None:
    deal = api.create_deal(Amount=5)
    give_rights(api, {"Opportunity": ALL}, {"Opportunity.NextStep": True})
    assert "Amount" not in _fields(api, "Opportunity")
    code, message = api.query_refusal("SELECT Id, Amount FROM Opportunity")
    assert (code, "No such column 'Amount'" in message) == ("INVALID_FIELD", True)
    assert api.query_refusal("SELECT Id FROM Opportunity WHERE Amount > 1")[0] == "INVALID_FIELD"
    assert api.query_refusal("SELECT Id FROM Opportunity ORDER BY Amount")[0] == "INVALID_FIELD"
    assert status_and_code(api("GET", f"/sobjects/Opportunity/{deal}?fields=Amount")) == (400, "INVALID_FIELD")
    assert "Amount" not in api("GET", f"/sobjects/Opportunity/{deal}").json()
    body = {"ids": [deal], "fields": ["Amount"]}
    assert status_and_code(api("POST", "/composite/sobjects/Opportunity", body)) == (400, "INVALID_FIELD")
    assert codes_by_path(api, "Opportunity", {**DEAL, "Amount": 5}) == {("INVALID_FIELD",)}
    assert codes_by_path(api, "Opportunity", {"Amount": 5}, edited=deal) == {("INVALID_FIELD",)}
    assert codes_by_path(api, "Opportunity", {"NextStep": "x"}, edited=deal) == {()}
    assert api.emulator.record("Opportunity", deal)["Amount"] == 5


def test_a_hidden_external_id_cannot_be_used(api: ApiSession) -> None:
    give_rights(api, {"Opportunity": ALL})
    assert status_and_code(api("PATCH", f"/sobjects/Opportunity/{KEY}/x", DEAL)) == (404, "NOT_FOUND")
    give_rights(api, {"Opportunity": ALL}, {f"Opportunity.{KEY}": True})
    assert codes_by_path(api, "Opportunity", DEAL, key_field=KEY) == {()}


def test_a_read_only_column_is_read_and_not_written(api: ApiSession) -> None:
    deal = api.create_deal(Amount=5)
    give_rights(api, {"Opportunity": ALL}, {"Opportunity.Amount": False})
    assert api.query_values("SELECT Amount FROM Opportunity", "Amount") == [5.0]
    described = _fields(api, "Opportunity")["Amount"]
    assert (described["createable"], described["updateable"], described["permissionable"]) == (False, False, True)
    refused = {("INVALID_FIELD_FOR_INSERT_UPDATE",)}
    assert codes_by_path(api, "Opportunity", {**DEAL, "Amount": 5}) == refused
    assert codes_by_path(api, "Opportunity", {"Amount": 6}, edited=deal) == refused


def test_required_columns_and_those_of_the_system_need_no_right(api: ApiSession) -> None:
    give_rights(api, {"Opportunity": ALL, "Account": ALL})
    shown = _fields(api, "Opportunity")
    assert {"Id", "Name", "StageName", "CloseDate", "IsClosed", "OwnerId", "SystemModstamp"} <= set(shown)
    assert shown["StageName"]["permissionable"] is False
    assert codes_by_path(api, "Opportunity", DEAL) == {()}


def test_one_right_covers_all_parts_of_an_address(api: ApiSession) -> None:
    control(api.emulator, "address_picklists")
    give_rights(api, {"Account": ALL}, {"Account.BillingAddress": True})
    names = set(_fields(api, "Account"))
    assert {"BillingCity", "BillingCountryCode"} <= names
    assert "ShippingCity" not in names
    assert codes_by_path(api, "Account", {"Name": "A", "BillingCountryCode": "FR"}) == {()}
    assert codes_by_path(api, "Account", {"Name": "A", "ShippingCity": "x"}) == {("INVALID_FIELD",)}


def test_a_formula_shows_its_value_though_its_source_is_hidden(api: ApiSession) -> None:
    api.create_deal(Sync_Status__c="Failed")
    give_rights(api, {"Opportunity": ALL}, {"Opportunity.Sync_Mark__c": False})
    assert api.query_values("SELECT Sync_Mark__c FROM Opportunity", "Sync_Mark__c") == ["\N{HEAVY BALLOT X}"]


def test_an_object_without_read_does_not_exist(api: ApiSession) -> None:
    account = api.emulator.insert("Account", {"Name": "A"})
    api.create_deal(AccountId=account)
    give_rights(api, {"Opportunity": ALL}, {"Opportunity.AccountId": True})
    assert "Account" not in {each["name"] for each in api("GET", "/sobjects").json()["sobjects"]}
    assert status_and_code(api("GET", "/sobjects/Account/describe")) == (404, "NOT_FOUND")
    assert status_and_code(api("POST", "/sobjects/Account", {"Name": "A"})) == (404, "NOT_FOUND")
    assert api.query_refusal("SELECT Id FROM Account")[0] == "INVALID_TYPE"
    assert api.query_refusal("SELECT Account.Name FROM Opportunity")[0] == "INVALID_FIELD"
    assert api.query_values("SELECT AccountId FROM Opportunity", "AccountId") == [account]


@pytest.mark.parametrize(
    ("letters", "created", "updated", "deleted"),
    [("r", False, False, False), ("rc", True, False, False), ("re", False, True, False), ("red", False, True, True)],
)
def test_each_right_to_an_object_is_needed(
    api: ApiSession, letters: str, created: bool, updated: bool, deleted: bool
) -> None:
    deal = api.create_deal()
    give_rights(api, {"Opportunity": letters})
    refused = {("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",)}
    assert codes_by_path(api, "Opportunity", DEAL) == ({()} if created else refused)
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == ({()} if updated else refused)
    basics = api("GET", "/sobjects/Opportunity/describe").json()
    assert [basics[flag] for flag in ("createable", "updateable", "deletable")] == [created, updated, deleted]
    assert (api("DELETE", f"/sobjects/Opportunity/{deal}").status == 204) is deleted


def test_roles_follow_the_rights_to_the_deal(api: ApiSession) -> None:
    role = {"OpportunityId": api.create_deal(), "ContactId": api.emulator.insert("Contact", {"LastName": "L"})}
    give_rights(api, {"Opportunity": "r", "Contact": "r"})
    refused = {("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",)}
    assert codes_by_path(api, "OpportunityContactRole", role) == refused
    give_rights(api, {"Opportunity": "re", "Contact": "r"})
    assert codes_by_path(api, "OpportunityContactRole", {**role, "Role": "Other", "IsPrimary": True}) == {()}


def test_a_set_for_the_integration_licence_gives_no_rights_to_standard_objects(api: ApiSession) -> None:
    licence = "Salesforce API Integration"
    give_rights(api, {"Opportunity": ALL, "Cosell_Inbox__c": ALL}, licence=licence)
    assert api.query_refusal("SELECT Id FROM Opportunity")[0] == "INVALID_TYPE"
    assert api.query_values("SELECT Id FROM Cosell_Inbox__c") == []


def test_other_users_keep_all_rights(api: ApiSession) -> None:
    give_rights(api, {"Opportunity": "r"})
    seller = ApiSession(api.emulator, api.emulator.oauth.issue_session_id(api.emulator.seller))
    assert codes_by_path(seller, "Opportunity", {**DEAL, "Amount": 5}) == {()}


def test_only_sets_and_users_that_exist_can_be_assigned(api: ApiSession) -> None:
    assert control_answer(api.emulator, "permission_sets", username=ROBOT, names=["Nope"]).status == 400
    assert control_answer(api.emulator, "permission_sets", username="x", names=[]).status == 400


def test_a_hidden_column_of_a_parent_does_not_exist_either(api: ApiSession) -> None:
    account = api.emulator.insert("Account", {"Name": "A", "BillingCity": "Berlin", "Website": "a.example"})
    api.create_deal(AccountId=account)
    rights: dict[str, bool] = {"Opportunity.AccountId": True, "Account.Website": False}
    give_rights(api, {"Opportunity": ALL, "Account": ALL, "Contact": ALL}, rights)
    for soql in (
        "SELECT Account.BillingCity FROM Opportunity",
        "SELECT Id FROM Opportunity WHERE Account.BillingCity = 'Berlin'",
        "SELECT Id FROM Opportunity ORDER BY Account.BillingCity",
        "SELECT Id, (SELECT Email FROM Contacts) FROM Account",
    ):
        assert api.query_refusal(soql)[0] in {"INVALID_FIELD", "INVALID_TYPE"}
    assert api.query_records("SELECT Account.Website FROM Opportunity")[0]["Account"]["Website"] == "a.example"
    assert "BillingCity" not in api("GET", f"/sobjects/Account/{account}").json()
    give_rights(api, {"Opportunity": ALL, "Account": ALL}, {"Account.BillingAddress": True})
    assert api.query_refusal("SELECT Account.BillingCity FROM Opportunity")[0] == "INVALID_FIELD"


def test_nobody_names_a_record_of_an_object_that_is_hidden_from_them(api: ApiSession) -> None:
    account = api.emulator.insert("Account", {"Name": "A"})
    give_rights(api, {"Opportunity": ALL}, {"Opportunity.AccountId": True})
    found = codes_by_path(api, "Opportunity", {**DEAL, "AccountId": account})
    assert found == {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}


def test_a_user_chooses_only_the_record_types_that_their_sets_show(api: ApiSession) -> None:
    wish = {"sobject": "Opportunity", "values": {"StageName": ["Qualification"]}}
    shown = control(api.emulator, "record_type", **wish, developer_name="Shown").json()["id"]
    hidden = control(api.emulator, "record_type", **wish, developer_name="Hidden", default=True).json()["id"]
    give_rights(api, {"Opportunity": ALL}, record_types=["Opportunity.Shown"])
    infos = api("GET", "/sobjects/Opportunity/describe").json()["recordTypeInfos"]
    told = {each["developerName"]: (each["active"], each["available"]) for each in infos}
    assert told == {"Shown": (True, True), "Hidden": (True, False), "Master": (True, True)}
    assert [each["developerName"] for each in infos if each["defaultRecordTypeMapping"]] == ["Master"]
    refused = {("INVALID_CROSS_REFERENCE_KEY",)}
    assert codes_by_path(api, "Opportunity", {**DEAL, "RecordTypeId": hidden}) == refused
    deal = {**DEAL, "StageName": "Qualification"}
    assert codes_by_path(api, "Opportunity", {**deal, "RecordTypeId": shown}) == {()}
    assert codes_by_path(api, "Opportunity", DEAL) == {()}  # the default of others is not theirs
