"""Two instances at once on the same pair: one works, the other comes again (protocol.md section 3)."""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.crash_points import EVERY, every_nth
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import (
    assert_agreed,
    assert_linked,
    assert_nothing_lost,
    assert_updated,
    conflicting_deal,
    edited_deal,
)

Arrange = Callable[[Harness], str]
Check = Callable[[Harness, str], object]
Run = Callable[[Instance], object]


def push_at_once(instance: Instance) -> object:
    return instance.push(after=0.0)


def sweep_at_once(instance: Instance) -> object:
    return instance.sweep(after=0.0)


SCENARIOS: dict[str, tuple[Arrange, Check, Run]] = {
    "a create and a push": (Harness.seller_creates, assert_linked, push_at_once),
    "a create and a sweep": (Harness.seller_creates, assert_linked, sweep_at_once),
    "an update and a push": (edited_deal, assert_updated, push_at_once),
    "a conflict and a push": (conflicting_deal, assert_nothing_lost, push_at_once),
    "a conflict and a sweep": (conflicting_deal, assert_nothing_lost, sweep_at_once),
}
ALONE = {"store.side", "store.cursor", "store.due", "store.move_cursor", "store.audit", "salesforce.api_usage"}
"""Calls at which it makes no difference who else is at work: what they read or write, no pair depends on."""


def crossings(arrange: Arrange) -> list[int]:
    """The calls of a push before which another instance may change what it finds."""
    with Harness() as harness:
        arrange(harness)
        harness.one.life.calls.clear()
        harness.push()
        return [number for number, name in enumerate(harness.one.life.calls) if name not in ALONE]


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_instance_that_runs_in_the_middle_of_anothers_push_does_no_harm(name: str, every: int) -> None:
    arrange, check, other = SCENARIOS[name]
    numbers = crossings(arrange)
    assert len(numbers) > 8
    for number in every_nth(numbers, every):
        with Harness() as harness:
            deal = arrange(harness)
            first, second = harness.instance(), harness.instance()
            first.life.at("", lambda second=second: other(second), skip=number)  # type: ignore[misc]  # bound now
            first.push()
            assert second.life.calls
            recover_after_lease(harness)
            check(harness, deal)
            assert_quiet(harness)
            assert len(harness.referrals()) == 1


def test_of_two_instances_at_once_one_creates_and_the_other_comes_again(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.instance()
    harness.one.life.at("partner_center.create", lambda: other.push(after=0.0))
    harness.push()
    assert harness.calls()["partner_center.create"] == 1
    assert [due.cause for due in harness.retry_entries(Side.SALESFORCE)] == ["busy"]
    harness.run_rounds(1)
    assert_linked(harness, deal)


def test_an_event_that_overtakes_the_reply_of_our_own_create_makes_no_second_opportunity(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.instance()
    harness.one.life.at(
        "partner_center.create", lambda: other.event(harness.referrals()[0]["id"], after=0.0), after=True
    )
    harness.push()
    harness.run_rounds(2)
    assert len(harness.salesforce.records("Opportunity")) == 1
    assert_linked(harness, deal)


def test_a_process_frozen_past_its_lease_notices_that_its_lock_is_gone(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=27000)
    other = harness.instance()

    def frozen() -> None:
        harness.later(400.0)
        other.push(after=0.0)
        harness.seller_edits(deal, Amount=28000)
        other.push(after=5.0)

    # Asleep between the read under the lock and the filling of the intent: the stale plan is never carried out.
    harness.one.life.at("salesforce.opportunities", frozen, after=True)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 28000
    harness.run_rounds(2)
    assert harness.referral_of(deal)["details"]["dealValue"] == harness.opportunity(deal)["Amount"] == 28000
    assert_agreed(harness, deal)
