"""A push that stops at any call loses no edit beside an opportunity, and the next pushes come to rest.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, Harness, Instance
from tests.unit.sync.polled_deals import add_user, edit_contact, push_often, two_deals


def deal_of_owner_without_phone(harness: Harness) -> str:
    """A deal that is held because its owner has no phone, and whose owner has just got one."""
    owner = add_user(harness, "New")
    deal = harness.seller_creates(OwnerId=owner)
    push_often(harness, 15)
    harness.salesforce.edit("User", owner, {"Phone": "+1 555 0300"})
    return deal


def deal_with_edited_contact(harness: Harness) -> str:
    deal, _ = two_deals(harness)
    edit_contact(harness, deal)
    return deal


def deleted_deal(harness: Harness) -> str:
    deal, _ = two_deals(harness)
    harness.salesforce.delete("Opportunity", deal)
    return deal


def push_twice(instance: Instance) -> None:
    """Every rare query has its turn."""
    instance.push()
    instance.push()


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("arrange", [deal_with_edited_contact, deal_of_owner_without_phone, deleted_deal])
def test_nothing_is_lost_and_the_pushes_come_to_rest(arrange: Callable[[Harness], str], every: int) -> None:
    points, calls = crash_points(arrange, push_twice)
    assert calls > len(points) > 2
    for number in every_nth(points, every):
        with Harness() as harness:
            deal = arrange(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            assert instance.crashes_during(push_twice)
            harness.advance_time(AFTER_LEASE)
            push_often(harness, 20)
            assert harness.stored_link(deal).intent is None
            is_deleted = arrange is deleted_deal
            waits = [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)]
            assert waits == (["deleted"] if is_deleted else [])
            assert harness.stored_link(deal).referral_id
            harness.forget_calls()
            push_often(harness)
            assert harness.new_calls() == {"salesforce.query": 5}
            logs = (instance.log, harness.first.log)
            assert any(log.opportunities_of("opportunity_deleted") for log in logs) == is_deleted
