"""Sellers whom Partner Center adds to our team or removes from it become members of the opportunity team, or are told.

Source: docs/protocol.md#writing-rows.
"""

from collections.abc import Iterator

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of
from tests.unit.sync.polled_deals import add_user

MEMBER = "OpportunityTeamMember"


@pytest.fixture
def team_selling() -> Iterator[Harness]:
    with Harness() as harness:
        switch_team_selling(harness.salesforce.org, on=True)
        harness.ask_org_again()
        yield harness


def person(name: str) -> dict[str, str]:
    return {"firstName": name, "lastName": name, "email": f"{name.lower()}@acme.example", "phoneNumber": "+1"}


def user(harness: Harness, name: str, **values: object) -> str:
    added = add_user(harness, name)
    admin = harness.salesforce.founding.administrator
    contact = {"Email": f"{name.lower()}@acme.example", "FirstName": name, "Phone": "+1"}
    harness.salesforce.edit("User", added, {**contact, **values}, user=admin)
    return added


def colleague_lists(harness: Harness, deal: str, *names: str) -> str:
    """A colleague makes these, beside the owner, our team. Returns the referral's id."""
    referral = harness.referral_of(deal)
    harness.colleague_edits(referral["id"], team=[referral["team"][0], *map(person, names)])
    return str(referral["id"])


def members(harness: Harness, deal: str) -> list[str]:
    return sorted(row["UserId"] for row in harness.salesforce.records(MEMBER) if row["OpportunityId"] == deal)


def test_a_seller_with_a_user_becomes_a_member_in_one_look_up_and_one_write(team_selling: Harness) -> None:
    ben = user(team_selling, "Ben")
    deal = team_selling.shared_deal()
    referral = colleague_lists(team_selling, deal, "Ben")
    team_selling.forget_calls()
    team_selling.pull_event(referral)
    calls = team_selling.new_calls()
    assert calls == {"partner_center.get": 1, "salesforce.query": 2, "salesforce.conditional": 1}
    assert members(team_selling, deal) == [ben]
    assert team_selling.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(team_selling)
    assert len(team_selling.referral_of(deal)["team"]) == 2


def test_a_seller_who_is_removed_is_no_member_any_more_and_stays_a_user(team_selling: Harness) -> None:
    user(team_selling, "Ben")
    cleo = user(team_selling, "Cleo")
    deal = team_selling.shared_deal()
    team_selling.pull_event(colleague_lists(team_selling, deal, "Ben", "Cleo"))
    team_selling.pull_event(colleague_lists(team_selling, deal, "Cleo"))
    assert members(team_selling, deal) == [cleo]
    assert_quiet(team_selling)


def test_a_seller_without_an_active_user_is_told_once_and_added_when_there_is_one(team_selling: Harness) -> None:
    ben, cleo = user(team_selling, "Ben"), user(team_selling, "Cleo", IsActive=False)
    deal = team_selling.shared_deal()
    team_selling.pull_event(colleague_lists(team_selling, deal, "Ben", "Cleo", "Dan"))
    team_selling.push_until_quiet()
    team_selling.push(HOUR)
    assert members(team_selling, deal) == [ben]
    assert team_selling.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert team_selling.count_in_audit(deal, "the user Cleo Cleo is not active in Salesforce") == 1
    assert team_selling.count_in_audit(deal, "Salesforce has no user with the e-mail address of Dan Dan") == 1
    assert len(team_selling.referral_of(deal)["team"]) == 4, "nobody is removed there"
    assert_quiet(team_selling)
    administrator = team_selling.salesforce.founding.administrator
    team_selling.salesforce.edit("User", cleo, {"IsActive": True}, user=administrator)
    dan = user(team_selling, "Dan")
    team_selling.push(HOUR)
    team_selling.push(HOUR)
    assert members(team_selling, deal) == sorted([ben, cleo, dan])
    assert team_selling.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(team_selling)


def test_the_look_ups_while_a_seller_stays_without_a_user_are_one_an_hour(team_selling: Harness) -> None:
    deal = team_selling.shared_deal()
    team_selling.pull_event(colleague_lists(team_selling, deal, "Dan"))
    team_selling.push_until_quiet()
    team_selling.push(HOUR)
    team_selling.forget_calls()
    for _ in range(59):
        team_selling.push()
    calls = team_selling.new_calls()
    assert calls["partner_center.get"] <= 1
    assert calls["salesforce.query"] <= 59 + 2, "the polls, and at most one read and one look-up"


def test_a_deal_that_arrives_has_its_team_at_once(team_selling: Harness) -> None:
    ben = user(team_selling, "Ben")
    referral = microsoft_sends_deal(team_selling, team=[person("Ben"), person("Dan")])
    team_selling.pull_event(referral)
    deal = opportunity_of(team_selling, referral)["Id"]
    assert members(team_selling, deal) == [ben]
    team_selling.push()
    assert team_selling.count_in_audit(deal, "Salesforce has no user with the e-mail address of Dan Dan") == 1


def test_team_selling_that_is_switched_off_stops_no_other_value(team_selling: Harness) -> None:
    user(team_selling, "Ben")
    deal = team_selling.shared_deal()
    referral = colleague_lists(team_selling, deal, "Ben")
    team_selling.colleague_edits(referral, details_notes="Called again.")
    switch_team_selling(team_selling.salesforce.org, on=False)
    team_selling.pull_event(referral)
    team_selling.ask_org_again()  # which the app does at its next run, because the object is unknown
    team_selling.run_rounds()
    assert team_selling.opportunity(deal)["Description"] == "Called again."
    assert team_selling.opportunity(deal)["Sync_Status__c"] in ("Synced", "Synced with differences")
    assert_quiet(team_selling)
