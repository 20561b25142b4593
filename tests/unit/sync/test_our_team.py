"""Our team of a deal: the owner, and the opportunity team where the org has team selling.

Source: docs/protocol.md#our-team.
"""

from collections.abc import Iterator

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet
from tests.unit.sync.people_of_deals import (
    add_to_team,
    add_user,
    colleague_lists_sellers,
    deal_with,
    mark_of,
    members_here,
    owner_address,
    remove_from_team,
    save,
    seller_named,
    sellers_there,
    team_selling,
)

PATCH, GET = "partner_center.patch", "partner_center.get"
STAYS = ": Salesforce does not get"


@pytest.fixture
def teams() -> Iterator[Harness]:
    with team_selling() as harness:
        yield harness


def test_a_new_deal_is_sent_with_its_owner_and_its_team(teams: Harness) -> None:
    deal = teams.seller_creates(Sync_with_Partner_Center__c=False)
    add_to_team(teams, deal, add_user(teams, "Mate"))
    teams.seller_edits(deal, Sync_with_Partner_Center__c=True)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal), "mate@contoso.example"]
    assert mark_of(teams, deal) == "Synced"


def test_a_member_added_later_is_appended_in_one_patch_without_a_read(teams: Harness) -> None:
    deal = deal_with(teams)
    add_to_team(teams, deal, add_user(teams, "Mate"))
    save(teams, deal)
    teams.push()
    calls = teams.new_calls()
    assert (calls[PATCH], calls[GET]) == (1, 0)
    assert sellers_there(teams, deal) == [owner_address(teams, deal), "mate@contoso.example"]


def test_a_removed_member_is_removed_and_those_of_microsoft_stay(teams: Harness) -> None:
    deal = deal_with(teams)
    row = add_to_team(teams, deal, add_user(teams, "Mate"))
    save(teams, deal)
    teams.push_until_quiet()
    there = teams.referral_of(deal)["team"]
    sam = {**seller_named("Sam"), "email": "sam@microsoft.com", "title": "Specialist"}
    teams.pull_event(colleague_lists_sellers(teams, deal, *there, sam))
    assert (members_here(teams, deal), mark_of(teams, deal)) == (["mate@contoso.example"], "Synced")
    remove_from_team(teams, deal, row)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal), "sam@microsoft.com"]
    assert teams.referral_of(deal)["team"][1]["title"] == "Specialist"


def test_another_owner_takes_the_place_of_the_former_one(teams: Harness) -> None:
    deal = deal_with(teams)
    teams.seller_edits(deal, OwnerId=add_user(teams, "Next"))
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == ["next@contoso.example"]
    assert mark_of(teams, deal) == "Synced"


def test_a_former_owner_who_is_in_the_team_stays(teams: Harness) -> None:
    deal = deal_with(teams)
    former, owner = teams.opportunity(deal)["OwnerId"], owner_address(teams, deal)
    add_to_team(teams, deal, former)
    teams.seller_edits(deal, OwnerId=add_user(teams, "Next"))
    teams.push_until_quiet()
    assert sorted(sellers_there(teams, deal)) == sorted([owner, "next@contoso.example"])


def test_a_colleague_who_is_added_in_the_portal_joins_the_opportunity_team(teams: Harness) -> None:
    deal = deal_with(teams)
    add_user(teams, "Mate")
    there = teams.referral_of(deal)["team"]
    teams.pull_event(colleague_lists_sellers(teams, deal, *there, seller_named("Mate")))
    assert members_here(teams, deal) == ["mate@contoso.example"]
    teams.push_until_quiet()
    assert teams.differences(deal) == []


def test_an_owner_whom_a_colleague_removes_is_put_back(teams: Harness) -> None:
    deal = deal_with(teams)
    add_to_team(teams, deal, add_user(teams, "Mate"))
    save(teams, deal)
    teams.push_until_quiet()
    owner = owner_address(teams, deal)
    teams.pull_event(colleague_lists_sellers(teams, deal, seller_named("Mate")))
    teams.push_until_quiet()
    assert sorted(sellers_there(teams, deal)) == sorted(["mate@contoso.example", owner])
    assert owner_address(teams, deal) == owner


def test_a_member_whose_user_is_not_active_is_told_once_and_not_sent(teams: Harness) -> None:
    deal = deal_with(teams)
    user = add_user(teams, "Mate")
    add_to_team(teams, deal, user)
    teams.salesforce.edit("User", user, {"IsActive": False}, user=teams.salesforce.founding.administrator)
    for _ in range(2):
        save(teams, deal)
        teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal)]
    assert teams.count_in_audit(deal, "does not get Ada Mate, because their user is not active") == 1
    assert mark_of(teams, deal) == "Synced with differences"


