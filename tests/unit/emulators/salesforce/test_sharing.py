"""Records that sharing closes to a user: docs/reference/salesforce.md#sharing-and-edit-rights."""

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce.permission_sets import ROBOT, give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
KEY = "Referral_Identifier__c"
READ_ONLY = {("INSUFFICIENT_ACCESS_OR_READONLY",)}
UNKNOWN = {("INVALID_CROSS_REFERENCE_KEY",)}


@pytest.fixture
def group(api: ApiSession) -> str:
    control(api.emulator, "group", name="Cosell", members=[ROBOT])
    return "Cosell"


def _close(emulator: SalesforceEmulator, model: str, sobject: str = "Opportunity") -> None:
    control(emulator, "sharing", sobject=sobject, model=model)


def test_without_the_switch_every_record_can_be_read_and_written(api: ApiSession) -> None:
    deal = api.create_deal()
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}


@pytest.mark.parametrize(("model", "shown"), [("Private", "None"), ("Read", "Read"), ("ReadWrite", "Edit")])
def test_the_organisation_shows_the_org_wide_defaults(api: ApiSession, model: str, shown: str) -> None:
    _close(api.emulator, model, "Account")
    soql = "SELECT DefaultOpportunityAccess, DefaultAccountAccess FROM Organization"
    [defaults] = api.query_records(soql)
    assert (defaults["DefaultOpportunityAccess"], defaults["DefaultAccountAccess"]) == ("Edit", shown)


def test_a_private_record_of_another_owner_is_absent(api: ApiSession) -> None:
    deal = api.create_deal()
    _close(api.emulator, "Private")
    assert api.query_values("SELECT Id FROM Opportunity") == []
    assert api.query("SELECT COUNT() FROM Opportunity").json()["totalSize"] == 0
    assert status_and_code(api("GET", f"/sobjects/Opportunity/{deal}")) == (404, "NOT_FOUND")
    body = {"ids": [deal], "fields": ["Id"]}
    assert api("POST", "/composite/sobjects/Opportunity", body).json() == [None]
    span = "start=2026-11-20T09:00:00Z&end=2026-11-20T11:00:00Z"
    assert api("GET", f"/sobjects/Opportunity/updated?{span}").json()["ids"] == []
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == UNKNOWN
    assert status_and_code(api("DELETE", f"/sobjects/Opportunity/{deal}")) == (404, "INVALID_CROSS_REFERENCE_KEY")


def test_a_public_read_only_record_is_read_and_not_written(api: ApiSession) -> None:
    deal = api.create_deal()
    _close(api.emulator, "Read")
    assert api.query_values("SELECT Name FROM Opportunity") == ["Deal"]
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == READ_ONLY
    answer = api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "New"})
    assert (answer.status, answer.json()[0]["message"]) == (403, "insufficient access rights on object id")
    assert status_and_code(api("DELETE", f"/sobjects/Opportunity/{deal}")) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_owners_do_with_their_records_what_they_like(api: ApiSession) -> None:
    _close(api.emulator, "Private")
    deal = api("POST", "/sobjects/Opportunity", DEAL).json()["id"]
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}
    assert api("DELETE", f"/sobjects/Opportunity/{deal}").status == 204


def test_administrators_are_not_limited(api: ApiSession) -> None:
    api.create_deal()
    _close(api.emulator, "Private")
    token = api.emulator.oauth.issue_session_id(api.emulator.founding.administrator)
    assert ApiSession(api.emulator, token).query_values("SELECT Name FROM Opportunity") == ["Deal"]


def test_a_criteria_rule_opens_the_records_that_hold_its_values(api: ApiSession, group: str) -> None:
    ours = api.create_deal(Sync_with_Partner_Center__c=True)
    api.create_deal(Name="Other")
    _close(api.emulator, "Private")
    rule = {"name": "Ours", "sobject": "Opportunity", "group": group, "values": {"Sync_with_Partner_Center__c": True}}
    control(api.emulator, "sharing_rule", **rule)
    assert api.query_values("SELECT Id FROM Opportunity", "Id") == [ours]
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=ours) == READ_ONLY
    control(api.emulator, "sharing_rule", **rule, edit=True)
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=ours) == {()}
    assert status_and_code(api("DELETE", f"/sobjects/Opportunity/{ours}")) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_an_owner_rule_opens_the_records_of_a_group(api: ApiSession, group: str) -> None:
    deal = api.create_deal()
    _close(api.emulator, "Read")
    control(api.emulator, "group", name="Sellers", members=["sam.seller@partner.example"])
    rule = {"name": "Sellers", "sobject": "Opportunity", "group": group, "owned_by": "Sellers", "edit": True}
    control(api.emulator, "sharing_rule", **rule)
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}


def test_view_all_reads_and_modify_all_edits_and_deletes(api: ApiSession) -> None:
    deal = api.create_deal()
    _close(api.emulator, "Private")
    give_rights(api, {"Opportunity": "redv"})
    assert api.query_values("SELECT Id FROM Opportunity", "Id") == [deal]
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == READ_ONLY
    give_rights(api, {"Opportunity": "redvm"})
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}
    assert api("DELETE", f"/sobjects/Opportunity/{deal}").status == 204


def test_an_owner_who_gives_a_private_record_away_loses_it(api: ApiSession) -> None:
    deal = api("POST", "/sobjects/Opportunity", DEAL).json()["id"]
    _close(api.emulator, "Private")
    assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"OwnerId": api.emulator.seller}).status == 204
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == UNKNOWN


