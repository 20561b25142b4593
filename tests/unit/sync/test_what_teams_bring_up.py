"""Edits of the opportunity team bring its deal to a push, in an org that has teams.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Callable, Iterator

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from tests.unit.sync.harness import Harness
from tests.unit.sync.polled_deals import add_user, looked_at, polls_in, push_often, two_deals

MEMBER = "OpportunityTeamMember"


@pytest.fixture
def team_selling() -> Iterator[Harness]:
    with Harness() as harness:
        switch_team_selling(harness.salesforce.org, on=True)
        harness.ask_org_again()
        yield harness


def add_member(harness: Harness, deal: str, name: str = "Mate") -> str:
    user = add_user(harness, name)
    return harness.salesforce.insert(MEMBER, {"OpportunityId": deal, "UserId": user, "TeamMemberRole": "Sales Rep"})


def edit_member(harness: Harness, deal: str) -> None:
    (member,) = members_of(harness, deal)
    harness.salesforce.edit(MEMBER, member, {"TeamMemberRole": "Sales Manager"})


def edit_user_of_member(harness: Harness, deal: str) -> None:
    (member,) = members_of(harness, deal)
    harness.salesforce.edit("User", harness.salesforce.record(MEMBER, member)["UserId"], {"Phone": "+1 555 0400"})


def add_another(harness: Harness, deal: str) -> None:
    add_member(harness, deal, "Other")


def members_of(harness: Harness, deal: str) -> list[str]:
    return [each["Id"] for each in harness.salesforce.records(MEMBER) if each["OpportunityId"] == deal]


@pytest.mark.parametrize("edit", [edit_member, edit_user_of_member, add_another], ids=lambda edit: edit.__name__)
def test_an_edit_of_a_team_brings_up_exactly_its_deal_within_five_minutes(
    team_selling: Harness, edit: Callable[[Harness, str], None]
) -> None:
    first, second = two_deals(team_selling)
    for number, deal in enumerate((first, second)):
        add_member(team_selling, deal, f"Mate {number}")
    push_often(team_selling, 20)
    edit(team_selling, first)
    with looked_at(team_selling, first, second) as worked:
        push_often(team_selling)
        assert worked() == [first]
    push_often(team_selling, 5)
    team_selling.forget_calls()
    push_often(team_selling, 10)
    assert team_selling.new_calls() == {"salesforce.query": 10}, "an edit that is known costs no further read"


def test_four_rare_queries_take_turns(team_selling: Harness) -> None:
    two_deals(team_selling)
    names = ("owner", "deleted", "team", "team_user")
    length = len(team_selling.salesforce.journal)
    moved: list[str] = []
    for _ in range(8):
        before = {name: team_selling.store.cursor(f"push_{name}") for name in names}
        team_selling.push()
        moved += [name for name, at in before.items() if team_selling.store.cursor(f"push_{name}") != at]
        assert team_selling.new_calls() == {"salesforce.query": 1}
    assert len(moved) == 8
    assert moved[:4] == moved[4:]
    assert set(moved) == set(names)
    assert [len(queries) for queries in polls_in(team_selling.salesforce.journal[length:])] == [5] * 8


def test_a_removed_member_is_noticed_at_the_next_look(team_selling: Harness) -> None:
    """The service keeps no row of it (docs/limits.md#by-design)."""
    first, second = two_deals(team_selling)
    member = add_member(team_selling, first)
    push_often(team_selling, 10)
    team_selling.salesforce.delete(MEMBER, member)
    with looked_at(team_selling, first, second) as worked:
        push_often(team_selling)
        assert worked() == []


def test_an_org_without_teams_is_not_asked_for_them(harness: Harness) -> None:
    assert not {"team", "team_user"} & {query.name for query in harness.translation.polls}
    harness.shared_deal()
    push_often(harness)
    assert harness.new_calls() == {"salesforce.query": 5}


def test_teams_that_are_switched_off_stop_the_push_until_the_org_is_asked_again(team_selling: Harness) -> None:
    deal, _ = two_deals(team_selling)
    switch_team_selling(team_selling.salesforce.org, on=False)
    team_selling.seller_edits(deal, Amount=4321)
    push_often(team_selling)
    failed = team_selling.first.log.fields_of("run_failed")
    assert {fields["code"] for fields in failed} == {"INVALID_TYPE"}
    team_selling.ask_org_again()
    team_selling.push()
    assert team_selling.referral_of(deal)["details"]["dealValue"] == 4321
