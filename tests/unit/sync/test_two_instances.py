"""If two instances work on one pair at once, one gets the lock and the other retries later.

Source: docs/protocol.md#acquiring-the-lock.
"""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.crash_points import EVERY_NTH, every_nth
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
IRRELEVANT_CALLS = {
    "store.side_state",
    "store.cursor",
    "store.retry_entries",
    "store.move_cursor",
    "store.audit",
    "salesforce.api_usage",
}
"""Calls that read or write nothing that a pair depends on, so that another instance makes no difference there."""


def relevant_calls(arrange: Arrange) -> list[int]:
    """The numbers of a push's calls before which another instance may change what the push finds."""
    with Harness() as harness:
        arrange(harness)
        harness.first.process.calls.clear()
        harness.push()
        return [number for number, name in enumerate(harness.first.process.calls) if name not in IRRELEVANT_CALLS]


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_of_another_instance_at_any_call_of_a_push_loses_nothing_and_doubles_nothing(
    name: str, every: int
) -> None:
    arrange, check, other = SCENARIOS[name]
    numbers = relevant_calls(arrange)
    assert len(numbers) > 8
    for number in every_nth(numbers, every):
        with Harness() as harness:
            deal = arrange(harness)
            first, second = harness.new_instance(), harness.new_instance()
            first.process.interrupt_at("", lambda second=second: other(second), skip=number)  # type: ignore[misc]  # binds this `second`
            first.push()
            assert second.process.calls
            recover_after_lease(harness)
            check(harness, deal)
            assert_quiet(harness)
            assert len(harness.our_referrals()) == 1


def test_of_two_simultaneous_pushes_one_creates_the_referral_and_the_other_retries(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.new_instance()
    harness.first.process.interrupt_at("partner_center.create", lambda: other.push(after=0.0))
    harness.push()
    assert harness.new_calls()["partner_center.create"] == 1
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["busy"]
    harness.run_rounds(1)
    assert_linked(harness, deal)


def test_the_event_of_a_create_that_arrives_before_its_reply_creates_no_opportunity(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.new_instance()
    harness.first.process.interrupt_at(
        "partner_center.create", lambda: other.pull_event(harness.our_referrals()[0]["id"], after=0.0), after=True
    )
    harness.push()
    harness.run_rounds(2)
    assert len(harness.salesforce.records("Opportunity")) == 1
    assert_linked(harness, deal)


def test_a_process_frozen_past_its_lease_writes_no_outdated_value(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=27000)
    other = harness.new_instance()

    def freeze() -> None:
        harness.advance_time(400.0)
        other.push(after=0.0)
        harness.seller_edits(deal, Amount=28000)
        other.push(after=5.0)

    # The process freezes after its read under the lock, before it records the intent. Its old plan must not be written.
    harness.first.process.interrupt_at("salesforce.opportunities", freeze, after=True)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 28000
    harness.run_rounds(2)
    assert harness.referral_of(deal)["details"]["dealValue"] == harness.opportunity(deal)["Amount"] == 28000
    assert_agreed(harness, deal)