def test_roles_follow_their_deal(api: ApiSession) -> None:
    deal, contact = api.create_deal(), api.emulator.insert("Contact", {"LastName": "L"})
    role = {"OpportunityId": deal, "ContactId": contact}
    made = api.emulator.insert("OpportunityContactRole", role)
    _close(api.emulator, "Read")
    soql = "SELECT Name, (SELECT Id FROM OpportunityContactRoles) FROM Opportunity"
    assert api.query_records(soql)[0]["OpportunityContactRoles"]["totalSize"] == 1
    refused = {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}
    assert codes_by_path(api, "OpportunityContactRole", role) == refused
    assert codes_by_path(api, "OpportunityContactRole", {"Role": "Other"}, edited=made) == READ_ONLY
    _close(api.emulator, "Private")
    assert api.query_values("SELECT Id FROM OpportunityContactRole") == []


def test_a_hidden_account_cannot_be_named_and_shows_with_its_deals(api: ApiSession) -> None:
    hidden, seen = (api.emulator.insert("Account", {"Name": name}) for name in ("Hidden", "Seen"))
    api.create_deal(AccountId=seen)
    _close(api.emulator, "Private", "Account")
    assert api.query_values("SELECT Name FROM Account") == ["Seen"]
    refused = {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}
    assert codes_by_path(api, "Opportunity", {**DEAL, "AccountId": hidden}) == refused
    assert codes_by_path(api, "Opportunity", {**DEAL, "AccountId": seen}) == {()}


def test_an_upsert_does_not_find_a_hidden_record_but_its_unique_value_is_taken(api: ApiSession) -> None:
    api.create_deal(**{KEY: "R1"})
    _close(api.emulator, "Private")
    answer = api("PATCH", f"/sobjects/Opportunity/{KEY}/R1", DEAL)
    assert status_and_code(answer) == (400, "DUPLICATE_VALUE")
    assert "<unknown>" in answer.json()[0]["message"]


def test_only_administrators_change_groups_by_the_api(api: ApiSession, group: str) -> None:
    group_id = api.query_values("SELECT Id FROM Group", "Id")[0]
    member = {"GroupId": group_id, "UserOrGroupId": api.emulator.seller}
    refused = (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert status_and_code(api("POST", "/sobjects/GroupMember", member)) == refused
    token = api.emulator.oauth.issue_session_id(api.emulator.founding.administrator)
    assert ApiSession(api.emulator, token)("POST", "/sobjects/GroupMember", member).status == 201
    assert group == "Cosell"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("sharing", {"sobject": "OpportunityContactRole", "model": "Private"}),
        ("sharing", {"sobject": "Opportunity", "model": "Secret"}),
        ("sharing", {"sobject": "Opportunity", "model": "ControlledByParent"}),
        ("group", {"name": "G", "members": ["nobody"]}),
        ("sharing_rule", {"name": "R", "sobject": "Opportunity", "group": "Nope"}),
    ],
)
def test_a_wrong_switch_is_refused(api: ApiSession, name: str, body: dict[str, object]) -> None:
    assert control_answer(api.emulator, name, **body).status == 400


def test_a_query_shows_nothing_of_a_parent_that_sharing_hides(api: ApiSession) -> None:
    contact = api.emulator.insert("Contact", {"LastName": "L", "Email": "a@b.example"})
    api.emulator.insert("OpportunityContactRole", {"OpportunityId": api.create_deal(), "ContactId": contact})
    _close(api.emulator, "Private", "Contact")
    (role,) = api.query_records("SELECT ContactId, Contact.Email FROM OpportunityContactRole")
    assert (role["ContactId"], role["Contact"]) == (contact, None)
    soql = "SELECT (SELECT Contact.Email FROM OpportunityContactRoles) FROM Opportunity"
    assert api.query_records(soql)[0]["OpportunityContactRoles"]["records"][0]["Contact"] is None
    found = "SELECT Id FROM OpportunityContactRole WHERE Contact.Email = 'a@b.example'"
    assert api.query_records(found) == []


def test_contacts_that_their_account_controls_follow_it(api: ApiSession, group: str) -> None:
    account = api.emulator.insert("Account", {"Name": "A"})
    contact = api.emulator.insert("Contact", {"LastName": "L", "AccountId": account})
    api.emulator.insert("Contact", {"LastName": "Without account"})
    _close(api.emulator, "Private", "Account")
    _close(api.emulator, "ControlledByParent", "Contact")
    assert api.query_values("SELECT LastName FROM Contact", "LastName") == []
    api.create_deal(AccountId=account)  # who reads a deal reads its account, and so its contacts
    assert api.query_values("SELECT LastName FROM Contact", "LastName") == ["L"]
    assert codes_by_path(api, "Contact", {"Title": "CEO"}, edited=contact) == READ_ONLY
    refused = {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}
    assert codes_by_path(api, "Contact", {"LastName": "New", "AccountId": account}) == refused
    rule = {"name": "All", "sobject": "Account", "group": group, "edit": True}
    control(api.emulator, "sharing_rule", **rule)
    assert codes_by_path(api, "Contact", {"Title": "CEO"}, edited=contact) == {()}
    assert codes_by_path(api, "Contact", {"LastName": "New", "AccountId": account}) == {()}


def test_a_contact_without_account_is_its_owners_alone(api: ApiSession) -> None:
    _close(api.emulator, "ControlledByParent", "Contact")
    assert codes_by_path(api, "Contact", {"LastName": "L"}) == {()}
    assert len(api.query_values("SELECT LastName FROM Contact", "LastName")) == 4
    seller = ApiSession(api.emulator, api.emulator.oauth.issue_session_id(api.emulator.seller))
    assert seller.query_values("SELECT LastName FROM Contact", "LastName") == []
