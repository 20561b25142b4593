"""What people edit beside an opportunity reaches Partner Center without an edit of the opportunity."""

from datetime import timedelta

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from shared.clients.salesforce import org_shape
from tests.e2e.world import LogEvents, World

FIVE_MINUTES = 5


def add_owner(world: World) -> str:
    user = {"Username": "nia.new@acme.example", "Email": "nia.new@acme.example", "LastName": "New"}
    return world.systems.salesforce.insert("User", user)


def push_for_five_minutes(world: World) -> None:
    for _ in range(FIVE_MINUTES):
        world.host.run_now("push_opportunities")


def test_a_deal_goes_out_once_an_administrator_completes_the_name_of_its_owner(world: World) -> None:
    salesforce, owner = world.systems.salesforce, add_owner(world)
    deal = world.seller_creates(OwnerId=owner)
    push_for_five_minutes(world)
    held = salesforce.record("Opportunity", deal)
    assert (held["Sync_Status__c"], held["Referral_Identifier__c"]) == ("Failed", None)
    salesforce.edit("User", owner, {"FirstName": "Nia"})
    push_for_five_minutes(world)
    sent = salesforce.record("Opportunity", deal)
    assert sent["Sync_Status__c"] == "Synced"
    referral = world.systems.partner_center.referral(sent["Referral_Identifier__c"])
    assert referral["team"][0]["firstName"] == "Nia"


def test_teams_that_are_switched_off_under_a_running_app_cost_one_minute_at_most(
    world: World, log_events: LogEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = world.systems.salesforce.org
    switch_team_selling(org, on=True)
    deal = world.seller_creates()
    monkeypatch.setattr(org_shape, "ASK_AGAIN", timedelta(0))
    push_for_five_minutes(world)
    monkeypatch.setattr(org_shape, "ASK_AGAIN", timedelta(hours=1))
    monkeypatch.setattr(org_shape, "ASK_SOON", timedelta(0))
    push_for_five_minutes(world)
    switch_team_selling(org, on=False)
    world.systems.salesforce.edit("Opportunity", deal, {"Amount": 4_321})
    for _ in range(2):
        world.host.run_now("push_opportunities")
    failed = [*log_events.events_named("run_failed"), *log_events.events_named("pair_failed")]
    assert [each["code"] for each in failed] in ([], ["INVALID_TYPE"]), "the poll fails if the team has its turn"
    referral = world.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    assert world.systems.partner_center.referral(referral)["details"]["dealValue"] == 4_321


def test_a_contact_that_a_seller_adds_to_a_linked_deal_travels_without_an_edit_of_the_deal(world: World) -> None:
    salesforce = world.systems.salesforce
    deal = world.seller_creates()
    push_for_five_minutes(world)
    account = salesforce.record("Opportunity", deal)["AccountId"]
    person = {"FirstName": "Bo", "LastName": "Berg", "Email": "bo.berg@fabrikam.example", "Phone": "+45 50 00 00 00"}
    contact = salesforce.insert("Contact", {**person, "AccountId": account})
    salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
    world.host.run_now("push_opportunities")
    referral = salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    members = world.systems.partner_center.referral(referral)["customerProfile"]["team"]
    assert [member["email"] for member in members] == ["bo.berg@fabrikam.example"]
