"""An edit may be committed seconds after the second it is stamped with (reference/salesforce.md section 8, item 6)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emulators.base.emulator import EmulatedClock
from tests.e2e.world import World


@pytest.fixture
def clock(world: World) -> Iterator[EmulatedClock]:
    """Salesforce's clock, standing still unless told; other tests share the system and find the real time again."""
    clock = world.systems.salesforce.clock
    clock.freeze()
    yield clock
    clock.freeze(frozen=False)
    clock.set(datetime.now(UTC))


def test_an_edit_stamped_in_the_second_of_our_write_and_committed_later_still_arrives(
    world: World, clock: EmulatedClock
) -> None:
    salesforce = world.systems.salesforce
    opportunity = world.seller_creates()
    world.host.fire("push_opportunities")
    salesforce.lag = timedelta(seconds=5)
    salesforce.edit("Opportunity", opportunity, {"Amount": 12_345})
    clock.advance(2)
    world.host.fire("push_opportunities")  # reads the row as it was, its second being over

    clock.advance(60)
    world.host.fire("push_opportunities")

    row = salesforce.record("Opportunity", opportunity)
    assert world.systems.partner_center.referral(row["Referral_Identifier__c"])["details"]["dealValue"] == 12_345


def test_a_row_at_rest_is_read_no_more_once_every_save_must_have_ended(world: World, clock: EmulatedClock) -> None:
    world.seller_creates()
    world.host.fire("push_opportunities")
    for _ in range(2):
        clock.advance(60)
        world.host.fire("push_opportunities")
    world.systems.salesforce.journal.clear()

    clock.advance(60)
    world.host.fire("push_opportunities")

    assert len(world.systems.salesforce.journal) == 1
