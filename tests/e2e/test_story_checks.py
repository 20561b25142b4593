"""Each check of `make run` fails in a world in which it does not hold."""

import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from local.compare import list_differences
from local.narrator import LogWatcher, Narrator, StoryFailed
from local.story_steps import Story
from tests.e2e.world import World

pytestmark = pytest.mark.slow

OPPORTUNITY = {
    "Name": "Deal 1", "Description": None, "Amount": 10_000.0, "CurrencyIsoCode": "USD", "CloseDate": "2027-03-31",
    "StageName": "Qualification",
}  # fmt: skip
DETAILS = {"notes": "", "dealValue": 10_000, "currency": "USD", "closingDateTime": "2027-03-31T00:00:00Z"}
REFERRAL = {"name": "Deal 1", "status": "Active", "substatus": "Accepted", "details": DETAILS}
FAULTS = [
    ("Name", "Another deal", "name 'Another deal' and 'Deal 2'"),
    ("StageName", "Closed Won", "status Closed Won and Active/Accepted"),
    ("Description", "A note", r"notes 'A note' and 'Replacing the old one\.'"),
    ("Amount", 10_001, r"amount 10001(\.0)? and 10000"),
    ("CurrencyIsoCode", "EUR", "currency 'EUR' and 'USD'"),
    ("CloseDate", "2027-04-01", r"closing date '2027-04-01' and '\d{4}-03-31'"),
]


class DisturbedStory(Story):
    """A story in which somebody changes a value after each timer run and before the check."""

    def __init__(self, world: World, disturb: Callable[[], None]) -> None:
        super().__init__(world.systems, world.host, Narrator(Console(file=io.StringIO()), LogWatcher()), 2)
        self._disturb = disturb

    def run_timer(self, timer: str) -> None:
        super().run_timer(timer)
        self._disturb()


def make_story(world: World, disturb: Callable[[], None] = lambda: None) -> Story:
    return DisturbedStory(world, disturb)


@pytest.mark.parametrize(("field", "value", "difference"), FAULTS)
def test_a_value_that_differs_in_one_pair_fails_the_story(
    world: World, field: str, value: object, difference: str
) -> None:
    story = make_story(world)
    story.seller_ticks_opportunities()
    story.both_sides_agree()
    world.systems.salesforce.edit("Opportunity", story.seller_opportunities[1], {field: value})

    with pytest.raises(
        StoryFailed, match=f"^{story.seller_opportunities[1]} and [0-9a-f-]{{36}} differ: {difference}$"
    ):
        story.both_sides_agree()


@pytest.mark.parametrize(("field", "value", "difference"), FAULTS)
def test_a_new_referral_with_another_value_fails_the_story(
    world: World, field: str, value: object, difference: str
) -> None:
    story = make_story(
        world, lambda: world.systems.salesforce.edit("Opportunity", story.seller_opportunities[1], {field: value})
    )

    with pytest.raises(StoryFailed, match=difference):
        story.seller_ticks_opportunities()


def test_a_completed_deal_that_changes_afterwards_fails_the_story(world: World) -> None:
    story = make_story(world)
    story.incomplete_opportunity()
    world.systems.salesforce.edit("Opportunity", story.seller_opportunities[-1], {"Amount": 1})

    with pytest.raises(StoryFailed, match="amount 1"):
        story.both_sides_agree()


@pytest.mark.parametrize("lonely", ["a referral", "an opportunity"])
def test_a_deal_that_only_one_side_has_fails_the_story(world: World, lonely: str) -> None:
    story = make_story(world)
    story.seller_ticks_opportunities()
    if lonely == "a referral":
        world.systems.partner_center.microsoft_sends()
    else:
        story.seller_creates("Alone", "US")

    with pytest.raises(StoryFailed, match=r"opportunities and \d+ referrals do not form pairs"):
        story.both_sides_agree()


def test_a_new_referral_whose_event_was_lost_fails_the_story(world: World) -> None:
    world.systems.partner_center.microsoft_sends()

    with pytest.raises(StoryFailed, match=r"events were lost, and the sweep had to write: Salesforce: .*create"):
        make_story(world).sweep_finds_nothing()


def test_an_edit_whose_event_was_lost_fails_the_story(world: World) -> None:
    story = make_story(world)
    story.seller_ticks_opportunities()
    story.sweep_finds_nothing()
    referral = story.read_opportunity(story.seller_opportunities[0])["Referral_Identifier__c"]
    date = {"op": "replace", "path": "/details/closingDateTime", "value": "2030-01-01T00:00:00Z"}
    world.let_records_rest()
    world.systems.partner_center.portal_edits(referral, [date])

    with pytest.raises(StoryFailed, match=r"events were lost, and the sweep had to write: Salesforce: .*update"):
        story.sweep_finds_nothing()


def test_a_write_of_the_sweep_to_partner_center_fails_the_story(world: World) -> None:
    story = make_story(world)
    story.seller_ticks_opportunities()
    world.systems.salesforce.edit("Opportunity", story.seller_opportunities[0], {"Amount": 5})
    referral = story.read_opportunity(story.seller_opportunities[0])["Referral_Identifier__c"]
    date = {"op": "replace", "path": "/details/closingDateTime", "value": "2030-01-01T00:00:00Z"}
    world.systems.partner_center.portal_edits(referral, [date])

    with pytest.raises(StoryFailed, match="Partner Center: PATCH"):
        story.sweep_finds_nothing()


def test_equal_values_are_no_difference() -> None:
    assert list_differences(OPPORTUNITY, REFERRAL) == []
    assert (
        list_differences(
            {**OPPORTUNITY, "StageName": "On Hold"}, {**REFERRAL, "status": "New", "substatus": "Received"}
        )
        == []
    )


def test_all_differences_of_a_pair_are_listed() -> None:
    referral: dict[str, Any] = deepcopy(REFERRAL)
    referral["details"] |= {"notes": "Call back", "closingDateTime": None}

    assert list_differences({**OPPORTUNITY, "StageName": "Lost"}, referral) == [
        "notes '' and 'Call back'", "closing date '2027-03-31' and ''", "status Lost and Active/Accepted",
    ]  # fmt: skip
