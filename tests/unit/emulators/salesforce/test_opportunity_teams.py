"""Opportunity teams: docs/reference/salesforce.md#opportunityteammember."""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

MEMBER = "OpportunityTeamMember"
MEMBERS = "SELECT Id FROM OpportunityTeamMember"
SUBQUERY = "SELECT Id, (SELECT UserId, User.Email, TeamMemberRole FROM OpportunityTeamMembers) FROM Opportunity"


@pytest.fixture
def deal(api: ApiSession) -> str:
    """A deal, in an org with team selling."""
    control(api.emulator, "team_selling")
    return api.create_deal()


def _member(api: ApiSession, deal: str, **values: object) -> dict[str, object]:
    return {"OpportunityId": deal, "UserId": api.emulator.seller, **values}


def test_without_team_selling_there_are_no_teams(api: ApiSession) -> None:
    deal = api.create_deal()
    assert api.query_refusal(MEMBERS) == (
        "INVALID_TYPE",
        f"sObject type '{MEMBER}' is not supported.",
    )
    assert api.query_refusal(SUBQUERY)[0] == "INVALID_TYPE"
    assert api("GET", f"/sobjects/{MEMBER}/describe").status == 404
    assert status_and_code(api("POST", f"/sobjects/{MEMBER}", _member(api, deal))) == (404, "NOT_FOUND")


def test_a_member_is_read_with_the_deal(api: ApiSession, deal: str) -> None:
    assert codes_by_path(api, MEMBER, _member(api, deal, TeamMemberRole="Sales Rep")) == {()}
    [found] = api.query_records(SUBQUERY)
    [member] = found["OpportunityTeamMembers"]["records"]
    assert (member["UserId"], member["User"]["Email"]) == (api.emulator.seller, "sam.seller@partner.example")
    [record] = api.emulator.records(MEMBER)
    assert (record["Name"], record["OpportunityAccessLevel"]) == ("Sam Seller", "Read")


def test_a_user_who_is_in_the_team_already_is_changed(api: ApiSession, deal: str) -> None:
    first = api("POST", f"/sobjects/{MEMBER}", _member(api, deal, TeamMemberRole="Sales Rep")).json()["id"]
    again = api("POST", f"/sobjects/{MEMBER}", _member(api, deal, OpportunityAccessLevel="Edit"))
    assert (again.status, again.json()["id"]) == (201, first)
    [record] = api.emulator.records(MEMBER)
    assert (record["TeamMemberRole"], record["OpportunityAccessLevel"]) == ("Sales Rep", "Edit")
    other = api("POST", f"/sobjects/{MEMBER}", _member(api, api.create_deal())).json()["id"]
    assert other != first


def test_an_inactive_user_and_a_wrong_level_are_refused(api: ApiSession, deal: str) -> None:
    level = _member(api, deal, OpportunityAccessLevel="Nope")
    assert codes_by_path(api, MEMBER, level) == {("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",)}
    api.emulator.edit("User", api.emulator.seller, {"IsActive": False})
    assert codes_by_path(api, MEMBER, _member(api, deal)) == {("INACTIVE_OWNER_OR_USER",)}


def test_deal_and_user_of_a_member_stay(api: ApiSession, deal: str) -> None:
    member = api.emulator.insert(MEMBER, _member(api, deal))
    for values in ({"OpportunityId": deal}, {"UserId": api.emulator.seller}):
        assert codes_by_path(api, MEMBER, values, edited=member) == {("INVALID_FIELD_FOR_INSERT_UPDATE",)}


def test_a_removed_member_leaves_no_deleted_record_unless_the_deal_is_deleted(api: ApiSession, deal: str) -> None:
    api.emulator.delete(MEMBER, api.emulator.insert(MEMBER, _member(api, deal)))
    assert api.query(MEMBERS, resource="queryAll").json()["records"] == []
    api.emulator.insert(MEMBER, _member(api, deal))
    api.emulator.delete("Opportunity", deal)
    assert api.query_records(MEMBERS) == []
    assert len(api.query(MEMBERS, resource="queryAll").json()["records"]) == 1


def test_the_rights_to_the_deal_are_those_to_its_team(api: ApiSession, deal: str) -> None:
    give_rights(api, {"Account": "r", "Opportunity": "re"})
    assert codes_by_path(api, MEMBER, _member(api, deal)) == {()}
    give_rights(api, {"Account": "r", "Opportunity": "r"})
    assert codes_by_path(api, MEMBER, _member(api, deal)) == {("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",)}
    give_rights(api, {"Account": "r", "Opportunity": "re"})
    control(api.emulator, "sharing", sobject="Opportunity", model="Private")
    assert api.query_records(MEMBERS) == []


def test_team_selling_can_be_turned_off_and_loses_all_teams(api: ApiSession, deal: str) -> None:
    api.emulator.insert(MEMBER, _member(api, deal))
    control(api.emulator, "team_selling", on=False)
    assert api.query_refusal(SUBQUERY)[0] == "INVALID_TYPE"
    api.emulator.delete("Opportunity", deal)
    control(api.emulator, "team_selling")
    assert api.emulator.records(MEMBER) == []