@pytest.mark.parametrize("missing", ["Phone", "FirstName"])
def test_an_incomplete_member_is_told_once_and_sent_once_it_is_complete(teams: Harness, missing: str) -> None:
    deal = deal_with(teams)
    user = add_user(teams, "Mate", **{missing: None})
    add_to_team(teams, deal, user)
    for _ in range(2):
        save(teams, deal)
        teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal)]
    assert teams.count_in_audit(deal, "Opportunity Owner and Team: Partner Center does not get") == 1
    values = {"Phone": "+1 425 555 0100", "FirstName": "Ada"}
    teams.salesforce.edit("User", user, {missing: values[missing]}, user=teams.salesforce.founding.administrator)
    save(teams, deal)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal), "mate@contoso.example"]
    assert mark_of(teams, deal) == "Synced"


def test_the_last_seller_is_not_removed_and_this_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness)
    owner = owner_address(harness, deal)
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next", Phone=None))
    for _ in range(2):
        save(harness, deal)
        harness.push_until_quiet()
    assert sellers_there(harness, deal) == [owner]
    assert harness.count_in_audit(deal, "Opportunity Owner: Partner Center needs one of your sellers, and keeps") == 1
    assert harness.count_in_audit(deal, "was emptied") == 0
    assert mark_of(harness, deal) == "Synced with differences"


def test_the_user_of_the_connector_is_never_sent_as_a_seller(harness: Harness) -> None:
    deal = harness.seller_creates(OwnerId=harness.first.ctx.salesforce.user_id())
    harness.push_until_quiet()
    assert harness.our_referrals() == []
    assert harness.count_in_audit(deal, "belongs to the user of the sync") == 1
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next"))
    harness.push_until_quiet()
    assert sellers_there(harness, deal) == ["next@contoso.example"]


def test_the_user_of_the_connector_in_the_team_is_never_sent_and_never_added(teams: Harness) -> None:
    deal, own = deal_with(teams), teams.first.ctx.salesforce.user_id()
    values, administrator = {"Email": "robot@contoso.example"}, teams.salesforce.founding.administrator
    teams.salesforce.edit("User", own, values, user=administrator)
    row = add_to_team(teams, deal, own)
    save(teams, deal)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal)]
    assert mark_of(teams, deal) == "Synced"
    remove_from_team(teams, deal, row)
    team = [*teams.referral_of(deal)["team"], seller_named("Robot")]
    teams.pull_event(colleague_lists_sellers(teams, deal, *team))
    assert members_here(teams, deal) == []
    assert teams.count_in_audit(deal, "the user of the sync, who is no seller") == 1
    assert mark_of(teams, deal) == "Synced with differences"


def test_a_member_with_an_address_of_microsoft_is_told_once_and_not_sent(teams: Harness) -> None:
    deal = deal_with(teams)
    add_to_team(teams, deal, add_user(teams, "Vendor", Email="v-vendor@microsoft.com"))
    save(teams, deal)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == [owner_address(teams, deal)]
    assert (
        teams.count_in_audit(deal, "Partner Center does not get Ada Vendor, because their e-mail address is one of")
        == 1
    )
    assert mark_of(teams, deal) == "Synced with differences"


def test_an_owner_with_an_address_of_microsoft_holds_a_new_deal(harness: Harness) -> None:
    owner = add_user(harness, "Vendor", Email="v-vendor@microsoft.com")
    deal = harness.seller_creates(OwnerId=owner)
    harness.push_until_quiet()
    assert harness.our_referrals() == []
    assert harness.count_in_audit(deal, "The owner has an e-mail address of Microsoft") == 1


def test_without_team_selling_a_colleague_who_is_added_in_the_portal_stays_there_and_is_told_once(
    harness: Harness,
) -> None:
    deal = deal_with(harness)
    there = harness.referral_of(deal)["team"]
    harness.pull_event(colleague_lists_sellers(harness, deal, *there, seller_named("Mate")))
    for _ in range(2):
        save(harness, deal)
        harness.push_until_quiet()
    assert sellers_there(harness, deal) == [owner_address(harness, deal), "mate@contoso.example"]
    assert (harness.count_in_audit(deal, STAYS), mark_of(harness, deal)) == (1, "Synced with differences")


def test_without_team_selling_another_owner_leaves_the_others_of_the_portal_alone(harness: Harness) -> None:
    deal = deal_with(harness)
    there = harness.referral_of(deal)["team"]
    harness.pull_event(colleague_lists_sellers(harness, deal, *there, seller_named("Mate")))
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next"))
    harness.push_until_quiet()
    assert sorted(sellers_there(harness, deal)) == ["mate@contoso.example", "next@contoso.example"]


