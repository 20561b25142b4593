"""The contacts and the team of a deal travel both ways after it was created, end to end."""

from datetime import timedelta
from typing import Any

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from shared.clients.salesforce import org_shape
from tests.e2e.world import World

pytestmark = pytest.mark.slow

KIM = {"FirstName": "Kim", "LastName": "Berg", "Email": "kim@northwind.example", "Phone": "+1 206 555 0101"}
MO = {"firstName": "Mo", "lastName": "Lind", "email": "mo@northwind.example", "phoneNumber": "+1 206 555 0103"}
ADA = {"FirstName": "Ada", "LastName": "Mate", "Phone": "+1 425 555 0100", "UserType": "Standard", "IsActive": True}


def push(world: World, times: int = 5) -> None:
    for _ in range(times):
        world.host.run_now("push_opportunities")


def referral_of(world: World, deal: str) -> dict[str, Any]:
    identifier = world.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    return dict(world.systems.partner_center.referral(identifier))


def test_a_contact_goes_to_partner_center_and_one_comes_from_there(world: World) -> None:
    salesforce, deal = world.systems.salesforce, world.seller_creates()
    push(world, 2)
    contact = salesforce.insert("Contact", KIM)
    salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True})
    push(world)
    referral = referral_of(world, deal)
    assert [person["email"] for person in referral["customerProfile"]["team"]] == [KIM["Email"]]
    people = [*referral["customerProfile"]["team"], MO]
    world.let_records_rest()
    world.systems.partner_center.portal_edits(
        referral["id"], [{"op": "replace", "path": "/customerProfile/team", "value": people}]
    )
    world.host.run_now("sweep_referrals")
    roles = [each for each in salesforce.records("OpportunityContactRole") if each["OpportunityId"] == deal]
    emails = [salesforce.record("Contact", each["ContactId"])["Email"] for each in roles]
    assert emails == [KIM["Email"], MO["email"]]
    assert salesforce.record("Opportunity", deal)["Sync_Status__c"] == "Synced"


def test_a_colleague_joins_the_team_on_each_side(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    salesforce = world.systems.salesforce
    switch_team_selling(salesforce.org, on=True)
    monkeypatch.setattr(org_shape, "ASK_AGAIN", timedelta(0))
    deal = world.seller_creates()
    push(world, 2)
    mates = {name: f"{name}@contoso.example" for name in ("one", "two")}
    users = {name: salesforce.insert("User", {**ADA, "Username": mail, "Email": mail}) for name, mail in mates.items()}
    salesforce.insert("OpportunityTeamMember", {"OpportunityId": deal, "UserId": users["one"]})
    push(world)
    referral = referral_of(world, deal)
    assert [person["email"] for person in referral["team"]][1:] == [mates["one"]]
    two = {"firstName": "Ada", "lastName": "Mate", "email": mates["two"], "phoneNumber": "+1 425 555 0100"}
    world.let_records_rest()
    world.systems.partner_center.portal_edits(
        referral["id"], [{"op": "replace", "path": "/team", "value": [*referral["team"], two]}]
    )
    world.host.run_now("sweep_referrals")
    members = [each["UserId"] for each in salesforce.records("OpportunityTeamMember") if each["OpportunityId"] == deal]
    assert set(members) >= set(users.values())
    assert salesforce.record("Opportunity", deal)["Sync_Status__c"] == "Synced"
