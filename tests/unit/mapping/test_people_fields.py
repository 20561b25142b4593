"""People of a deal as the mapping reads and sends them (docs/protocol.md#lists-merge-as-sets)."""

from typing import Any

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.deal import Person
from shared.domain.field_rules import Direction
from shared.domain.org_shape import Column, OrgShape
from shared.mapping.people import PeopleField
from shared.mapping.people_fields import ContactsField
from shared.mapping.seller_field import SellerField
from shared.mapping.validation import load_mapping

OWNER = {"FirstName": "Sam", "LastName": "Seller", "Email": "sam@contoso.example", "Phone": "+1 425 555 0100"}
OWN_USER, SELLER = "005AA0000010001AAA", "005AA0000010002AAA"
MATE = {"FirstName": "Ada", "LastName": "Mate", "Email": "ada@contoso.example", "Phone": "+1 425 555 0101"}


def contacts_field(**keys: str) -> ContactsField:
    field = load_mapping()[0].fields["contacts"]
    assert isinstance(field, ContactsField)
    return field.model_copy(update=keys)


def seller_field(*, has_team: bool) -> SellerField:
    field = load_mapping()[0].fields["team"]
    assert isinstance(field, SellerField)
    paths = [path for path in field.helpful_columns() if has_team or not path.startswith("OpportunityTeamMember")]
    columns = {path.casefold(): Column(path) for path in paths}
    asked = frozenset(path.casefold() for path in field.helpful_columns())
    org = OrgShape(OrgCurrencies(has_several=False), asked=asked, columns=columns, user_id=OWN_USER)
    return field.for_org(org).helped_by(tuple(paths))


def member(row: str, values: dict[str, Any], *, is_active: bool = True) -> dict[str, Any]:
    return {"Id": row, "User": {**values, "IsActive": is_active}}


def record(*members: dict[str, Any], owner: str = SELLER, lacks: str = "") -> dict[str, Any]:
    seller = {column: text for column, text in OWNER.items() if column != lacks}
    return {"Owner": seller, "OwnerId": owner, "OpportunityTeamMembers": {"records": list(members)}}


def test_the_team_is_the_owner_and_then_the_members_each_once() -> None:
    field, read = seller_field(has_team=True), record(member("row-1", MATE), member("row-2", OWNER))
    assert [person.email for person in field.read_record(read) or ()] == [OWNER["Email"], MATE["Email"]]
    assert [(row.id, row.key) for row in field.read_rows(read)] == [("row-1", MATE["Email"])]
    assert (field.direction, field.related_list) == (Direction.BOTH, "OpportunityTeamMembers")


def test_without_a_team_in_the_org_only_the_owner_is_read_and_nothing_comes_back() -> None:
    field = seller_field(has_team=False)
    assert not any("OpportunityTeamMembers" in item for item in field.select_items())
    assert (field.direction, field.related_list) == (Direction.TO_PARTNER_CENTER, None)
    assert field.variant != seller_field(has_team=True).variant


def test_a_record_without_the_list_of_the_team_holds_a_part_of_it() -> None:
    field, read = seller_field(has_team=True), record()
    del read["OpportunityTeamMembers"]
    assert (field.is_in(read), field.is_partial_in(read)) == (True, True)
    assert not field.is_partial_in(record())


def test_the_user_of_the_connector_is_no_seller() -> None:
    field, read = seller_field(has_team=True), record(owner=OWN_USER)
    assert field.read_record(read) is None
    found = field.lacking(read)
    assert found is not None
    assert found.code == "integration_owner"
    assert field.lacking(record(member("row-1", MATE), owner=OWN_USER)) is None


@pytest.mark.parametrize(("column", "code"), [("Phone", "missing_phone"), ("FirstName", "missing_first_name")])
def test_an_owner_who_lacks_something_is_read_and_holds_only_a_new_deal(column: str, code: str) -> None:
    field, read = seller_field(has_team=False), record(lacks=column)
    assert field.read_record(read) is not None
    found = field.lacking(read)
    assert found is not None
    assert found.code == code
    assert field.read_unsendable(read) == {OWNER["Email"]: "member_incomplete"}


def test_a_member_whose_user_is_not_active_is_not_sent() -> None:
    read = record(member("row-1", MATE, is_active=False))
    assert seller_field(has_team=True).read_unsendable(read) == {MATE["Email"]: "member_inactive"}


def test_people_of_microsoft_are_no_part_of_our_team() -> None:
    team = [{"lastName": "One", "email": "one@MICROSOFT.com"}, {"lastName": "Two", "email": "two@contoso.example"}]
    people = seller_field(has_team=True).read_referral({"team": team})
    assert [person.email for person in people or ()] == ["two@contoso.example"]


def test_a_removal_keeps_what_we_do_not_map_and_whom_we_do_not_know() -> None:
    kim, lee = Person("Berg", "Kim", "kim@a.example", "+1"), Person("Holm", "Lee", "lee@a.example", "+2")
    there = [
        {"lastName": "Berg", "email": "KIM@a.example", "contactPreference": {"locale": "da-dk"}},
        {"lastName": "Holm", "email": "lee@a.example"},
        {"lastName": "Nobody", "email": None},
    ]
    [operation] = contacts_field().set_operations((kim,), (kim, lee), {"customerProfile": {"team": there}})
    assert (operation["op"], operation["path"]) == ("replace", "/customerProfile/team")
    assert operation["value"] == [there[0], there[2]]


def test_defaults_complete_what_is_sent_and_not_what_is_read() -> None:
    field = contacts_field(default_phone="+45 50 00 00 00", default_first_name="Team")
    role = {"Id": "role-1", "Contact": {"LastName": "Desk", "Email": "desk@a.example"}}
    read = {"OpportunityContactRoles": {"records": [role]}}
    [desk] = field.read_record(read) or ()
    assert (desk.first_name, desk.phone, field.read_unsendable(read)) == ("", None, {})
    assert field.tag_of(desk) == {
        "firstName": "Team", "lastName": "Desk", "email": "desk@a.example", "phoneNumber": "+45 50 00 00 00",
    }  # fmt: skip


def test_a_file_without_the_new_keys_keeps_its_hash() -> None:
    for field in load_mapping()[0].fields.values():
        if isinstance(field, PeopleField):
            assert "default_first_name" in field.later_keys