def test_our_seller_is_added_to_our_record_when_the_deal_is_accepted(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    before = sellers_of_arrived(harness)
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next"))
    harness.push_until_quiet()
    assert sellers_of_arrived(harness) == before
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    assert sellers_of_arrived(harness) == [*before, "next@contoso.example"]
    assert harness.count_in_audit(deal, STAYS) == 0
    assert mark_of(harness, deal) == "Synced"


def sellers_of_arrived(harness: Harness) -> list[str]:
    (referral,) = harness.our_referrals()
    return [person["email"] for person in referral["team"]]


def test_a_second_owner_of_an_unanswered_deal_is_known_once_it_was_read(harness: Harness) -> None:
    """Else each poll reads the deal again, and the daily compare takes it for one that no push has read."""
    _, deal = arrived_deal(harness)
    for name in ("Next", "Last"):
        harness.seller_edits(deal, OwnerId=add_user(harness, name))
        harness.run_rounds()
    assert "opportunity" in harness.stored_link(deal).stamps


def test_an_owner_who_was_not_sent_is_told_once_the_deal_has_expired(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next"))
    harness.push_until_quiet()
    harness.partner_center.let_expire(referral)
    harness.run_rounds()
    assert mark_of(harness, deal) == "Synced with differences"
    assert harness.count_in_audit(deal, 'Opportunity Owner "Ada Next" was not sent') == 1
    assert harness.count_in_audit(deal, f'keeps "{team_of_arrived(harness)}"') == 1


def test_an_owner_who_was_changed_after_the_deal_expired_is_told_and_the_sellers_there_are_not_said_to_be_none(
    harness: Harness,
) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.let_expire(referral)
    harness.run_rounds()
    harness.seller_edits(deal, OwnerId=add_user(harness, "Next"))
    harness.run_rounds()
    assert harness.count_in_audit(deal, 'Opportunity Owner "Ada Next" was not sent') == 1
    assert harness.count_in_audit(deal, 'keeps "its own list"') == 1


def team_of_arrived(harness: Harness) -> str:
    """Everybody whom Partner Center names as ours, also those whom Salesforce does not get."""
    (referral,) = harness.our_referrals()
    return "; ".join(f"{one['firstName']} {one['lastName']}" for one in referral["team"])


def test_an_owner_who_was_not_sent_is_named_at_the_decline(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(
        deal, StageName="Closed Lost", Closing_Reason__c="Not a customer", OwnerId=add_user(harness, "Next")
    )
    harness.run_rounds()
    assert mark_of(harness, deal) == "Synced with differences"
    assert harness.count_in_audit(deal, "These edits were not sent") == 1
    assert harness.count_in_audit(deal, "here only: Opportunity Owner Ada Next.") == 1


def test_team_selling_that_is_switched_off_removes_nobody_and_stops_nothing(teams: Harness) -> None:
    deal = deal_with(teams)
    add_to_team(teams, deal, add_user(teams, "Mate"))
    save(teams, deal)
    teams.push_until_quiet()
    before, referral = sellers_there(teams, deal), teams.referral_of(deal)["id"]
    switch_team_selling(teams.salesforce.org, on=False)
    teams.colleague_edits(referral, details_dealValue=4711)
    teams.pull_event(referral)  # before the org is asked again, because a call was refused
    assert (sellers_there(teams, deal), teams.opportunity(deal)["Amount"]) == (before, 4711)
    teams.ask_org_again()
    other = teams.seller_creates(Name="Another deal")
    teams.seller_edits(deal, Amount=4712)
    teams.push_until_quiet()
    assert sellers_there(teams, other) == [owner_address(teams, other)]
    assert (sellers_there(teams, deal), teams.referral_of(deal)["details"]["dealValue"]) == (before, 4712)
    assert (teams.count_in_audit(deal, STAYS), mark_of(teams, deal)) == (0, "Synced")


def test_team_selling_that_is_off_for_a_while_removes_nobody_of_a_deal_that_no_run_saw_meanwhile(
    teams: Harness,
) -> None:
    deal = deal_with(teams)
    add_to_team(teams, deal, add_user(teams, "Mate"))
    save(teams, deal)
    teams.push_until_quiet()
    before = sellers_there(teams, deal)
    for is_on in (False, True):
        switch_team_selling(teams.salesforce.org, on=is_on)
        teams.ask_org_again()
    save(teams, deal)
    teams.push_until_quiet()
    assert sellers_there(teams, deal) == before
    assert members_here(teams, deal) == ["mate@contoso.example"]
    assert mark_of(teams, deal) == "Synced"
    assert_quiet(teams)


def test_team_selling_that_is_switched_on_brings_the_people_of_the_portal_into_the_team(harness: Harness) -> None:
    deal = deal_with(harness)
    add_user(harness, "Mate")
    there = harness.referral_of(deal)["team"]
    harness.pull_event(colleague_lists_sellers(harness, deal, *there, seller_named("Mate")))
    switch_team_selling(harness.salesforce.org, on=True)
    harness.ask_org_again()
    harness.seller_edits(deal, Amount=4713)
    harness.push_until_quiet()
    assert members_here(harness, deal) == ["mate@contoso.example"]
    assert mark_of(harness, deal) == "Synced"
