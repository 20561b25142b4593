"""What `make run` claims of both sides, each claim in a world where it is not true."""

import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from local.compare import differences
from local.narrator import Narrator, StoryFailed, Witness
from local.story import Story
from tests.e2e.world import World

ROW = {
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


class Sabotaged(Story):
    """Somebody changes a value between the timer and the look at it."""

    def __init__(self, world: World, sabotage: Callable[[], None]) -> None:
        super().__init__(world.systems, world.host, Narrator(Console(file=io.StringIO()), Witness()), 2)
        self.sabotage = sabotage

    def fire(self, timer: str) -> None:
        super().fire(timer)
        self.sabotage()


def story(world: World, sabotage: Callable[[], None] = lambda: None) -> Story:
    return Sabotaged(world, sabotage)


@pytest.mark.parametrize(("field", "value", "said"), FAULTS)
def test_a_value_that_one_pair_does_not_share_is_no_step(world: World, field: str, value: object, said: str) -> None:
    told = story(world)
    told.seller_flags()
    told.in_step()
    world.systems.salesforce.edit("Opportunity", told.ours[1], {field: value})

    with pytest.raises(StoryFailed, match=f"^{told.ours[1]} and [0-9a-f-]{{36}} differ: {said}$"):
        told.in_step()


@pytest.mark.slow
@pytest.mark.parametrize(("field", "value", "said"), FAULTS)
def test_a_new_referral_that_holds_something_else_is_noticed(
    world: World, field: str, value: object, said: str
) -> None:
    told = story(world, lambda: world.systems.salesforce.edit("Opportunity", told.ours[1], {field: value}))

    with pytest.raises(StoryFailed, match=said):
        told.seller_flags()


def test_a_mended_deal_that_went_wrong_afterwards_is_no_step(world: World) -> None:
    told = story(world)
    told.incomplete()
    world.systems.salesforce.edit("Opportunity", told.ours[-1], {"Amount": 1})

    with pytest.raises(StoryFailed, match="amount 1"):
        told.in_step()


@pytest.mark.parametrize("lonely", ["a referral", "an opportunity"])
def test_a_deal_that_only_one_side_has_is_no_step(world: World, lonely: str) -> None:
    told = story(world)
    told.seller_flags()
    if lonely == "a referral":
        world.systems.partner_center.microsoft_sends()
    else:
        told.seller_creates("Alone", "US")

    with pytest.raises(StoryFailed, match="opportunities are not paired with"):
        told.in_step()


def test_a_new_deal_that_events_missed_is_owned_up_to(world: World) -> None:
    world.systems.partner_center.microsoft_sends()

    with pytest.raises(StoryFailed, match=r"the sweep found what was missed, and wrote: Salesforce: .*create"):
        story(world).nothing_left()


@pytest.mark.slow
def test_an_edit_that_events_missed_is_owned_up_to(world: World) -> None:
    told = story(world)
    told.seller_flags()
    told.nothing_left()
    referral = told.opportunity(told.ours[0])["Referral_Identifier__c"]
    date = {"op": "replace", "path": "/details/closingDateTime", "value": "2030-01-01T00:00:00Z"}
    world.systems.partner_center.portal_edits(referral, [date])

    with pytest.raises(StoryFailed, match=r"the sweep found what was missed, and wrote: Salesforce: .*update"):
        told.nothing_left()


def test_a_write_to_partner_center_is_owned_up_to(world: World) -> None:
    told = story(world)
    told.seller_flags()
    world.systems.salesforce.edit("Opportunity", told.ours[0], {"Amount": 5})
    referral = told.opportunity(told.ours[0])["Referral_Identifier__c"]
    date = {"op": "replace", "path": "/details/closingDateTime", "value": "2030-01-01T00:00:00Z"}
    world.systems.partner_center.portal_edits(referral, [date])

    with pytest.raises(StoryFailed, match="Partner Center: PATCH"):
        told.nothing_left()


def test_what_is_shared_is_no_difference() -> None:
    assert differences(ROW, REFERRAL) == []
    assert differences({**ROW, "StageName": "On Hold"}, {**REFERRAL, "status": "New", "substatus": "Received"}) == []


def test_every_difference_is_named_at_once() -> None:
    referral: dict[str, Any] = deepcopy(REFERRAL)
    referral["details"] |= {"notes": "Call back", "closingDateTime": None}

    assert differences({**ROW, "StageName": "Lost"}, referral) == [
        "notes '' and 'Call back'", "closing date '2027-03-31' and ''", "status Lost and Active/Accepted",
    ]  # fmt: skip
