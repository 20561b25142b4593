"""An edit may be committed seconds after its stamp: docs/reference/salesforce.md#time-and-late-commits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emulators.base.clock import EmulatedClock
from tests.e2e.world import World


@pytest.fixture
def clock(world: World) -> Iterator[EmulatedClock]:
    """Salesforce's clock, which only the test moves. It shows the real time again after the test."""
    clock = world.systems.salesforce.clock
    clock.freeze()
    yield clock
    clock.freeze(frozen=False)
    clock.set(datetime.now(UTC))


def test_an_edit_with_the_stamp_of_our_write_that_is_committed_later_still_arrives(
    world: World, clock: EmulatedClock
) -> None:
    salesforce = world.systems.salesforce
    opportunity = world.seller_creates()
    world.host.run_now("push_opportunities")
    salesforce.lag = timedelta(seconds=5)
    salesforce.edit("Opportunity", opportunity, {"Amount": 12_345})
    clock.advance(2)
    world.host.run_now("push_opportunities")  # reads the old values, after the second of the stamp is over

    clock.advance(60)
    world.host.run_now("push_opportunities")

    record = salesforce.record("Opportunity", opportunity)
    assert world.systems.partner_center.referral(record["Referral_Identifier__c"])["details"]["dealValue"] == 12_345


def test_an_unchanged_opportunity_is_not_read_again_once_every_save_must_have_ended(
    world: World, clock: EmulatedClock
) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")
    for _ in range(2):
        clock.advance(60)
        world.host.run_now("push_opportunities")
    world.systems.salesforce.journal.clear()

    clock.advance(60)
    world.host.run_now("push_opportunities")

    assert len(world.systems.salesforce.journal) == 1
